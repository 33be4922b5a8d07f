"""One file per ALOHA task; the tasks of LIBERO are in libero/."""
