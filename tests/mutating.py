"""Changes that leave a text readable: bytes changed at random seldom get past the first parser of a file or a layer."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from torchgen_scaffold.answers.words import ROWS, TABLES
from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.escape import toml_value
from torchgen_scaffold.kinds import Choice, Flag, Integer, Kind, Number, Setting, Shape
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.lists import Many
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.sources import SOURCES

# What is at the edge of some kind, or beyond all of them.
EDGES: tuple[Any, ...] = (
    *(0, 1, 2, -1, 10, 255, 2**28, 2**31 - 1, 2**31, 10**9, 10**18, 10**40, 0.5, 1.0, -0.0, 1e-300, 1e300),
    *(
        float("inf"),
        float("nan"),
        True,
        False,
        "",
        " ",
        "none",
        "balanced",
        "\x00",
        "a,b",
        "../..",
        "/",
        "ü" * 90,
    ),
    *(
        [],
        [1],
        [1, 28, 28],
        [3, 4],
        [0],
        [1.5, 2.5],
        ["a"],
        ["a", "a"],
        ["a", "b", "c"],
        [[1]],
        [""],
        {},
        {"a": 1},
    ),
    *(
        "1,28,28",
        "(3)",
        "1e5",
        "True",
        "%Y-%m-%d",
        "number",
        "category 3",
        "number gaps",
        "text 40 812",
        "yesno",
    ),
)


@cache
def keys() -> tuple[str, ...]:
    """Every key of the file, `training.lr`, and one that is none."""
    return (*settings(), "training.layers")


@cache
def settings() -> dict[str, list[Setting]]:
    """What each key may be; a key that several rows read may be several things."""
    found = {key: [setting] for key, setting in SETTINGS.items()}
    for chooser, rows in ROWS.items():
        for row in rows.values():
            for name, setting in row.settings.items():
                found.setdefault(f"{chooser.partition('.')[0]}.{name}", []).append(setting)
    return found


@cache
def words() -> tuple[str, ...]:
    """Every word that some key takes."""
    choices = [setting.kind.options for setting in SETTINGS.values() if isinstance(setting.kind, Choice)]
    rows = [tuple(rows) for rows in ROWS.values()]
    return tuple(sorted({word for options in (*choices, *rows) for word in options}))


MARKS = '-> 1,28,28 x (None,2) "same" = """ true [[ nan inf -1 1.0'


def dictionary() -> Iterator[str]:
    """What is worth trying inside a text: every name that the parsers know."""
    yield from MARKS.split()
    yield from (f"[{table}]" for table in TABLES)
    for key in settings():
        yield key.rpartition(".")[2]
    for setting in SETTINGS.values():
        yield from setting.kind.options if isinstance(setting.kind, Choice) else ()
    yield from (source.form for source in SOURCES.values())
    for layer in LAYERS.values():
        yield layer.name
        yield from (f"{parameter.name}=" for parameter in layer.parameters)


class Change:
    """One change, drawn with `seed`."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def of_toml(self, data: bytes, size: int) -> bytes | None:
        """The file with one to three keys changed; None where it is no TOML, or would be larger than `size`."""
        try:
            file = tomllib.loads(data.decode("utf-8-sig"))
            flat = _flat(file)
            for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
                self.change(flat)
            written = _written(flat).encode()
        except (
            ValueError,
            RecursionError,
            TypeError,
            SpecError,
        ):  # no TOML, or a date, or half of a character
            return None
        return written if len(written) <= size else None

    def of_layers(self, data: bytes, size: int) -> bytes | None:
        """The list with one to three items changed, doubled, dropped or put in; None where it would be larger than `size`."""
        items = data.decode("utf-8", "replace").split("->")
        for _ in range(self.draw.randint(1, 3)):
            at = self.draw.randrange(len(items) + 1)
            old = items[at : at + 1]
            ways: tuple[list[str], ...] = (
                old * 2,
                [],
                [self.layer()],
                [self.layer(), *old],
                [self.layer(), *old],
            )
            items[at : at + 1] = self.draw.choice((*ways, [self.bent(item) for item in old]))
            items = items or [self.layer()]
        written = "->".join(items).encode()
        return written if len(written) <= size else None

    def change(self, flat: dict[str, Any]) -> None:
        """Drop a key, or give one another value: its own kind's, a neighbour's, an edge."""
        key = self.draw.choice(self.draw.choice([sorted(flat) or keys(), keys()]))
        ways: Sequence[Callable[[], Any]] = (
            lambda: self.draw.choice(EDGES),
            lambda: self.draw.choice(words()),
            lambda: self.draw.choice(list(flat.values()) or [1]),
            *(lambda: self.of_kind(key),) * 4,
            lambda: [self.of_kind(key), self.of_kind(key)],
            lambda: self.bent(flat.get(key)),
            lambda: self.bent(flat.get(key)),
        )
        if key in flat and self.draw.random() < 0.15:
            del flat[key]
        else:
            flat[key] = self.draw.choice(ways)()

    def of_kind(self, key: str) -> Any:
        """A value that the key takes, most of the time."""
        if key in ROWS:
            return self.draw.choice(sorted(ROWS[key]))
        if key == "model.layers":
            return [self.layer() for _ in range(self.draw.randint(1, 6))]
        if key == "data.source":
            source = self.draw.choice(sorted(SOURCES.values(), key=lambda source: source.name))
            return source.form if self.draw.random() < 0.2 else source.form.partition(":")[0] + ":data/x.csv"
        kinds = {repr(setting.kind): setting.kind for setting in settings().get(key, ())}
        return self.inside(kinds[self.draw.choice(sorted(kinds))]) if kinds else 1

    def inside(self, kind: Kind) -> Any:
        """A value of a kind."""
        if isinstance(kind, Choice):
            return self.draw.choice(list(kind.options))
        if isinstance(kind, Integer):
            return min(kind.high, kind.low + self.draw.choice((0, 1, 2, 7, 100)))
        if isinstance(kind, Number):
            return min(kind.high, kind.low + self.draw.choice((0.0, 0.1, 0.5, 0.9, 3.0)))
        if isinstance(kind, Flag):
            return self.draw.random() < 0.5
        if isinstance(kind, Shape):
            return [self.draw.choice((1, 2, 3, 8, 28, 50)) for _ in range(self.draw.randint(1, 4))]
        if isinstance(kind, Many):
            return [self.inside(kind.item) for _ in range(self.draw.randint(1, 4))]
        return self.draw.choice(("none", "balanced", "a", "price"))

    def layer(self) -> str:
        """A layer with arguments that it may take."""
        layer = LAYERS[self.draw.choice(sorted(LAYERS))]
        given = [str(self.draw.choice((1, 2, 3, 4, 8))) for p in layer.parameters if "=" not in str(p)]
        options = [p for p in layer.parameters if "=" in str(p)]
        for parameter in self.draw.sample(options, min(len(options), self.draw.randint(0, 2))):
            value = self.draw.choice((0, 1, 2, 3, 0.5, True, False, None, "same", (1, 2), (3,)))
            given.append(f"{parameter.name}={value!r}")
        return f"{layer.name}({', '.join(given)})" if given else layer.name

    def bent(self, value: Any) -> Any:
        """The value, nearly."""
        if isinstance(value, bool):
            return not value
        if isinstance(value, (int, float)):
            return self.draw.choice(
                (value + 1, value - 1, value * 2, -value, str(value), [value], float(value))
            )
        if isinstance(value, str):
            at = self.draw.randint(0, len(value))
            return value[:at] + self.draw.choice(("", "x", " ", ",", ":", "\n", "é", "2")) + value[at + 1 :]
        if isinstance(value, list) and value:
            at = self.draw.randrange(len(value))
            item = self.draw.choice((value[:at], [value[at]] * 2, [self.bent(value[at])], [self.layer()]))
            return value[:at] + item + value[at + 1 :]
        return self.draw.choice(EDGES)


def _flat(file: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in file.items():
        if isinstance(value, dict):
            found |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            found[key] = value
    return found


def _written(flat: dict[str, Any]) -> str:
    """TOML again: keys of the top first, each table once."""
    tables: dict[str, list[str]] = {"": []}
    for key, value in flat.items():
        table, _, name = key.rpartition(".")
        tables.setdefault(table, []).append(f"{toml_value(name)} = {toml_value(value)}")
    return "\n".join(
        line
        for table, lines in tables.items()
        for line in ([f"[{toml_value(table)}]"] if table else []) + lines
    )
