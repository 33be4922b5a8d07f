"""Tables of names: "module:attribute" strings that are imported when somebody asks for them."""

from collections.abc import Mapping
from importlib import import_module

from ambidex.errors import UnknownNameError


def resolve(kind: str, name: str, table: Mapping[str, str]) -> object:
    """The object that a name stands for.

    Args:
        kind: What is named, for the message of the error, e.g. "task".
        name: A key of the table.
        table: Name -> "module:attribute".

    Raises:
        UnknownNameError: No such name; the message says what exists.
    """
    if name not in table:
        raise UnknownNameError(kind, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
