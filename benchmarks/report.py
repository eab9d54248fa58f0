"""What a measurement gives: rows of numbers in groups, their medians and their ratios, as JSON and back."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One thing measured: its name and every value of it, in the unit of its group.

    `x` is where it stands on the axis of a group that grows (rows, layers, projects); None beside alternatives.
    """

    name: str
    values: Sequence[float]
    x: float | None = None

    @property
    def median(self) -> float:
        """The middle one of the values; NaN never occurs, because a row has at least one."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Group:
    """Rows that may be compared: the same unit, the same work, the same run.

    `unit` is "s" (seconds), "ms" (milliseconds) or "MiB". `against` names the rows that the others are divided by;
    a name that is not among the rows (a library that is not installed) gives no ratio. `axis` says what `x` counts.
    """

    title: str
    unit: str
    rows: Sequence[Row]
    against: Sequence[str] = ()
    axis: str = ""

    def ratios(self, row: Row) -> dict[str, float]:
        """{other row: median of `row` divided by the other's}, for those that it is compared with."""
        medians = {other.name: other.median for other in self.rows}
        return {name: row.median / medians[name] for name in self.against if medians.get(name)}


@dataclass(frozen=True)
class Report:
    """One run of one benchmark: what was typed, on which machine, and what came out."""

    name: str
    command: str
    machine: Mapping[str, str | int]
    groups: Sequence[Group]
    notes: Sequence[str] = field(default=())

    def to_json(self) -> str:
        """One JSON document; medians and ratios stand in it for readers, and are worked out again when it is read."""
        document = asdict(self)
        for group, told in zip(self.groups, document["groups"], strict=True):
            for row, line in zip(group.rows, told["rows"], strict=True):
                line["median"] = row.median
                line["ratios"] = group.ratios(row)
        return json.dumps(document, indent=2)


def from_json(text: str) -> Report:
    """The report that `Report.to_json` wrote."""
    told: dict[str, Any] = json.loads(text)
    groups = [
        Group(**{**group, "rows": [Row(row["name"], row["values"], row["x"]) for row in group["rows"]]})
        for group in told["groups"]
    ]
    return Report(**{**told, "groups": groups})


def read(path: Path) -> Report:
    """The report in a file."""
    return from_json(path.read_text(encoding="utf-8"))
