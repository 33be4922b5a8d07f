"""An object that fits nowhere."""

from ambidex.envs.errors import AmbidexError


class NoFreeSpotError(AmbidexError):
    """Nowhere in its region could an object start without being in something; says which object and region."""
