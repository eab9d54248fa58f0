"""The arguments of a layer: what torch's constructor takes, by name, and how a call is bound to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from torchgen_scaffold.records import record
from torchgen_scaffold.spelling import nearest

Value: TypeAlias = int | float | bool | str | None | tuple["int | None", ...]


class Misfit(Exception):
    """A layer cannot work with its arguments, or on the signal that reaches it: why, and what would work instead."""

    def __init__(self, why: str, instead: str = "") -> None:
        self.why, self.instead = why, instead
        super().__init__(why)


@record
class Accepts:
    """A kind of value: a sentence for people, and the check. `check` gets a value and says whether it will do."""

    says: str
    check: Callable[[Value], bool]


REQUIRED = object()


@record
class Parameter:
    """One argument of a layer, with torch's name and default; `accepts` says what it may be."""

    name: str
    accepts: Accepts
    default: object = REQUIRED
    by_name: bool = False  # it cannot be given by its place

    def __str__(self) -> str:
        """As a signature shows it: `stride=1`."""
        return self.name if self.default is REQUIRED else f"{self.name}={self.default!r}"


def _whole(value: Value, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _integer(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _sizes(value: Value, low: int, none: bool = False) -> bool:
    if isinstance(value, tuple):
        return 0 < len(value) <= 3 and all((none and part is None) or _whole(part, low) for part in value)
    return _whole(value, low) or (none and value is None)


def _number(value: Value, low: float = -math.inf, high: float = math.inf) -> bool:
    """A finite number from low to high; a bool is none, though Python counts it as one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return low <= value <= high and abs(value) < math.inf


def _above_zero(value: Value) -> bool:
    return _number(value, 0) and value != 0


COUNT = Accepts("a whole number of at least 1", lambda value: _whole(value, 1))
WHOLE = Accepts("a whole number", _integer)
WHOLE_OR_NONE = Accepts("a whole number, or None", lambda value: value is None or _integer(value))
NOT_ZERO_OR_NONE = Accepts(
    "a whole number other than 0, or None", lambda value: value is None or (_integer(value) and value != 0)
)
NOT_NEGATIVE = Accepts("a whole number of at least 0", lambda value: _whole(value, 0))
SIZES = Accepts("a whole number of at least 1, or one for each axis", lambda value: _sizes(value, 1))
SIZES_OR_NONE = Accepts(
    "a whole number of at least 1, one for each axis, or None",
    lambda value: value is None or _sizes(value, 1),
)
EDGES = Accepts("a whole number of at least 0, or one for each axis", lambda value: _sizes(value, 0))
OUTPUT_SIZES = Accepts(
    "a whole number of at least 1, or one for each axis, None to keep it",
    lambda value: _sizes(value, 1, none=True),
)
PADDING = Accepts(
    'a whole number of at least 0, one for each axis, "same" or "valid"',
    lambda value: value in ("same", "valid") or _sizes(value, 0),
)
YES_OR_NO = Accepts("True or False", lambda value: isinstance(value, bool))
NUMBER = Accepts("a number", _number)
NUMBER_OR_NONE = Accepts("a number, or None", lambda value: value is None or _number(value))
NOT_ZERO = Accepts("a number other than 0", lambda value: _number(value) and value != 0)
POSITIVE = Accepts("a number above 0", _above_zero)
POSITIVE_OR_NONE = Accepts("a number above 0, or None", lambda value: value is None or _above_zero(value))
SHARE = Accepts("a number from 0 to 1", lambda value: _number(value, 0, 1))


def one_of(*words: str) -> Accepts:
    """One of a few words."""
    return Accepts("one of " + ", ".join(repr(word) for word in words), lambda value: value in words)


def bind(
    parameters: Sequence[Parameter], signature: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> dict[str, Value]:
    """The arguments that were given, by torch's names, in the order they were written.

    Raises Misfit with every argument that is unknown, missing, given twice or of the wrong kind.
    """
    known = {parameter.name: parameter for parameter in parameters}
    by_place = [parameter.name for parameter in parameters if not parameter.by_name]
    given = dict(zip(by_place, args, strict=False))
    wrong = [] if len(args) <= len(by_place) else [f"it takes {_most(len(by_place))}, not {len(args)}"]
    hint = ""
    for name, value in kwargs.items():
        if name in given and name in known:
            wrong.append(f"{name} is given twice")
        elif name not in known:
            wrong.append(f"it has no argument {name[:40]!r}")
            near = nearest(name, tuple(known))
            hint = hint or (f"Did you mean {near}? " if near else "")
        else:
            given[name] = value
    missing = [p.name for p in parameters if p.default is REQUIRED and p.name not in given]
    if missing:
        wrong.append(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    for name, value in given.items():
        if not known[name].accepts.check(value):
            wrong.append(f"{name} must be {known[name].accepts.says}, not {_short(value)}")
    if wrong:
        raise Misfit("; ".join(wrong), f"{hint}Write {signature}.")
    return given


def _most(count: int) -> str:
    return {0: "no arguments", 1: "at most 1 argument by its place"}.get(
        count, f"at most {count} arguments by their place"
    )


def _short(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def complete(parameters: Sequence[Parameter], given: Mapping[str, Value]) -> dict[str, Value]:
    """`given` with torch's defaults for the rest."""
    defaults = {p.name: p.default for p in parameters if p.default is not REQUIRED}
    return {**defaults, **given}  # type: ignore[dict-item]
