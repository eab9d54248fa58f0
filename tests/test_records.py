"""A record is to its user what a frozen dataclass is."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from torchgen_scaffold.records import field, record, replace


@record
class Point:
    """Where something is."""

    axes: ClassVar[int] = 2
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list)
    seen: str = field(default="", compare=False)


@record
class Deep(Point):
    """Below the surface."""

    z: int = 1

    def __repr__(self) -> str:
        return "deep"


def test_values_come_by_place_and_by_name() -> None:
    assert vars(Point(1, names=["a"])) == {"x": 1, "y": 0, "names": ["a"], "seen": ""}
    assert list(vars(Point(y=2, x=1))) == ["x", "y", "names", "seen"]  # in their own order
    assert vars(Deep(1, 2, [], "", 3))["z"] == 3
    assert Point.axes == 2


@pytest.mark.parametrize(
    ("places", "names"), [((), {}), ((1, 2, [], "", 5), {}), ((1,), {"x": 1}), ((1,), {"w": 1})]
)
def test_wrong_arguments_are_refused(places: tuple[object, ...], names: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="Point"):
        Point(*places, **names)  # type: ignore[arg-type]  # that is the point


def test_a_default_is_made_anew() -> None:
    assert Point(1).names is not Point(1).names


def test_it_compares_by_what_counts() -> None:
    assert Point(1, seen="here") == Point(1, seen="there")
    assert Point(1) != Point(2)
    assert Point(1) != Deep(1)
    assert Point(1) != object()


def test_it_hashes_as_it_compares() -> None:
    first, second = (replace(Deep(1), names=(), seen=seen) for seen in "ab")
    assert hash(first) == hash(second)


def test_it_stays_as_it_is() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="frozen"):
        point.x = 2  # type: ignore[misc]  # mypy says so too
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    assert replace(point, x=2) == Point(2)
    assert point == Point(1)


def test_it_is_shown_and_what_a_class_defines_stays() -> None:
    assert repr(Point(1)) == "Point(x=1, y=0, names=[], seen='')"
    assert repr(Deep(1)) == "deep"


def test_it_is_copied_and_pickled() -> None:
    assert copy.deepcopy(Point(1)) == pickle.loads(pickle.dumps(Point(1))) == Point(1)
