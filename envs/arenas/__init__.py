"""Where LIBERO's scenes stand: one file per room, without a robot or objects."""
