"""An environment in which one seed cannot be reset."""

from ambidex.envs.tasks.libero.initial.placement import NoFreeSpotError


def fail_reset(env, seed):
    """Let the reset of one seed fail."""
    reset = env.reset

    def failing(wanted):
        if wanted == seed:
            raise NoFreeSpotError("there is no room for the bowl")
        return reset(wanted)

    env.reset = failing
