"""Flags of commands: their types, their help, and dataclasses of them as a command line, as JSON, and compared."""

import ast
import inspect
import re
import shlex
import textwrap
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from ambidex.codec import from_json, to_json
from ambidex.errors import DatasetError, UsageError
from ambidex.text import Describe, was_now

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value")
Config = TypeVar("Config", bound="DataclassInstance")
AUTO = "auto"
POSITIONAL = "path"  # the field that has no flag
HELP_WIDTH = 110  # at most
HELP_COLUMN = 30  # where descriptions start
OTHER = "Other options"
METAVARS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}
SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)\. ")


def _spec(
    metavar: str, nargs: int | str, parse: Callable[[list[str]], Value]
) -> PrimitiveConstructorSpec[Value | None]:
    """How a flag reads its words; "auto" is None, a default that depends on other flags."""
    return PrimitiveConstructorSpec(
        nargs=nargs,  # type: ignore[arg-type]  # "*" or a number
        metavar=metavar,
        instance_from_str=lambda words: None if words == [AUTO] else parse(words),
        is_instance=lambda value: True,
        str_from_instance=lambda value: [AUTO] if value is None else _value_words(value),
    )


def name_or(default: str, metavar: str) -> PrimitiveConstructorSpec[str | None]:
    """How a flag reads one name; without a word it is `default`, and None unless the flag is given."""

    def parse(words: list[str]) -> str:
        if len(words) > 1:
            raise ValueError(f"expected one name, got {' '.join(words)}")
        return words[0] if words else default

    return _spec(metavar, "*", parse)


def _integer(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"expected a whole number, got {word!r}") from None


def _names(words: list[str]) -> tuple[str, ...]:
    if not words:
        raise ValueError("expected one name or more, or 'none'")
    if "none" in words and len(words) > 1:
        raise ValueError("'none' stands alone")
    return () if words == ["none"] else tuple(words)


Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""Off unless given."""

OptionalInt = Annotated[int | None, _spec("INT", 1, lambda words: _integer(words[0]))]
"""An integer; None unless given."""

OptionalName = Annotated[str | None, _spec("NAME", 1, lambda words: words[0])]
"""A name; None unless given."""

OptionalPath = Annotated[Path | None, _spec("PATH", 1, lambda words: Path(words[0]))]
"""A file or folder; None unless given."""

Cluster = Annotated[str | None, _spec("ADDRESS", 1, lambda words: words[0])]
"""A Ray cluster; None unless given."""

ImageSize = Annotated[tuple[int, int] | None, _spec("H W", 2, lambda words: (_integer(words[0]), _integer(words[1])))]
"""Height and width [px]; None unless given."""

_NAMES_SPEC = _spec("NAME ...|none", "*", _names)
Names = Annotated[tuple[str, ...] | None, _NAMES_SPEC]
"""Names; empty for the word "none"; None unless given."""

OptionalAxes = Annotated[tuple[str, ...] | None, _spec("AXIS[:LEVEL] ...|none", "*", _names)]
"""Axes of perturbation; likewise."""


Axes = Annotated[
    tuple[str, ...],
    PrimitiveConstructorSpec(
        nargs="*",
        metavar="AXIS[:LEVEL] ...",
        instance_from_str=lambda words: tuple(words) or ("",),  # which is refused with the names that exist
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=list,
    ),
]
"""Axes of perturbation; empty unless given. A flag without a word is an axis without a name."""


class Flags:
    """Base of the dataclasses of flags that are also arguments of a Python function.

    Paths may be given as text, and tuples as lists; one path or name is a tuple of one, and "none" is no name.

    Raises:
        UsageError: A value of another type.
    """

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            object.__setattr__(self, field.name, _checked(type(self), field.name, getattr(self, field.name)))


def _checked(kind: type, field: str, value: object) -> object:
    hint = _hints(kind)[field]
    if isinstance(hint, TypeVar):  # the settings of a policy
        return value
    takes_many = any(get_origin(each) is tuple and get_args(each)[1:] == (...,) for each in (hint, *get_args(hint)))
    values = [value] if takes_many and isinstance(value, str | Path) else value
    if values in (["none"], ("none",)) and _NAMES_SPEC in _annotations(kind)[field]:
        return ()
    try:
        return from_json(hint, to_json(values))
    except (ValueError, NotImplementedError) as error:
        problem = f"{kind.__name__}({field}={value!r}): expected {type_name(hint)}."
        raise UsageError(problem, field=field, got=value, expected=type_name(hint)) from error


def type_name(hint: object) -> str:
    """A type as it is written in code, such as "int" and "Path | None"."""
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("pathlib.", "")


def readable_signature(kind: type[Config]) -> type[Config]:
    """Class decorator: `help` shows the types of the fields without what the command line needs to know of them."""
    for function in (kind, kind.__init__):
        signature = inspect.signature(function)
        hints = _hints(kind) | {"self": inspect.Parameter.empty}
        plain = [each.replace(annotation=hints[name]) for name, each in signature.parameters.items()]
        function.__signature__ = signature.replace(parameters=plain)  # type: ignore[union-attr]
    return kind


def format_command(
    name: str, config: "DataclassInstance", *, leave_out: Set[str] = frozenset(), brief: bool = False
) -> str:
    """The command line that gives a config, without the fields in `leave_out`; brief: without defaults too."""
    words = [name]
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == POSITIONAL:
            words.append(str(value))
        elif field.name not in leave_out and not (brief and value == field.default):
            words += _flag_words(config, field)
    return shlex.join(words)


def parse_command(name: str, text: str, kind: type[Config]) -> Config:
    """Inverse of `format_command`.

    Raises:
        UsageError: It is a line of another command.
        DatasetError: This version does not know its flags.
    """
    if text.split()[:1] != [name]:
        raise UsageError(f"The folder was not made by {name}, but by: {text}", got=text)
    try:
        words = shlex.split(text)
        return tyro.cli(kind, args=words[1:], console_outputs=False)
    except (SystemExit, ValueError) as error:
        hint = "Use the version that wrote it, or run again into another folder."
        raise DatasetError(f"This version does not know all flags of the command {text!r}.", hint, got=text) from error


def flags_to_json(config: "DataclassInstance", *, leave_out: Set[str] = frozenset()) -> dict[str, object]:
    """The flags of a config as JSON, without the fields in `leave_out`."""
    return {name: value for name, value in to_json(config).items() if name not in leave_out}


def changed_flags(
    old: "DataclassInstance",
    new: "DataclassInstance",
    ignore: Set[str] = frozenset(),
    prefix: str = "--",
    describe: Describe = was_now,
) -> list[str]:
    """One line per flag in which two configs of one type differ, e.g. "--seed was 0, now 5".

    The prefix goes before each name: the flags of a dataclass within the config are named like --scratch.width.
    """
    lines: list[str] = []
    for name in (field.name for field in fields(old) if field.name not in ignore):
        flag, was, now = prefix + _flag_name(name), getattr(old, name), getattr(new, name)
        if is_dataclass(was) and type(was) is type(now):
            lines += changed_flags(was, now, prefix=f"{flag}.", describe=describe)  # type: ignore[arg-type]
        elif was != now:
            lines.append(describe(flag, _shown(was), _shown(now)))
    return lines


def _shown(value: object) -> str:
    return AUTO if value is None else shlex.join(_value_words(value)) or "none"


def _flag_words(
    config: "DataclassInstance", field: Field[Any], prefix: str = "", own_default: bool = True
) -> list[str]:
    """The flag of a field with its value, or all flags of a dataclass within the config, whose defaults may vary."""
    value, metadata = getattr(config, field.name), _annotations(type(config))[field.name]
    name = prefix + _flag_name(field.name)
    if is_dataclass(value):
        inner = _inner_prefix(name, metadata)
        return [word for each in fields(value) for word in _flag_words(value, each, inner, False)]  # type: ignore[arg-type]
    if value is None or (value is False and own_default and not field.default):
        return []
    if value == () and _NAMES_SPEC not in metadata:
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", *(_value_words(value) or ["none"] * (_NAMES_SPEC in metadata))]


def _value_words(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, tuple) else [str(value)]


def _inner_prefix(name: str, metadata: tuple[object, ...]) -> str:
    """How the names of the flags of a dataclass within a config start."""
    return "" if any(getattr(extra, "name", None) == "" for extra in metadata) else f"{name}."


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A flag as the help shows it."""

    topic: str
    common: bool
    usage: str
    text: str
    default: str


def help_text(name: str, kind: type, default: object, *, complete: bool) -> str:
    """The help of a command, whose docstring and flags are those of a dataclass.

    The class variable `help_topics` of a config maps headings to names of fields, separated by spaces. The fields under
    the first heading are the common ones. Defaults are those of an instance, or of the dataclass if there is none.

    If `complete`, it has all flags with all that is known of them, otherwise the common ones with a sentence each.
    """
    width = min(get_terminal_size((100, 24)).columns, HELP_WIDTH)
    kind = get_origin(kind) or kind  # an alias such as TrainConfig[ActConfig] has no docstring
    flags = list(list_flags(kind if default is None else type(default), default))
    shown = [flag for flag in flags if complete or flag.common] or flags
    topics = dict.fromkeys(flag.topic for flag in shown)
    summary, _, details = (ast.get_docstring(_definition(kind)) or "").partition("\n\n")
    positional = "".join(f" {flag.usage}" for flag in flags if not flag.usage.startswith("-"))
    paragraphs = [
        f"usage: {name} [options]{positional}",
        *(textwrap.fill(part, width) for part in (summary, details) if part),
    ]
    for topic in topics:
        lines = [_line(flag, width, complete) for flag in shown if flag.topic == topic]
        paragraphs.append("\n".join([f"{topic}:", *lines]))
    general = f"  --help, --version{'':{HELP_COLUMN - 19}}Show this help, or the version, and exit."
    if len(shown) < len(flags):
        general += f"\n  --help-all{'':{HELP_COLUMN - 12}}Show all {len(flags)} options."
    return "\n\n".join([*paragraphs, general]) + "\n"


def _line(flag: Flag, width: int, complete: bool) -> str:
    text = flag.text if complete else _first_sentence(flag.text)
    if flag.default and (flag.default != AUTO or re.search(rf"\b{AUTO}\b", text)):
        text = f"{text} (default: {flag.default})"
    body = textwrap.wrap(text, width - HELP_COLUMN)
    head = f"  {flag.usage}"
    first = [f"{head:{HELP_COLUMN}}{body[0]}", *body[1:]] if len(head) < HELP_COLUMN else [head, *body]
    return ("\n" + " " * HELP_COLUMN).join(first)


def _first_sentence(text: str) -> str:
    ends = (match.start() + 1 for match in SENTENCE_END.finditer(text))
    return next((text[:end] for end in ends if text.count("(", 0, end) == text.count(")", 0, end)), text)


def list_flags(kind: type, default: Any, prefix: str = "", heading: str = OTHER) -> Iterator[Flag]:
    """All flags of a command; arguments as in `help_text`."""
    topics = _topics(kind)
    for field in fields(kind):
        value = field.default if default is None else getattr(default, field.name)
        metadata = _annotations(kind)[field.name]
        name = prefix + _flag_name(field.name)
        if is_dataclass(value):
            inner = "Policy" if heading == OTHER else field.name
            yield from list_flags(type(value), value, _inner_prefix(name, metadata), inner)
            continue
        topic, common = topics.get(field.name, (heading, False))
        yield Flag(
            topic=topic,
            common=common,
            usage=_usage(name, _hints(kind)[field.name], metadata),
            text=field_descriptions(kind).get(field.name, ""),
            default=_default_text(value),
        )


def _topics(kind: type) -> dict[str, tuple[str, bool]]:
    """Field -> its heading, and whether that is the first one."""
    topics: Mapping[str, str] = getattr(kind, "help_topics", {})
    return {name: (topic, not index) for index, (topic, names) in enumerate(topics.items()) for name in names.split()}


def _flag_name(field: str) -> str:
    return field.replace("_", "-")


def _default_text(value: object) -> str:
    if value is None:
        return AUTO
    if isinstance(value, bool) or value is MISSING:
        return ""
    return " ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _usage(name: str, hint: Any, metadata: tuple[object, ...]) -> str:
    metavar = [str(getattr(extra, "metavar", "")) for extra in metadata if getattr(extra, "metavar", None)][-1:]
    if tyro.conf.Positional in metadata:
        return metavar[0] if metavar else name.upper() + " ..." * (get_origin(hint) is tuple)
    if hint is bool:
        return f"--{name}" if tyro.conf.FlagCreatePairsOff in metadata else f"--{name}, --no-{name}"
    return f"--{name} {metavar[0] if metavar else _metavar(hint)}"


def _metavar(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "{" + ",".join(map(str, get_args(hint))) + "}"
    if get_origin(hint) is tuple:
        return f"{_metavar(get_args(hint)[0])} ..."
    return METAVARS.get(hint, "VALUE")


@cache
def _annotations(kind: type) -> dict[str, tuple[Any, ...]]:
    return {name: getattr(hint, "__metadata__", ()) for name, hint in get_type_hints(kind, include_extras=True).items()}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def field_descriptions(kind: type) -> dict[str, str]:
    """Field -> the string under it in the source."""
    found: dict[str, str] = {}
    for base in reversed([base for base in kind.__mro__ if is_dataclass(base)]):
        for field, text in pairwise(_definition(base).body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                found[field.target.id] = " ".join(ast.literal_eval(text.value).split())
    return found


@cache
def _definition(kind: type) -> ast.ClassDef:
    """The source of a class, because `python -OO` removes docstrings."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(get_origin(kind) or kind))).body
    assert isinstance(definition, ast.ClassDef)
    return definition
