"""A text in parentheses as a tree that remembers where each part stands."""

from dataclasses import dataclass

from ambidex.envs.tasks.libero.location import Location


@dataclass(frozen=True)
class Word:
    """What stands between blanks, in lower case.

    Attributes:
        text: The word.
        at: Where it begins.
    """

    text: str
    at: Location


@dataclass(frozen=True)
class Group:
    """A pair of parentheses and what is in it.

    Attributes:
        items: Words and groups, in order.
        at: Where it opens.
    """

    items: "tuple[Expression, ...]"
    at: Location

    def head(self, what: str) -> Word:
        """The first item, which must be a word.

        Raises:
            DefinitionError: It is not.
        """
        if not self.items:
            raise self.at.error(f"got (), expected {what}.")
        return word(self.items[0], what)

    @property
    def tail(self) -> "tuple[Expression, ...]":
        """All items but the first."""
        return self.items[1:]


Expression = Word | Group


def word(expression: Expression, what: str) -> Word:
    """`expression` as the word it must be.

    Raises:
        DefinitionError: It is a group.
    """
    if isinstance(expression, Group):
        raise expression.at.error(f"got a list in parentheses, expected {what}.")
    return expression


def group(expression: Expression, what: str) -> Group:
    """`expression` as the group it must be.

    Raises:
        DefinitionError: It is a word.
    """
    if isinstance(expression, Word):
        raise expression.at.error(f"got {shown(expression.text)}, expected {what} in parentheses.")
    return expression


def shown(text: str) -> str:
    """A word as a message may quote it, however long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
