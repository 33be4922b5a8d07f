"""Skills of the LIBERO expert, each a class with a `motion` that reaches one subgoal."""
