"""What a person should hear of a table: columns that give the target away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from torchgen_scaffold.sources.table.columns import Found
from torchgen_scaffold.sources.table.table import Table, number_in

NEARLY = 0.9999  # a correlation beyond this is the target in other units


def leaks(table: Table, found: Sequence[Found], targets: Sequence[str]) -> Iterator[str]:
    """A sentence for each input column that says what the target is: known only afterwards, most likely."""
    for target in targets:
        cells = table.column(target)
        measured = [number_in(cell, table.reading.decimal) for cell in cells]
        for one in found:
            if one.column is None or one.column.kind == "text":
                continue
            others = table.column(one.name)
            if one.column.words or one.column.kind == "boolean":
                gives_away = _decides(others, cells)
            elif set(measured) == {None}:  # words go along with no number
                continue
            else:
                numbers = [number_in(cell, table.reading.decimal) for cell in others]
                gives_away = abs(_correlation(numbers, measured)) > NEARLY
            if gives_away:
                yield (
                    f"{one.name} says what {target} is. If it is known only afterwards, leave it out: "
                    f"--drop {quote(one.name)}"
                )


def _decides(words: Sequence[str], targets: Sequence[str]) -> bool:
    """Whether each word stands with one target only, though words are few and targets differ."""
    pairs = set(zip(words, targets, strict=True))
    different = len(set(words))
    return len(pairs) == different and len(set(targets)) > 1 and different <= len(words) // 5


def _correlation(one: Sequence[float | None], other: Sequence[float | None]) -> float:
    """Pearson's, over the rows in which both are numbers; 0 where it has no meaning."""
    rows = [(x, y) for x, y in zip(one, other, strict=True) if x is not None and y is not None]
    if len(rows) < 10 or len(rows) < len(one) // 2:
        return 0.0
    mean_x, mean_y = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    both = sum((x - mean_x) * (y - mean_y) for x, y in rows)
    spread = sum((x - mean_x) ** 2 for x, _ in rows) * sum((y - mean_y) ** 2 for _, y in rows)
    return float(both / spread**0.5) if spread > 0 else 0.0
