"""Everything there is to choose from, as `torchgen options` lists it."""

from __future__ import annotations

from typing import Any

from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES


def catalogue() -> dict[str, list[dict[str, Any]]]:
    """{kind of choice: [{"name", "summary", and "settings" where it has some}]}, in the order of a menu."""
    tables: dict[str, list[dict[str, Any]]] = {
        "tasks": [_row(task.name, task.summary) for task in TASKS.values()],
        "models": [_row(row.name, row.summary, row.settings) for row in PRESETS.values()],
        "layers": [_row(layer.signature, layer.summary) for layer in LAYERS.values()],
        "losses": [_row(row.name, row.summary, row.settings) for row in LOSSES.values()],
        "optimizers": [_row(row.name, row.summary, row.settings) for row in OPTIMIZERS.values()],
        "schedules": [_row(row.name, row.summary, row.settings) for row in SCHEDULES.values()],
        "data": [_row(source.form, source.summary) for source in SOURCES.values()],
    }
    return tables


def _row(name: str, summary: str, settings: Any = None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "summary": summary}
    if settings:
        row["settings"] = {key: setting.help for key, setting in settings.items()}
    return row
