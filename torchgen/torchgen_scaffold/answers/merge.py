"""Flags over a file: a flag wins, and takes along what only made sense with the answer that it replaced."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from torchgen_scaffold.answers.words import TABLES
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

_TRAINING_ROWS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("loss", LOSSES),
    ("optimizer", OPTIMIZERS),
    ("schedule", SCHEDULES),
)
_FACTS = ("samples", "test_samples", "classes", "counts", "columns", "target", "resize")


def merge(file: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a torchgen.toml with those of the flags (dotted keys) over them; neither is changed."""
    merged = deepcopy(dict(file))
    model, data, training = (_table(merged, name) for name in ("model", "data", "training"))
    if "data.source" in flags and flags["data.source"] != data.get("source"):
        for name in _FACTS:
            data.pop(name, None)
        if flags["data.source"] != "synthetic":  # its facts decide the shapes and the task
            for name in ("task", "input_shape", "output_shape"):
                merged.pop(name, None)
    if flags.get("model.preset", model.get("preset")) != model.get("preset") or "model.layers" in flags:
        for name in ("preset", "layers", *(name for row in PRESETS.values() for name in row.settings)):
            model.pop(name, None)
    if "task" in flags and flags["task"] != merged.get("task"):
        _drop_row(training, "loss", LOSSES)
    for name, rows in _TRAINING_ROWS:
        if f"training.{name}" in flags and flags[f"training.{name}"] != training.get(name):
            _drop_row(training, name, rows)
    for key, value in flags.items():
        set_key(merged, key, value)
    return merged


def _table(answers: dict[str, Any], name: str) -> dict[str, Any]:
    """The table itself, so that what is taken out of it is gone from the answers too."""
    table = answers.setdefault(name, {})
    return table if isinstance(table, dict) else {}


def _drop_row(training: dict[str, Any], name: str, rows: Mapping[str, Any]) -> None:
    row = rows.get(str(training.pop(name, "")))
    for setting in row.settings if row else ():
        training.pop(setting, None)


def set_key(answers: dict[str, Any], key: str, value: Any) -> None:
    """Put `value` under a dotted key such as training.lr."""
    table, dot, name = key.partition(".")
    if dot and table in TABLES:
        answers.setdefault(table, {})[name] = value
    else:
        answers[key] = value


def parse_set(text: str) -> tuple[str, str]:
    """`training.lr=0.01` of --set as key and text. Raises SpecError."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SpecError(
            Problem(
                f"--set {text!r:.60} has no =",
                "it sets one key of torchgen.toml",
                "Type --set training.lr=0.01",
            )
        )
    return key.strip(), value.strip()
