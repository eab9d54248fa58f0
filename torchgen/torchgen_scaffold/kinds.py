"""What a setting may be: one small class a kind (those that hold several values are in lists.py), which reads it from a flag's text or from TOML.

`read` returns the value or raises ValueError, whose message says what would be right. The same object checks an
answer as it is typed at a prompt, a flag, `--set`, and a key of torchgen.toml. `schema` says to other programs what
`read` takes, as JSON Schema; a number that is written as text is checked there for its form, and not for its size.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection
from typing import Any, ClassVar, Protocol

from torchgen_scaffold.records import record
from torchgen_scaffold.shapes import SHAPE_SCHEMA, parse_shape

Schema = dict[str, Any]

# How numbers look as text. Forty digits are more than any setting takes, and int() of a megabyte of them is slow.
_DIGITS = "[0-9](?:_?[0-9]){0,39}"
_WHOLE = f"[+-]?{_DIGITS}"
_DECIMAL = rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?[0-9]{{1,4}})?"


def _text(pattern: str) -> Schema:
    """The schema of a text of this form, with any space around it."""
    return {"type": "string", "pattern": rf"^\s*{pattern}\s*$"}


class Kind(Protocol):
    """How the value of one setting is read and described."""

    @property
    def says(self) -> str:
        """What would be right, in a few words."""

    @property
    def metavar(self) -> str:
        """What stands for the value in a flag's help: `SHAPE`."""

    @property
    def schema(self) -> Schema:
        """What `read` takes, as JSON Schema."""

    def read(self, value: object) -> Any:
        """The value as torchgen keeps it; ValueError says what would be right."""


@record
class Integer:
    """A whole number from `low` to `high`."""

    metavar: ClassVar[str] = "N"
    form: ClassVar[str] = _WHOLE  # of its text
    low: int
    high: int = 2**31 - 1

    @property
    def says(self) -> str:
        """What would be right."""
        return f"a whole number from {self.low} to {self.high:,}"

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        return {"anyOf": [self.number, _text(self.form)]}

    @property
    def number(self) -> Schema:
        """The same, of numbers alone."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def read(self, value: object) -> int:
        """An int; text of digits is taken too, and 10.0, which is 10 wherever numbers are of one kind."""
        if isinstance(value, str) and re.fullmatch(self.form, value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(f"it is {self.says}")
        return value


@record
class Number:
    """A finite number from `low` to `high`; `above` leaves `low` itself out."""

    metavar: ClassVar[str] = "X"
    form: ClassVar[str] = _DECIMAL  # of its text
    low: float
    high: float = math.inf
    above: bool = False

    @property
    def says(self) -> str:
        """What would be right."""
        if self.high == math.inf:
            return f"a number above {self.low:g}" if self.above else f"a number of at least {self.low:g}"
        if self.above:
            return f"a number above {self.low:g}, at most {self.high:g}"
        return f"a number from {self.low:g} to {self.high:g}"

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        return {"anyOf": [self.number, _text(self.form)]}

    @property
    def number(self) -> Schema:
        """The same, of numbers alone; `not` turns nan away, which is neither below `low` nor above it."""
        least = {"exclusiveMinimum" if self.above else "minimum": self.low}
        most = {"maximum": min(self.high, sys.float_info.max)}
        return {"type": "number", **least, **most, "not": {"exclusiveMaximum": self.low}}

    def read(self, value: object) -> float:
        """A float; text such as 3e-4 is taken too."""
        if isinstance(value, str) and re.fullmatch(self.form, value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"it is {self.says}")
        try:
            value = float(value)
        except OverflowError:  # a whole number of hundreds of digits
            value = math.inf
        if (
            not math.isfinite(value)
            or not self.low <= value <= self.high
            or (self.above and value == self.low)
        ):
            raise ValueError(f"it is {self.says}")
        return value


@record
class Flag:
    """Yes or no."""

    metavar: ClassVar[str] = ""
    says: str = "true or false"

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        words = ("".join(f"[{char.upper()}{char}]" for char in word) for word in _WORDS)
        return {"anyOf": [{"type": "boolean"}, _text(f"(?:{'|'.join(words)})")]}

    def read(self, value: object) -> bool:
        """A bool; the words true, false, yes and no are taken too."""
        if isinstance(value, str) and value.strip().lower() in _WORDS:
            return _WORDS[value.strip().lower()]
        if not isinstance(value, bool):
            raise ValueError(f"it is {self.says}")
        return value


_WORDS = {"true": True, "yes": True, "false": False, "no": False}


@record
class Choice:
    """One of a few words; a registry's are its names, plug-ins' too, looked up when they are needed."""

    metavar: ClassVar[str] = "WORD"
    options: Collection[str]

    @property
    def says(self) -> str:
        """What would be right."""
        return "one of " + ", ".join(self.options)

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        return {"enum": list(self.options)}

    def read(self, value: object) -> str:
        """The word, exactly as it is listed."""
        if isinstance(value, str) and value in self.options:
            return value
        raise ValueError(f"it is {self.says}")


@record
class Text:
    """A piece of text that a person chose: a name, a path, a column."""

    says: str = "text"
    limit: int = 4096  # as long as a path may be
    metavar: str = "TEXT"

    @property
    def schema(self) -> Schema:
        """What `read` takes, of what a file can hold."""
        return {"type": "string", "minLength": 1, "maxLength": self.limit}

    def read(self, value: object) -> str:
        """The text as it is; what it may hold is checked where it is used."""
        if not isinstance(value, str) or not value:
            raise ValueError(f"it is {self.says}")
        if len(value) > self.limit:
            raise ValueError(f"it has {len(value):,} characters, and the most is {self.limit:,}")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("it has half of a character (a lone surrogate), which no file can hold")
        return value


@record
class Shape:
    """Sizes without the batch: 1,28,28."""

    metavar: ClassVar[str] = "SHAPE"
    says: str = "whole numbers such as 1,28,28"

    @property
    def schema(self) -> Schema:
        """What `read` takes, but for how many numbers there are in all."""
        return SHAPE_SCHEMA

    def read(self, value: object) -> tuple[int, ...]:
        """A tuple of positive ints."""
        return parse_shape(value)


@record
class Setting:
    """One thing that a spec can say: what it may be, what it is when nothing is said, and why.

    A preset, loss, optimizer or schedule declares the settings that it alone reads; spec.py declares the rest.
    `default` is None where it follows from the other answers. `argument` is torch's name, where it differs.
    """

    kind: Kind
    help: str
    default: Any = None
    flag: str = ""
    argument: str = ""
