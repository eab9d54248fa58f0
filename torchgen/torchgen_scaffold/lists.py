"""Kinds of settings that hold several values: lists, columns, weights, layers; see kinds.py."""

from __future__ import annotations

from typing import Any, ClassVar

from torchgen_scaffold.kinds import Integer, Number, Schema, Text
from torchgen_scaffold.records import record
from torchgen_scaffold.shapes import unbracketed


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

    @property
    def schema(self) -> Schema:
        """What `read` takes; of a text, its form."""
        several = {"type": "array", "minItems": 1, "maxItems": self.limit, "items": self.item.schema}
        if isinstance(self.item, Text):
            nothing = {"pattern": r"^\s*(?:\([\s,]*\)|\[[\s,]*\])\s*$"}
            return {"anyOf": [several, {"type": "string", "pattern": r"[^\s,]", "not": nothing}]}
        text = {"type": "string", "pattern": _list_text(self.item.form)}
        return {"anyOf": [several, self.item.number, text]}

    def read(self, value: object) -> tuple[Any, ...]:
        """A tuple of at most `limit` items."""
        if isinstance(value, str):
            value = [part.strip() for part in unbracketed(value).split(",") if part.strip()]
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

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        name = Text(self.says).schema
        return {"anyOf": [name, {"type": "array", "minItems": 1, "maxItems": 1000, "items": name}]}

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

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        return {"anyOf": [{"enum": ["none", "balanced"]}, *_WEIGHTS.schema["anyOf"]]}

    def read(self, value: object) -> str | tuple[float, ...]:
        """The word, or a tuple of floats."""
        if value in ("none", "balanced"):
            return str(value)
        try:
            weights: tuple[float, ...] = _WEIGHTS.read(value)
        except ValueError:
            weights = ()
        if not weights:
            raise ValueError(f"it is {self.says}")
        return weights


_WEIGHTS = Many(Number(0, above=True), limit=100_000)


@record
class Layers:
    """A list of layers as --layers takes it, or a TOML list of its items."""

    metavar: ClassVar[str] = "LAYERS"
    says: str = 'layers such as "conv(32, 3) -> relu -> maxpool(2)"'

    @property
    def schema(self) -> Schema:
        """What `read` takes."""
        written = {"type": "string", "pattern": r"\S"}
        return {"anyOf": [{"type": "array", "minItems": 1, "items": written}, written]}

    def read(self, value: object) -> str:
        """The text, items joined by ` -> `; the parser of layers checks it."""
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) and item.strip() for item in value):
            value = " -> ".join(value)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"it is {self.says}")
        return value


def _list_text(item: str) -> str:
    """The form of a list as text: items of one form with commas between, in brackets or not."""
    items = rf"[\s,]*{item}(?:\s*,[\s,]*{item})*[\s,]*"
    return rf"^(?:{items}|\s*\({items}\)\s*|\s*\[{items}\]\s*)$"
