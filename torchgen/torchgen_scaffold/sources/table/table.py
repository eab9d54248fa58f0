"""A table as text, however its file held it, and how to read it again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from torchgen_scaffold.records import field, record

FLOAT32_MAX = 3.4028234663852886e38  # what is larger becomes infinity in torch's usual dtype

# How tables spell a cell that holds nothing. Among numbers a few more words say so.
EMPTY = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
NO_NUMBER = frozenset(word.lower() for word in (*EMPTY, "none", "-", "--", "?", "."))
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?")


@record
class Reading:
    """How a text file was read: what separates cells, its encoding, its decimal mark, whether the first line names."""

    separator: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    header: bool = True


@record
class Table:
    """Names and cells; `lines` has where each row ends in the file."""

    names: list[str]
    rows: list[list[str]]  # stripped
    lines: list[int]
    reading: Reading = field(default_factory=Reading)

    def column(self, name: str) -> list[str]:
        """The cells of one column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows]


def number_in(cell: str, decimal: str = ".") -> float | None:
    """The number that a cell holds, or None. With a decimal comma, points stand between thousands."""
    if decimal == ",":
        if "." in cell and not _THOUSANDS.fullmatch(cell):
            return None
        cell = cell.replace(".", "").replace(",", ".")
    if "_" in cell:  # Python reads 1_000, and pandas does not
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def without_gaps(cells: Iterable[str]) -> list[str]:
    """The cells of a column of numbers that hold something."""
    return [cell for cell in cells if cell.lower() not in NO_NUMBER]


def is_empty(cell: str) -> bool:
    """Whether a cell holds nothing, in a column of words."""
    return cell in EMPTY
