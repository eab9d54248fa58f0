"""What a setting may be: one small class a kind, which reads it from a flag's text or from TOML.

`read` returns the value or raises ValueError, whose message says what would be right. The same object checks an
answer as it is typed at a prompt, a flag, `--set`, and a key of torchgen.toml.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from typing import Any, ClassVar, Protocol

from torchgen_scaffold.records import record
from torchgen_scaffold.shapes import parse_shape


class Kind(Protocol):
    """How the value of one setting is read and described."""

    @property
    def says(self) -> str:
        """What would be right, in a few words."""

    @property
    def metavar(self) -> str:
        """What stands for the value in a flag's help: `SHAPE`."""

    def read(self, value: object) -> Any:
        """The value as torchgen keeps it; ValueError says what would be right."""


@record
class Integer:
    """A whole number from `low` to `high`."""

    metavar: ClassVar[str] = "N"
    low: int
    high: int = 2**31 - 1

    @property
    def says(self) -> str:
        """What would be right."""
        return f"a whole number from {self.low} to {self.high:,}"

    def read(self, value: object) -> int:
        """An int; text of digits is taken too."""
        if isinstance(value, str) and len(value) < 20:
            with suppress(ValueError):
                value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(f"it is {self.says}")
        return value


@record
class Number:
    """A finite number from `low` to `high`; `above` leaves `low` itself out."""

    metavar: ClassVar[str] = "X"
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

    def read(self, value: object) -> float:
        """A float; text such as 3e-4 is taken too."""
        if isinstance(value, str) and len(value) < 40:
            with suppress(ValueError):
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

    def read(self, value: object) -> bool:
        """A bool; the words true, false, yes and no are taken too."""
        words = {"true": True, "yes": True, "false": False, "no": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        if not isinstance(value, bool):
            raise ValueError(f"it is {self.says}")
        return value


@record
class Choice:
    """One of a few words; a registry's are its names, plug-ins' too, looked up when they are needed."""

    metavar: ClassVar[str] = "WORD"
    options: Collection[str]

    @property
    def says(self) -> str:
        """What would be right."""
        return "one of " + ", ".join(self.options)

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

    def read(self, value: object) -> tuple[int, ...]:
        """A tuple of positive ints."""
        return parse_shape(value)


@record
class Many:
    """A list of one kind; from a flag, separated by commas."""

    metavar: ClassVar[str] = "LIST"
    item: Integer | Number | Text
    limit: int = 1000

    @property
    def says(self) -> str:
        """What would be right."""
        return f"a list, each {self.item.says}"

    def read(self, value: object) -> tuple[Any, ...]:
        """A tuple of at most `limit` items."""
        if isinstance(value, str):
            value = [part.strip() for part in value.strip("[]()").split(",") if part.strip()]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = [value]
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError(f"it is {self.says}")
        if len(value) > self.limit:
            raise ValueError(f"it has {len(value):,} items, and the most is {self.limit:,}")
        return tuple(self.item.read(part) for part in value)


@record
class Columns:
    """One column, or several; text with commas stays whole, since a column's own name may hold them."""

    metavar: ClassVar[str] = "COLUMN"
    says: str = "a column's name, or several with commas between"

    def read(self, value: object) -> tuple[str, ...]:
        """A tuple of names."""
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, (list, tuple)) or not names or len(names) > 1000:
            raise ValueError(f"it is {self.says}")
        return tuple(Text(self.says).read(name) for name in names)


@record
class Weights:
    """`none`, `balanced`, or the weights themselves."""

    metavar: ClassVar[str] = "WEIGHTS"
    says: str = "none, balanced, or numbers above 0 such as 1,2.5"

    def read(self, value: object) -> str | tuple[float, ...]:
        """The word, or a tuple of floats."""
        if value in ("none", "balanced"):
            return str(value)
        try:
            weights: tuple[float, ...] = Many(Number(0, above=True), limit=100_000).read(value)
        except ValueError:
            weights = ()
        if not weights:
            raise ValueError(f"it is {self.says}")
        return weights


@record
class Layers:
    """A list of layers as --layers takes it, or a TOML list of its items."""

    metavar: ClassVar[str] = "LAYERS"
    says: str = 'layers such as "conv(32, 3) -> relu -> maxpool(2)"'

    def read(self, value: object) -> str:
        """The text, items joined by ` -> `; the parser of layers checks it."""
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
            value = " -> ".join(value)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"it is {self.says}")
        return value


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
