"""JSON of dataclasses: what is written is read back, and what does not fit is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Generic, Literal, TypeVar

import pytest

from ambidex.codec import ADDED_LATER, from_json, parse, to_json

Inner_ = TypeVar("Inner_")


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Inner:
    names: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class Outer(Generic[Inner_]):
    inner: Inner_
    rate: float = 1.0
    size: tuple[int, int] | None = None
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    file: Path | None = None
    by_name: Mapping[str, str | int | float] = field(default_factory=dict)
    parts: tuple[Inner, ...] = ()
    named: Mapping[str, Inner] = field(default_factory=dict)
    newest: bool = field(default=False, metadata={ADDED_LATER: True})


FULL = Outer(
    inner=Inner(names=("x",), count=3), rate=0.5, size=(2, 3), colour=Colour.BLUE, file=Path("a/b"), by_name={"x": 1}
)
KIND = Outer[Inner]


def test_what_is_written_is_read_back():
    values = to_json(FULL)
    assert values["file"] == "a/b" and values["colour"] == "blue" and list(values) == list(vars(FULL))
    assert from_json(KIND, values) == FULL
    assert from_json(KIND, values).by_name == {"x": 1} and isinstance(from_json(KIND, values).by_name["x"], int)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": "fast"}, "rate: expected float, got str"),
        ({"rate": None}, "rate: expected float, got null"),
        ({"size": [1, 2, 3]}, "size: expected array of length 2, got 3"),
        ({"size": [1, "2"]}, "size[1]: expected int, got str"),
        ({"colour": "green"}, "colour: invalid enum value 'green'"),
        ({"kind": "c"}, "kind: invalid enum value 'c'"),
        ({"newest": 1}, "newest: expected bool, got int"),
        ({"file": 3}, "file: expected str, got int"),
        ({"inner": {"count": 1.5}}, "inner.count: expected int, got float"),
        ({"inner": {"names": "abc"}}, "inner.names: expected array, got str"),
        ({"inner": []}, "inner: expected object, got array"),
        ({"by_name": {"x": []}}, "by_name[...]: expected int | float | str, got array"),
        ({"parts": [{}, {"count": "3"}]}, "parts[1].count: expected int, got str"),
        ({"colours": 3}, "colours: unknown field"),
        ({"inner": {"colours": 3}}, "inner.colours: unknown field"),
        ({"parts": [{}, {"colours": 3}]}, "parts[1].colours: unknown field"),
        ({"named": {"x": {"colours": 3}}}, "named[x].colours: unknown field"),
    ],
)
def test_the_field_that_does_not_fit_is_named(change, message):
    with pytest.raises(ValueError) as caught:
        from_json(KIND, {**to_json(FULL), **change})
    assert str(caught.value) == message


def test_what_is_no_object_at_all_has_no_path():
    with pytest.raises(ValueError, match=r"^expected object, got int$"):
        from_json(KIND, 3)


def test_missing_fields_have_their_defaults_unless_all_must_be_there():
    assert from_json(KIND, {"inner": {}}) == Outer(inner=Inner())
    with pytest.raises(ValueError, match=r"^inner: missing field$"):
        from_json(KIND, {})
    older = {name: value for name, value in to_json(FULL).items() if name != "newest"}
    assert from_json(KIND, older, complete=True) == FULL
    with pytest.raises(ValueError, match=r"^rate: missing field; inner\.names: missing field$"):
        from_json(KIND, {**{k: v for k, v in older.items() if k != "rate"}, "inner": {"count": 1}}, complete=True)


@pytest.mark.parametrize(
    ("change", "path"),
    [({"parts": [{"names": [], "count": 0}, {"count": 1}]}, "parts[1]"), ({"named": {"x": {"count": 1}}}, "named[x]")],
)
def test_dataclasses_in_tuples_and_mappings_must_be_complete_too(change, path):
    values = {**to_json(FULL), **change}
    with pytest.raises(ValueError) as caught:
        from_json(KIND, values, complete=True)
    assert str(caught.value) == f"{path}.names: missing field"
    whole = to_json(from_json(KIND, values))
    assert [*whole["parts"], *whole["named"].values()][-1] == {"names": (), "count": 1}


def test_defaults_that_a_file_lacks_are_written_again():
    assert to_json(from_json(KIND, {"inner": {}})) == to_json(Outer(inner=Inner()))


@pytest.mark.parametrize("text", ["", "{", "nan", "[" * 100_000, b"\xff", '{"a": NaN}'])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse(text)


def test_a_value_without_a_json_is_a_defect():
    with pytest.raises(NotImplementedError, match="object"):
        to_json({"x": object()})
