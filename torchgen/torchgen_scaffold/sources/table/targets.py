"""What the target columns allow: classes, labels or measured numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources.base import SHOWN, class_facts, class_outputs, few_classes, refuse
from torchgen_scaffold.sources.table.table import (
    FLOAT32_MAX,
    NO_NUMBER,
    Table,
    is_empty,
    number_in,
    without_gaps,
)
from torchgen_scaffold.spelling import nearest


def target_columns(names: Sequence[str], wanted: tuple[str, ...], place: str) -> tuple[str, ...]:
    """The target columns by their names. Raises SpecError that lists the columns there are."""
    if not wanted:
        raise SpecError(
            Problem(
                "which column is the target?",
                f"{place!r} has the columns {_listed(names)}",
                "Name the one to predict: --target COLUMN",
                "data.target",
                missing=True,
            )
        )
    return named_columns(names, wanted, place, "target")


def named_columns(names: Sequence[str], wanted: Sequence[str], place: str, role: str) -> tuple[str, ...]:
    """Columns that a person named, one by one or with commas between. Raises SpecError for one that is not there."""
    if len(wanted) == 1 and wanted[0].strip() not in names:
        # Several, since no column's own name has that comma.
        wanted = wanted[0].split(",")
    found = tuple(dict.fromkeys(name.strip() for name in wanted))
    unknown = [name for name in found if name not in names]
    if unknown:
        near = nearest(unknown[0], names)
        hint = f"Did you mean --{role} {near}?" if near else f"Name one of them: --{role} COLUMN"
        raise refuse(
            f"{place!r} has no column {unknown[0][:80]!r}", f"it has {_listed(names)}", hint, f"data.{role}"
        )
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")


def rows_with_targets(table: Table, targets: Sequence[str], place: str) -> list[int]:
    """The rows in which no target is missing. Raises SpecError where none is left."""
    columns = [table.column(name) for name in targets]
    missing = without_target(columns, numeric_columns(columns, table.reading.decimal))
    return some_rows([row for row, gone in enumerate(missing) if not gone], targets, place)


def some_rows(kept: list[int], targets: Sequence[str], place: str) -> list[int]:
    """The rows that have a target. Raises SpecError where there is none."""
    if not kept:
        raise refuse(
            f"the target {', '.join(targets)} of {place!r} is empty in every row",
            "a sample without a target teaches nothing",
            "Name another column: --target COLUMN",
            "data.target",
        )
    return kept


def numeric_columns(columns: Sequence[Sequence[str]], decimal: str) -> list[bool]:
    """Of each target column, whether all cells that hold something are numbers."""
    held = [without_gaps(cells) for cells in columns]
    return [bool(cells) and all(number_in(cell, decimal) is not None for cell in cells) for cells in held]


def without_target(columns: Sequence[Sequence[str]], numeric: Sequence[bool]) -> list[bool]:
    """Of each row, whether a target is missing: numbers have more words for that than words have."""
    return [
        any(
            cell.lower() in NO_NUMBER if numbers else is_empty(cell)
            for cell, numbers in zip(row, numeric, strict=True)
        )
        for row in zip(*columns, strict=True)
    ]


def target_facts(
    targets: Sequence[str],
    cells: Sequence[Sequence[str]],
    lines: Sequence[int],
    decimal: str,
    task: str | None,
) -> dict[str, Any]:
    """What the cells of the target columns allow; keys of Facts."""
    numbers = [[number_in(cell, decimal) for cell in column] for column in cells]
    measured = all(number is not None for column in numbers for number in column)
    if measured:
        _check_finite(targets, numbers, lines)
    if len(targets) > 1:
        return _several(targets, numbers, measured)
    if not measured:
        few_classes(list(cells[0]), f"the target {targets[0]!r}")
        classes, counts = class_facts(cells[0])
        return {"output_shapes": class_outputs(classes), "classes": classes, "counts": counts}
    values = [number for number in numbers[0] if number is not None]
    if not all(value.is_integer() for value in values) or task == "regression":
        return {"output_shapes": {"regression": (1,)}}
    classes, counts = class_facts([str(int(value)) for value in values])
    if not task and len(classes) > len(values) // 2:
        return {"output_shapes": {"regression": (1,)}}
    shapes: dict[str, Shape] = class_outputs(classes) | {"regression": (1,)}
    # Two values are a yes or no; a few whole numbers could be classes or counts, so that is asked.
    return {"output_shapes": shapes, "sure": len(classes) == 2, "classes": classes, "counts": counts}


def _check_finite(
    targets: Sequence[str], numbers: Sequence[Sequence[float | None]], lines: Sequence[int]
) -> None:
    for name, column in zip(targets, numbers, strict=True):
        for line, number in zip(lines, column, strict=True):
            if number is not None and not abs(number) <= FLOAT32_MAX:
                raise refuse(
                    f"the target {name!r} holds what is no finite float32 number",
                    f"line {line:,}: {number}",
                    "Mend that cell, or drop the row.",
                    "data.target",
                )


def _several(
    targets: Sequence[str], numbers: Sequence[Sequence[float | None]], measured: bool
) -> dict[str, Any]:
    if not measured:
        raise refuse(
            f"the targets {', '.join(targets[:SHOWN])} are not all numbers",
            "several targets are measured numbers (regression) or 0 and 1 (multilabel)",
            "Name one target, or write 0 and 1.",
            "data.target",
        )
    shape = (len(targets),)
    if all(number in (0.0, 1.0) for column in numbers for number in column):
        counts = tuple(sum(number == 1.0 for number in column) for column in numbers)
        shapes = {"multilabel": shape, "regression": shape}
        return {"output_shapes": shapes, "classes": tuple(targets), "counts": counts}
    return {"output_shapes": {"regression": shape}}
