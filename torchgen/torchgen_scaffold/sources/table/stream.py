"""Parquet files that are read piece by piece: columns are judged by rows spread over the file, targets by all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torchgen_scaffold.records import replace
from torchgen_scaffold.sources.base import (
    Facts,
    Request,
    class_outputs,
    classes_in_order,
    few_classes,
    need,
    refuse,
)
from torchgen_scaffold.sources.table.facts import table_facts
from torchgen_scaffold.sources.table.read import by_pandas, frame_to_table
from torchgen_scaffold.sources.table.table import EMPTY, FLOAT32_MAX, Table

LARGEST_WHOLE = 20_000_000  # cells of a file that is read whole: as text they take one to two GiB
JUDGED = 50_000  # rows that say what a column holds
PIECE = 50_000  # rows that are read at a time
FEWEST_GROUPS = 30
FEWEST_ROWS = 1_000  # fewer, cut row by row by chance, could leave a split with next to nothing


def streams(path: Path, request: Request, place: str) -> bool:
    """Whether a Parquet file is to be read piece by piece. Raises SpecError, MachineError."""
    if request.is_sequences:
        return False  # sequences are put together from rows all over the file
    if request.stream is not None:
        return request.stream
    about = _open(path, place).metadata
    return bool(about.num_rows * about.num_columns > LARGEST_WHOLE)


def parquet_names(path: Path, place: str) -> list[str]:
    """The columns of a Parquet file. Raises SpecError, MachineError."""
    return [str(name).strip() for name in _open(path, place).schema_arrow.names]


def _open(path: Path, place: str) -> Any:
    need("pandas", "pandas", f"reading {place}")
    parquet = need("pyarrow.parquet", "pyarrow", f"reading {place}")
    return by_pandas(lambda: parquet.ParquetFile(path), place)


def streamed_facts(path: Path, place: str, request: Request) -> Facts:
    """The facts of a Parquet file in memory that does not grow with it. Raises SpecError, MachineError."""
    file = _open(path, place)
    rows = file.metadata.num_rows
    if rows < FEWEST_ROWS:
        raise refuse(
            f"{place!r} has {rows:,} rows, and data.stream cuts by chance",
            f"with fewer than {FEWEST_ROWS:,} a split could be left with next to nothing",
            "Drop data.stream: the file is small enough to be loaded.",
            "data.stream",
        )
    judged_rows = _spread(file, place)
    facts = table_facts(judged_rows, place, request)
    for name in request.group:
        groups = len(set(judged_rows.column(name)))
        if groups < FEWEST_GROUPS:
            raise refuse(
                f"the group {name!r} has {groups} different values, and a streamed file cuts them by chance",
                f"with fewer than {FEWEST_GROUPS} a split could be left with none",
                "Name a column of more groups, or load the file: --set data.stream=false",
                "data.group",
            )
    counted = _count(file, facts, place)
    judged = (
        f"{rows:,} rows, read piece by piece; what columns hold is judged by {min(rows, JUDGED):,} of them"
    )
    facts = replace(
        facts, streams=True, samples=counted.samples, says=(("(rows)", judged), *_without_counts(facts))
    )
    if not facts.classes:
        return facts
    if len(facts.targets) > 1:
        return replace(facts, counts=tuple(counted.labels[name] for name in facts.classes))
    _check_few(counted, facts.targets[0])
    names = classes_in_order(counted.labels)
    shapes = class_outputs(names) | {
        task: shape for task, shape in facts.output_shapes.items() if task == "regression"
    }
    counts = tuple(counted.labels[name] for name in names)
    return replace(facts, classes=names, counts=counts, output_shapes=shapes)


def _check_few(counted: _Counted, name: str) -> None:
    """Refuse a target whose words are as good as all different."""
    if len(counted.labels) > counted.samples // 2:
        few_classes(list(counted.labels), f"the target {name!r}")


def _without_counts(facts: Facts) -> tuple[tuple[str, str], ...]:
    """What was said of the columns; a target's counts are those of the judged rows, and say too little."""
    return tuple(
        (name, "target" if name in facts.targets and facts.classes else says)
        for name, says in facts.says
        if name != "(rows)"
    )


def _pieces(file: Any, columns: list[str] | None = None) -> Iterator[tuple[int, Any]]:
    """The rows of the file as data frames, each with the number of its first row."""
    first = 0
    # One row group at a time: asked for all of them, the reader keeps those that are done.
    for group in range(file.num_row_groups):
        for piece in file.iter_batches(PIECE, row_groups=[group], columns=columns):
            yield first, piece
            first += len(piece)


def _spread(file: Any, place: str) -> Table:
    """Rows that are spread evenly over the file."""
    pandas = need("pandas", "pandas", f"reading {place}")
    arrow = need("pyarrow", "pyarrow", f"reading {place}")
    step = max(1, file.metadata.num_rows // JUDGED)
    frames = [
        piece.take(arrow.array(range(-first % step, len(piece), step), arrow.int64())).to_pandas()
        for first, piece in _pieces(file)
    ]
    lines = range(1, file.metadata.num_rows + 1, step)
    return frame_to_table(pandas.concat(frames), place, list(lines))


class _Counted:
    """What a pass over the targets counted: rows that have them, and the rows of each label."""

    def __init__(self) -> None:
        self.samples = 0
        self.labels: Counter[str] = Counter()


def _count(file: Any, facts: Facts, place: str) -> _Counted:
    """Go through the targets of all rows. Raises SpecError where one is unfit."""
    own = {str(name).strip(): name for name in file.schema_arrow.names}
    counted = _Counted()
    for first, piece in _pieces(file, [own[name] for name in facts.targets]):
        frame = piece.to_pandas()
        frame.columns = list(map(str.strip, map(str, frame.columns)))
        if "regression" in facts.output_shapes:
            _count_numbers(frame[list(facts.targets)], facts, first, counted, place)
        else:
            cells = frame[facts.targets[0]].dropna().map(str).str.strip()
            held = cells[~cells.isin(EMPTY)]
            counted.samples += len(held)
            counted.labels.update(held)
    return counted


def _count_numbers(frame: Any, facts: Facts, first: int, counted: _Counted, place: str) -> None:
    pandas = need("pandas", "pandas", f"reading {place}")
    numbers = frame.apply(pandas.to_numeric, errors="coerce").astype("float64")
    for name in facts.targets:
        wild = numbers[name].abs() > FLOAT32_MAX
        if wild.any():
            row = first + int(wild.to_numpy().argmax()) + 1
            raise refuse(
                f"the target {name!r} of {place!r} holds what is no finite float32 number",
                f"row {row:,}: {numbers[name].to_numpy()[row - first - 1]}",
                "Mend that cell, or drop the row.",
                "data.target",
            )
    held = numbers.dropna()
    counted.samples += len(held)
    if len(facts.targets) > 1:
        counted.labels.update({name: int((held[name] == 1).sum()) for name in facts.targets})
    elif facts.classes:
        values = held[facts.targets[0]]
        if (values % 1 != 0).any():
            raise refuse(
                f"the target {facts.targets[0]!r} of {place!r} holds {values[values % 1 != 0].iloc[0]}",
                "the rows that were judged hold whole numbers, which could be classes",
                "To predict it as a number: --task regression",
                "data.target",
            )
        counted.labels.update(values.astype("int64").astype(str))
