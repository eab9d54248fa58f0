"""Flags over a file: a flag wins, and takes along what only made sense with the answer that it replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchgen_scaffold.answers.words import ROWS, TABLES
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.training import LOSSES

# What a file records of its data, so that the data need not be read again.
_READING = ("data.separator", "data.encoding", "data.decimal", "data.header")
_FACTS = (
    *(
        "data.samples",
        "data.test_samples",
        "data.val_samples",
        "data.classes",
        "data.counts",
        "data.columns",
        "data.kinds",
    ),
    *("data.time_format", "data.skipped"),
    *_READING,
)
# What no longer holds once the data is asked another question: its facts, and what followed from them.
_FOLLOWS = {
    "data.source": (
        *_FACTS,
        "data.target",
        "data.drop",
        "data.group",
        "data.time",
        "data.resize",
        "task",
        "input_shape",
        "output_shape",
    ),
    "data.target": (*_FACTS, "task", "input_shape", "output_shape"),
    "data.drop": (*_FACTS, "input_shape"),
    "data.group": (*_FACTS, "input_shape"),
    "data.time": (*_FACTS, "input_shape"),
    "data.resize": (*_FACTS, "input_shape"),
    "task": (*_FACTS, "output_shape"),
    "input_shape": _FACTS,
    "output_shape": _FACTS,
    "model.vocab_size": _FACTS,
}


def merge(file: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a torchgen.toml with those of the flags (dotted keys) over them; neither is changed."""
    merged = {key: dict(value) if isinstance(value, Mapping) else value for key, value in file.items()}
    model, training = (_table(merged, name) for name in ("model", "training"))
    _drop_facts(merged, file, flags)
    preset = model.get("preset")
    if flags.get("model.preset", preset) != preset or "model.layers" in flags:
        for name in ("preset", "layers", *(name for row in PRESETS.values() for name in row.settings)):
            model.pop(name, None)
    if _changes(file, flags, "task"):
        _drop_row(training, "loss", LOSSES)
    for key, rows in ROWS.items():
        table, _, name = key.partition(".")
        if table == "training" and key in flags and flags[key] != training.get(name):
            _drop_row(training, name, rows)
    for key, value in flags.items():
        set_key(merged, key, value)
    return merged


def _drop_facts(merged: dict[str, Any], file: Mapping[str, Any], flags: Mapping[str, Any]) -> None:
    """Take out what the flags make untrue; made data has no facts but the shapes that it was asked for."""
    source = flags.get("data.source", look(file, "data.source") or "synthetic")
    for key, followers in _FOLLOWS.items():
        if not _changes(file, flags, key):
            continue
        kept: tuple[str, ...] = ("task", "input_shape", "output_shape") if source == "synthetic" else ()
        # The samples of made data are a wish, not a fact.
        kept += ("data.samples",) if source == "synthetic" and key != "data.source" else ()
        for name in followers:
            if name not in kept:
                table, dot, last = name.rpartition(".")
                (_table(merged, table) if dot else merged).pop(last, None)


def _changes(file: Mapping[str, Any], flags: Mapping[str, Any], key: str) -> bool:
    """Whether a flag says something else than the file does, however each of them spells it."""
    if key not in flags:
        return False
    given, before = (_read(key, value) for value in (flags[key], look(file, key)))
    return bool(given != before)


def look(answers: Mapping[str, Any], key: str) -> Any:
    """What the answers hold under a dotted key, or None."""
    table, dot, name = key.rpartition(".")
    inside = answers.get(table, {}) if dot else answers
    return inside.get(name) if isinstance(inside, Mapping) else None


def _read(key: str, value: Any) -> Any:
    try:
        return SETTINGS[key].kind.read(value)
    except ValueError:
        return value


def _table(answers: dict[str, Any], name: str) -> dict[str, Any]:
    """The table itself, so that what is taken out of it is gone from the answers too."""
    table = answers.setdefault(name, {})
    return table if isinstance(table, dict) else {}


def _drop_row(training: dict[str, Any], name: str, rows: Mapping[str, Any]) -> None:
    before = training.pop(name, None)
    row = rows.get(before) if isinstance(before, str) else None
    for setting in row.settings if row else ():
        training.pop(setting, None)


def set_key(answers: dict[str, Any], key: str, value: Any) -> None:
    """Put `value` under a dotted key such as training.lr; where no table stands there, that is told later."""
    table, dot, name = key.partition(".")
    if not dot or table not in TABLES:
        answers[key] = value
    elif isinstance(answers.setdefault(table, {}), dict):
        answers[table][name] = value


def parse_set(text: str) -> tuple[str, str]:
    """`training.lr=0.01` of --set as key and text. Raises SpecError."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SpecError(
            Problem(
                f"--set {text[:60]!r} {'has no key before its =' if equals else 'has no ='}",
                "it sets one key of torchgen.toml",
                "Type --set training.lr=0.01, say.",
            )
        )
    return key.strip(), value.strip()
