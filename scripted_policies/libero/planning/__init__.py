"""Plans that skills carry out: which grasp, which placement, which way in, which motion of a drawer."""
