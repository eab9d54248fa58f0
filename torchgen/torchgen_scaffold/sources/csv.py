"""A table of numbers in a CSV file: one row a sample, the target in a column (or several)."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources.base import (
    FLOAT32_MAX,
    Facts,
    Request,
    Source,
    class_facts,
    class_outputs,
    existing,
    few_classes,
    refuse,
)
from torchgen_scaffold.spelling import nearest

SHOWN = 5  # problems named one by one before they are only counted
_NOTHING = ("", "na", "n/a", "nan", "none", "null", "-", "?")  # how tables spell a missing number


class Row(NamedTuple):
    """One sample: the line of the file it ends on, and its cells."""

    line: int
    cells: list[str]


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
        header, rows = _table(path, place)
        targets = _target_columns(header, request.targets, place)
        columns = tuple(name for name in header if name not in targets)
        if not columns:
            raise refuse(
                f"{place!r} has no column besides the target",
                "the other columns are what the network sees",
                "Add at least one column of inputs.",
            )
        _check_inputs(header, rows, columns, place)
        places = [header.index(name) for name in targets]
        cells = [[row.cells[index].strip() for row in rows] for index in places]
        _check_targets(targets, rows, cells)
        return Facts(
            input_shapes=((len(columns),),),
            samples=len(rows),
            columns=columns,
            targets=targets,
            **_target_facts(targets, cells, request.task),
        )


def _table(path: Path, place: str) -> tuple[list[str], list[Row]]:
    """The header and the rows, all of one length. Raises SpecError where the file is no such table."""
    table = _read(path, place)
    if not table:
        raise refuse(
            f"{place!r} is empty",
            "it has no header and no rows",
            "Give a CSV file with a header row and a row for each sample.",
        )
    header, rows = [name.strip() for name in table[0].cells], table[1:]
    _check_header(header, place)
    if not rows:
        raise refuse(
            f"{place!r} has a header and no rows", "each row is a sample", "Add a row for each sample."
        )
    for row in rows:
        if len(row.cells) != len(header):
            raise refuse(
                f"line {row.line:,} of {place!r} has {len(row.cells):,} cells and the header has {len(header):,}",
                "every row needs a cell for each column",
                "Mend that line, or quote the cell that holds a comma.",
            )
    return header, rows


def _read(path: Path, place: str) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            table = [Row(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        raise refuse(
            f"{place!r} is not UTF-8 text", f"byte {error.start:,} does not decode", "Save the file as UTF-8."
        ) from error
    except (csv.Error, OSError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise refuse(
            f"{place!r} cannot be read as CSV", reason, "Save it as comma-separated text."
        ) from error
    for row in table:
        if any("\0" in cell for cell in row.cells):
            raise refuse(
                f"{place!r} cannot be read as CSV",
                f"line {row.line:,} holds a NUL, as no text does",
                "Save it as comma-separated text.",
            )
    return table


def _check_header(header: list[str], place: str) -> None:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        mark = next(mark for mark in ";\t|" if mark in header[0])
        raise refuse(
            f"{place!r} is separated by {mark!r}",
            "CSV is read with commas",
            "Save it as comma-separated text.",
        )
    if "" in header:
        raise refuse(
            f"column {header.index('') + 1} of {place!r} has no name",
            "the first line names every column",
            "Name it, or drop that column.",
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise refuse(
            f"{place!r} has more than one column {', '.join(map(repr, twice[:SHOWN]))}",
            "a column is chosen by its name",
            "Name each column once.",
        )


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
    if len(wanted) == 1 and wanted[0].strip() not in header:
        # Several, since no column's own name has that comma.
        wanted = tuple(wanted[0].split(","))
    wanted = tuple(dict.fromkeys(name.strip() for name in wanted))
    unknown = [name for name in wanted if name not in header]
    if unknown:
        near = nearest(unknown[0], header)
        hint = f"Did you mean --target {near}?" if near else "Name one of them: --target COLUMN"
        raise refuse(f"{place!r} has no column {unknown[0][:80]!r}", f"it has {shown}", hint, "data.target")
    return wanted


def _is_number(cell: str) -> bool:
    """Whether the cell is a number that float32 can hold."""
    try:
        return abs(float(cell)) <= FLOAT32_MAX and "_" not in cell
    except ValueError:
        return False


def _check_inputs(header: list[str], rows: list[Row], columns: tuple[str, ...], place: str) -> None:
    """Every input cell is a finite number; SpecError names the first few that are not, by line and column."""
    inputs = set(columns)
    wanted = [(index, name) for index, name in enumerate(header) if name in inputs]
    bad = [
        (row.line, name, row.cells[index].strip())
        for row in rows
        for index, name in wanted
        if not _is_number(row.cells[index])
    ]
    if bad:
        named = "; ".join(
            (
                f"line {line:,}, column {name!r}: {cell[:40]!r}"
                if cell
                else f"line {line:,}, column {name!r} is empty"
            )
            for line, name, cell in bad[:SHOWN]
        )
        more = f"; and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
        raise refuse(
            f"{place!r} has {'a cell that is' if len(bad) == 1 else 'cells that are'} no finite float32 number",
            named + more,
            "Fill or drop those rows, or drop the column, before generating.",
        )


def _check_targets(targets: tuple[str, ...], rows: list[Row], cells: list[list[str]]) -> None:
    """No target is missing: empty, or a word such as NA among numbers (among words it is a class)."""
    for name, column in zip(targets, cells, strict=True):
        numbers = [_is_number(cell) for cell in column]
        numeric = any(numbers) and all(
            number or cell.lower() in _NOTHING for number, cell in zip(numbers, column, strict=True)
        )
        for row, cell in zip(rows, column, strict=True):
            if cell == "" or (numeric and not _is_number(cell)):
                raise refuse(
                    f"the target {name!r} is missing in line {row.line:,}" + (f": {cell!r}" if cell else ""),
                    "a sample without a target teaches nothing",
                    "Drop the rows without a target.",
                )


def _target_facts(targets: tuple[str, ...], cells: list[list[str]], task: str | None) -> dict[str, Any]:
    """What the target columns allow, by their cells."""
    numbers = all(_is_number(cell) for column in cells for cell in column)
    if len(targets) > 1:
        return _several_targets(targets, cells, numbers)
    if not numbers:
        few_classes(cells[0], f"the target {targets[0]!r}")
        classes, counts = class_facts(cells[0])
        return {"output_shapes": class_outputs(classes), "classes": classes, "counts": counts}
    whole = all(float(cell).is_integer() for cell in cells[0])
    if not whole or task == "regression":
        return {"output_shapes": {"regression": (1,)}}
    classes, counts = class_facts([str(int(float(cell))) for cell in cells[0]])
    if not task and len(classes) > len(cells[0]) // 2:
        return {"output_shapes": {"regression": (1,)}}
    shapes: dict[str, Shape] = class_outputs(classes) | {"regression": (1,)}
    # Two values are a yes or no; a few whole numbers could be classes or counts, so that is asked.
    return {"output_shapes": shapes, "sure": len(classes) == 2, "classes": classes, "counts": counts}


def _several_targets(targets: tuple[str, ...], cells: list[list[str]], numbers: bool) -> dict[str, Any]:
    if not numbers:
        raise refuse(
            f"the targets {', '.join(targets[:SHOWN])} are not all numbers",
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
