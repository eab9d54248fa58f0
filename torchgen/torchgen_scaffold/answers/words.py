"""The words themselves: which keys there are, and what each value may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.kinds import Choice, Flag, Integer, Number, Setting, Shape
from torchgen_scaffold.lists import Many
from torchgen_scaffold.presets import PRESETS, Preset
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.spelling import nearest
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES, Loss, Optimizer, Schedule

TABLES = ("model", "data", "training", "project")
# Where a row is chosen, and from which: what only some rows read stands in the same table.
ROWS: Mapping[str, Mapping[str, Preset | Loss | Optimizer | Schedule]] = {
    "model.preset": PRESETS,
    "training.loss": LOSSES,
    "training.optimizer": OPTIMIZERS,
    "training.schedule": SCHEDULES,
}


def row_settings() -> dict[str, list[str]]:
    """The keys that only some rows read, each with the names of those rows: {"training.momentum": ["sgd", …]}."""
    owners: dict[str, list[str]] = {}
    for chooser, rows in ROWS.items():
        for row in rows.values():
            for name in row.settings:
                owners.setdefault(f"{chooser.partition('.')[0]}.{name}", []).append(row.name)
    return owners


class Answers:
    """What was given, read key by key, and the problems found so far."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.problems: list[Problem] = []
        self.values: dict[str, Any] = {}  # dotted key -> value as its kind reads it
        self.raw: dict[str, Any] = {}  # keys of one row, read once the row is known
        owners = row_settings()
        for key, value in self._flat(given):
            if key in SETTINGS:
                self._read(key, SETTINGS[key], value)
            elif key in owners:
                self.raw[key] = value
            else:
                self.problems.append(unknown(key, [*SETTINGS, *owners]))

    def get(self, key: str) -> Any:
        """The value that was given for `key`, or the default of its setting (None where there is none)."""
        return self.values.get(key, SETTINGS[key].default)

    def wrong(self, what: str, why: str = "", instead: str = "", key: str = "") -> None:
        """Note one problem and go on, so that all of them are reported together."""
        self.problems.append(Problem(what, why, instead, key))

    def wrong_in(self, *names: str) -> bool:
        """Whether one of these keys, or of these tables, was wrong: what is said of its followers would be an echo."""
        wrong = {problem.key for problem in self.problems if problem.key in SETTINGS or problem.key in TABLES}
        return any(key in names or key.partition(".")[0] in names for key in wrong)

    def missing(self, key: str, why: str = "", instead: str = "") -> None:
        """Note that an answer is needed which was not given."""
        setting = SETTINGS[key]
        example = isinstance(setting.kind, Shape) and _instead(key, setting)
        shown = instead or example or f"Give {setting.flag or f'--set {key}=…'}: {setting.kind.says}."
        self.problems.append(Problem(f"{key.split('.')[-1]} is missing", why, shown, key, missing=True))

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Turn a SpecError raised inside into noted problems."""
        try:
            yield
        except SpecError as error:
            self.problems.extend(error.problems)

    def of_row(self, table: str, settings: Mapping[str, Setting]) -> dict[str, Any]:
        """The settings that one row reads, given or default; takes them out of `raw`."""
        found = {}
        for name, setting in settings.items():
            key = f"{table}.{name}"
            if key in self.raw:
                self._read(key, setting, self.raw.pop(key))
            found[name] = self.values.get(key, setting.default)
        return found

    def leftovers(self, table: str, chosen: str) -> None:
        """Every key of `table` still in `raw` belongs to rows that were not chosen: say so."""
        owners = row_settings()
        for key in [key for key in self.raw if key.startswith(f"{table}.")]:
            del self.raw[key]
            readers = ", ".join(dict.fromkeys(owners[key]))
            self.wrong(
                f"{key} does nothing here", f"it belongs to {readers}; this is {chosen}", f"Drop {key}.", key
            )

    def _read(self, key: str, setting: Setting, value: Any) -> None:
        try:
            self.values[key] = setting.kind.read(value)
        except ValueError as error:
            name = f"{setting.flag} ({key})" if setting.flag else key
            self.wrong(f"{name} cannot be {_shown(value)}", str(error), _instead(key, setting, value), key)

    def _flat(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in given.items():
            if key in TABLES:
                if isinstance(value, Mapping):
                    yield from ((f"{key}.{name}", inner) for name, inner in value.items())
                else:
                    self.wrong(
                        f"{key} is a table",
                        f"it was given as {_shown(value)}",
                        f"Write [{key}] above its keys.",
                        key,
                    )
            elif (inside := str(key).partition("."))[0] in TABLES:
                self.wrong(
                    f"there is no setting {str(key)[:80]!r} at the top",
                    "in quotes, a dot is a part of the name",
                    f"Write {inside[2][:80]} under [{inside[0]}].",
                )
            else:
                yield str(key), value


def unknown(key: str, known: Sequence[str]) -> Problem:
    """What to say of a key that is none of the known ones: the nearest of them."""
    last = key.rsplit(".", 1)[-1]
    near = nearest(key, known) or next((name for name in known if name.rsplit(".", 1)[-1] == last), None)
    hint = f"Did you mean {near}?" if near else "`torchgen options` lists every key."
    return Problem(f"there is no setting {key[:80]!r}", "", hint, key)


def _shown(value: object) -> str:
    """The value as a message can hold it, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return "a value that is far too large"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _instead(key: str, setting: Setting, value: object = None) -> str:
    """What to type for a setting: the word that was meant, an example, or the default."""
    if (
        isinstance(setting.kind, Choice)
        and isinstance(value, str)
        and (near := nearest(value, setting.kind.options))
    ):
        return (
            f"Did you mean {near}? Give {setting.flag} {near}."
            if setting.flag
            else f"Give --set {key}={near}."
        )
    example = _EXAMPLES.get(key) or setting.default
    if example is None and isinstance(setting.kind, Choice):
        example = next(iter(setting.kind.options))
    if example is None or example == ():
        examples = {Integer: "10", Number: "0.1", Shape: "1,28,28", Many: "32,64", Flag: "true"}
        example = examples.get(type(setting.kind))
    if isinstance(example, tuple):
        example = ",".join(map(str, example))
    if isinstance(example, bool):
        example = "true"
    if example is None:  # a name of the user's own, or a fact of data
        return f"Give {setting.flag} {setting.kind.metavar}." if setting.flag else f"Drop {key}."
    if isinstance(setting.kind, Flag) and setting.flag:
        return f"Give {setting.flag}, or leave it out."
    return f"Give {setting.flag} {example}, say." if setting.flag else f"Give --set {key}={example}, say."


_EXAMPLES = {
    "name": "digits",
    "output_shape": "10",
    "model.layers": '"conv(32, 3) -> relu -> maxpool(2)"',
    "data.source": "sklearn:digits",
    "data.target": "COLUMN",
    "data.resize": "64,64",
    "training.lr": "0.001",
    "training.clip_norm": "1",
}


MOST_BYTES = 2**24  # a hundred thousand names of classes fit in a tenth of it
_MOST_DOTS = 8  # in a key; the deepest one that means something has one
# Texts and comments, one that is not closed up to the end: what is left holds no dots but those of keys and numbers.
_TEXTS = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
_DOTTED = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{_MOST_DOTS + 1}}}")


def read_toml(path: Path, instead: str = "Give the path of a torchgen.toml: --config FILE") -> dict[str, Any]:
    """The tables of a torchgen.toml. Raises SpecError where it is missing (`instead` is what to type) or malformed."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)  # /dev/zero has no end
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half of a character
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SpecError(Problem(f"cannot read {str(path)!r}", reason, instead)) from error
    if len(content) > MOST_BYTES:
        why = f"it has more than {MOST_BYTES // 2**20} MiB"
        raise SpecError(Problem(f"{str(path)!r} is too large", why, instead))
    return parse_toml(content, str(path))


def parse_toml(content: bytes, called: str) -> dict[str, Any]:
    """The tables of a file's bytes; `called` is its path, for the message. Raises SpecError where they are no TOML."""
    import tomllib  # here: most requests bring no file

    try:
        text = content.decode("utf-8-sig")
        # tomllib takes seconds for a key of thousands of parts, and the square of that for twice as many.
        if _DOTTED.search(_TEXTS.sub("0", text)):
            raise ValueError(f"a key has more than {_MOST_DOTS} dots")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or a number of thousands of digits
        raise SpecError(
            Problem(
                f"{called!r} is not valid TOML",
                str(error),
                "Mend that line, or start from a generated file.",
            )
        ) from error
