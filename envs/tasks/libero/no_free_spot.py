"""An object that fits nowhere."""

from ambidex.errors import EpisodeStartError


class NoFreeSpotError(EpisodeStartError):
    """Nowhere in its region could an object start without being in something; says which object and region."""
