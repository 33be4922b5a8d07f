"""How the page gets at one episode's video."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Media:
    """How the page gets at one episode's video.

    Attributes:
        kind: "embedded" in the page, "served" beside it, or "absent".
        address: Of what is embedded: the id of its element. Of what is served: its address without the ending.
        ready: What is served is there; otherwise it is made when asked for.
        poster: Address of the still picture; empty for the server's, or none.
        why: Why it is absent, in words.
    """

    kind: str
    address: str = ""
    ready: bool = False
    poster: str = ""
    why: str = ""

    def to_dict(self) -> dict[str, object]:
        """JSON-ready, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}
