"""Tables of names: "module:attribute" strings that are imported on use."""

from collections.abc import Mapping
from importlib import import_module

from ambidex.errors import check_name


def resolve(kind: str, name: str, table: Mapping[str, str]) -> object:
    """The object of a name in a table of "module:attribute" strings; `kind` says what is named, e.g. "task".

    Raises:
        UnknownNameError: No such name; the message says what exists.
    """
    check_name(kind, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
