"""What is public, line by line: tests/data/public_api.txt has all names with their signatures, fields, and flags."""

import inspect
import os
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

from command_configs import CONFIGS

import ambidex
from ambidex.flags import list_flags, type_name
from ambidex.policies.train_policy import defaults_for

SNAPSHOT = Path(__file__).parent / "data" / "public_api.txt"
UPDATE = "UPDATE_PUBLIC_API"


def public_api() -> list[str]:
    names = [line for name in ambidex.__all__ if name != "__version__" for line in describe(name)]
    configs = [
        line for kind in CONFIGS.values() if kind.__name__ not in ambidex.__all__ for line in describe_fields(kind)
    ]
    flags = [line for command in CONFIGS if command != "train-policy" for line in describe_flags(command)]
    for policy in ("act", "uniact"):
        flags += describe_flags("train-policy", "--policy", policy)
    return [*names, *configs, *flags]


def describe(name: str) -> Iterator[str]:
    value = getattr(ambidex, name)
    if not inspect.isclass(value):
        yield f"{name}{plain(inspect.signature(value))}"
        return
    yield f"class {name}"
    if is_dataclass(value):
        yield from describe_fields(value)
    for member, found in sorted(vars(value).items()):
        if inspect.isfunction(found) and not member.startswith("_"):
            yield f"{name}.{member}{plain(inspect.signature(found))}"
        elif isinstance(found, property):
            yield f"{name}.{member}: property"


def describe_fields(kind: type) -> Iterator[str]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        default = "" if field.default is MISSING else f" = {field.default!r}"
        yield f"{kind.__name__}.{field.name}: {plain(type_name(hints[field.name]))}{default}"


def plain(text: object) -> str:
    """Without names of modules, which are private, and without what other versions of NumPy write differently."""
    arrays = re.sub(r"numpy\.ndarray\[tuple\[[^]]*\], numpy\.dtype\[numpy\.(\w+)\]\]", r"\1 array", str(text))
    return re.sub(r"'([A-Z][^']*)'", r"\1", re.sub(r"\b[a-z_]\w*\.(?=\w)", "", arrays))


def describe_flags(command: str, *words: str) -> list[str]:
    kind, default = CONFIGS[command], defaults_for(words) if words else None
    prefix = " ".join([command, *words])
    return [
        f"{prefix} {flag.usage}" + f"  (default: {flag.default})" * bool(flag.default)
        for flag in list_flags(kind, default)
    ]


def test_the_public_api_has_not_changed() -> None:
    current = "\n".join(public_api()) + "\n"
    if os.environ.get(UPDATE):
        SNAPSHOT.write_text(current)
    stored = SNAPSHOT.read_text()
    before, after = stored.splitlines(), current.splitlines()
    gone = [f"- {line}" for line in before if line not in after]
    new = [f"+ {line}" for line in after if line not in before]
    hint = (
        "What is removed or changed needs a DeprecationWarning for one minor version (docs/reference/api/index.md), "
        f"and a line in CHANGELOG.md. If this is on purpose: {UPDATE}=1 python -m pytest tests/test_public_api.py"
    )
    assert current == stored, "\n".join(["The public API has changed:", *gone, *new, hint])
