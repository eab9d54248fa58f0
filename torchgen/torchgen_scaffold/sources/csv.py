"""A table of numbers in a CSV file: one row a sample, the target in a column (or several)."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources.base import (
    Facts,
    Request,
    Source,
    class_facts,
    class_outputs,
    existing,
    refuse,
)
from torchgen_scaffold.spelling import nearest

SHOWN = 5  # problems named one by one before they are only counted


class Csv(Source):
    """`csv:PATH --target COLUMN`: numbers, comma-separated, with a header row."""

    name = "csv"
    form = "csv:PATH"
    summary = "a table of numbers with a header row; --target names the column to predict"
    predicts_on = "a .csv file with the same columns"
    requires = ("numpy", "pandas")
    imports = ("numpy", "pandas")
    has_path = True
    needs_target = True

    def facts(self, place: str, request: Request) -> Facts:
        """Read the whole table once: its columns, its classes, and every cell that is not a number."""
        path = existing(place, request, form="csv:PATH --target COLUMN")
        header, rows = _read(path, place)
        targets = _target_columns(header, request.targets, place)
        columns = tuple(name for name in header if name not in targets)
        if not columns:
            raise refuse(
                f"{place!r} has no column besides the target", "", "Add at least one column of inputs."
            )
        _check_numbers(header, rows, columns, place)
        cells = [[row[header.index(name)].strip() for row in rows] for name in targets]
        return Facts(
            input_shapes=((len(columns),),),
            samples=len(rows),
            columns=columns,
            targets=targets,
            **_target_facts(targets, cells, request.task),
        )


def _read(path: Path, place: str) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = [row for row in csv.reader(file, strict=True) if row]
    except UnicodeDecodeError as error:
        raise refuse(
            f"{place!r} is not UTF-8 text", f"byte {error.start:,} does not decode", "Save the file as UTF-8."
        ) from error
    except (csv.Error, OSError) as error:
        raise refuse(
            f"{place!r} cannot be read as CSV", str(error), "Save it as comma-separated text."
        ) from error
    if not table:
        raise refuse(
            f"{place!r} is empty", "", "Give a CSV file with a header row and a row for each sample."
        )
    header, rows = [name.strip() for name in table[0]], table[1:]
    if not rows:
        raise refuse(f"{place!r} has a header and no rows", "", "Add a row for each sample.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "" in header:
        named = ", ".join(repr(name) for name in twice) or "an empty name"
        raise refuse(
            f"the header of {place!r} has {named} more than once or empty", "", "Name each column once."
        )
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise refuse(
                f"row {number} of {place!r} has {len(row)} cells and the header has {len(header)}",
                "every row needs a cell for each column",
                "Mend that row, or quote the cell that holds a comma.",
            )
    return header, rows


def _target_columns(header: list[str], wanted: tuple[str, ...], place: str) -> tuple[str, ...]:
    shown = ", ".join(header[:20]) + (", …" if len(header) > 20 else "")
    if not wanted:
        raise SpecError(
            Problem(
                "which column is the target?",
                f"{place!r} has the columns {shown}",
                "Name the one to predict: --target COLUMN",
                "data.target",
                missing=True,
            )
        )
    if len(wanted) == 1 and wanted[0] not in header:  # several, unless a column's own name holds a comma
        wanted = tuple(name.strip() for name in wanted[0].split(",") if name.strip())
    unknown = [name for name in wanted if name not in header]
    if unknown:
        near = nearest(unknown[0], header)
        hint = f"Did you mean --target {near}?" if near else "Name one of them: --target COLUMN"
        raise refuse(f"{place!r} has no column {unknown[0]!r}", f"it has {shown}", hint, "data.target")
    return wanted


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


def _check_numbers(header: list[str], rows: list[list[str]], columns: tuple[str, ...], place: str) -> None:
    """Every input cell is a finite number; SpecError names the first few that are not, by row and column."""
    wanted = [(index, name) for index, name in enumerate(header) if name in set(columns)]
    bad = [
        (number, name, row[index].strip())
        for number, row in enumerate(rows, start=2)
        for index, name in wanted
        if not _is_number(row[index])
    ]
    if bad:
        named = "; ".join(
            f"row {number}, column {name!r}: {cell!r}" if cell else f"row {number}, column {name!r} is empty"
            for number, name, cell in bad[:SHOWN]
        )
        more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
        raise refuse(
            f"{place!r} has cells that are not finite numbers",
            named + more,
            "Fill or drop those rows, or drop the column, before generating.",
        )


def _target_facts(targets: tuple[str, ...], cells: list[list[str]], task: str | None) -> dict[str, Any]:
    """What the target columns allow, by their cells."""
    for name, column in zip(targets, cells, strict=True):
        if "" in column:
            row = column.index("") + 2
            raise refuse(
                f"the target {name!r} is missing in row {row}",
                "a sample without a target teaches nothing",
                "Drop the rows without a target.",
                "data.target",
            )
    numbers = all(_is_number(cell) for column in cells for cell in column)
    if len(targets) > 1:
        return _several_targets(targets, cells, numbers)
    if not numbers:
        classes, counts = class_facts(cells[0])
        return {"output_shapes": class_outputs(classes), "classes": classes, "counts": counts}
    whole = all(float(cell).is_integer() for cell in cells[0])
    if not whole or task == "regression":
        return {"output_shapes": {"regression": (1,)}}
    classes, counts = class_facts([str(int(float(cell))) for cell in cells[0]])
    shapes: dict[str, Shape] = {"regression": (1,)}
    if len(classes) <= len(cells[0]) // 2 or task:
        shapes = class_outputs(classes) | shapes
    # Two values are a yes or no; a few whole numbers could be classes or counts, so that is asked.
    return {"output_shapes": shapes, "sure": len(classes) == 2, "classes": classes, "counts": counts}


def _several_targets(targets: tuple[str, ...], cells: list[list[str]], numbers: bool) -> dict[str, Any]:
    if not numbers:
        raise refuse(
            f"the targets {', '.join(targets)} are not all numbers",
            "several targets are measured numbers (regression) or 0 and 1 (multilabel)",
            "Name one target, or write 0 and 1.",
            "data.target",
        )
    shape = (len(targets),)
    if all(float(cell) in (0.0, 1.0) for column in cells for cell in column):
        counts = tuple(sum(float(cell) == 1.0 for cell in column) for column in cells)
        shapes = {"multilabel": shape, "regression": shape}
        return {"output_shapes": shapes, "classes": targets, "counts": counts}
    return {"output_shapes": {"regression": shape}}
