"""An episode that cannot begin."""

from ambidex.envs.tasks.libero.initial.placement import NoFreeSpotError


def spoil(env, seed):
    """Let the episode of one seed not begin."""
    reset = env.reset

    def spoilt(wanted):
        if wanted == seed:
            raise NoFreeSpotError("there is no room for the bowl")
        return reset(wanted)

    env.reset = spoilt
