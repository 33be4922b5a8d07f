"""Models of the objects of ALOHA's tasks, one file per task or kind of object, made with a `PropBuilder`."""
