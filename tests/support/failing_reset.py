"""An environment in which one seed cannot be reset."""

from ambidex.envs.tasks.libero.initial_states.placement import NoFreeSpotError


def fail_reset(env, seed):
    """Let the reset of one seed fail."""
    reset = env.reset

    def failing(requested):
        if requested == seed:
            raise NoFreeSpotError("there is no room for the bowl")
        return reset(requested)

    env.reset = failing
