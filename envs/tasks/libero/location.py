"""A place in a text, for messages."""

from dataclasses import dataclass

from ambidex.errors import DefinitionError


@dataclass(frozen=True)
class Location:
    """Where something stands, counted from 1.

    Attributes:
        source: File, or what stands for it.
        line: Line.
        column: Column.
    """

    source: str
    line: int
    column: int

    def error(self, message: str) -> DefinitionError:
        """An error that starts with the place."""
        return DefinitionError(f"{self.source}, line {self.line}, column {self.column}: {message}")
