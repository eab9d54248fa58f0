"""Tables in long form: a row a time step, the rows of one group a sequence."""

from __future__ import annotations

from collections.abc import Sequence

from torchgen_scaffold.records import record
from torchgen_scaffold.sources.base import first_few, refuse
from torchgen_scaffold.sources.table.table import Table, is_empty
from torchgen_scaffold.sources.table.targets import numeric_columns, without_target

MOST_STEPS = 1_000  # of a longer sequence the last steps are read


@record
class Sequences:
    """The rows of the sequences that have a target, and where each sequence begins."""

    kept: list[int]  # rows
    firsts: list[int]  # the first row of each sequence
    lengths: tuple[int, ...]  # time steps of each sequence

    @property
    def steps(self) -> int:
        """The time steps of the longest, as far as they are read."""
        return min(max(self.lengths), MOST_STEPS)

    @property
    def padded(self) -> bool:
        """Whether some sequence is shorter than that."""
        return min(self.lengths) < self.steps

    @property
    def says(self) -> str:
        """What they are, for people."""
        shortest, longest = min(self.lengths), max(self.lengths)
        each = f"{shortest:,}" if shortest == longest else f"{shortest:,} to {longest:,}"
        cut = f"; of longer ones the last {MOST_STEPS:,}" if longest > MOST_STEPS else ""
        return f"{len(self.lengths):,} sequences of {each} time steps{cut}"


def sequences_in(table: Table, group: str, targets: Sequence[str], place: str) -> Sequences:
    """The sequences of a table. Raises SpecError where a row belongs to none, or where a target changes on the way."""
    groups = table.column(group)
    nowhere = [f"line {line:,}" for line, name in zip(table.lines, groups, strict=True) if is_empty(name)]
    if nowhere:
        raise refuse(
            f"the group {group!r} of {place!r} is empty in {len(nowhere):,} rows",
            first_few(nowhere),
            "Fill it in, or remove those rows: it says which sequence a row belongs to.",
            "data.group",
        )
    cells = [table.column(name) for name in targets]
    missing = without_target(cells, numeric_columns(cells, table.reading.decimal))
    first: dict[str, int] = {}
    for row, name in enumerate(groups):
        start = first.setdefault(name, row)
        if missing[row] != missing[start] or any(column[row] != column[start] for column in cells):
            raise refuse(
                f"the target of the sequence {name[:40]!r} in {place!r} is not the same in all of its rows",
                f"lines {table.lines[start]:,} and {table.lines[row]:,} differ: {_at(cells, start)} and {_at(cells, row)}",
                "Give each sequence one target, in each of its rows; to predict each row by itself, drop --time or --group.",
                "data.target",
            )
    kept = [row for row, name in enumerate(groups) if not missing[first[name]]]
    lengths = dict.fromkeys((groups[row] for row in kept), 0)
    for row in kept:
        lengths[groups[row]] += 1
    return Sequences(kept, [first[name] for name in lengths], tuple(lengths.values()))


def _at(cells: Sequence[Sequence[str]], row: int) -> str:
    return ", ".join(repr(column[row][:40]) for column in cells)
