"""Files to tables: comma- and tab-separated text by the standard library, the others by pandas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from torchgen_scaffold.sources.base import SHOWN, need, refuse
from torchgen_scaffold.sources.table.table import Reading, Table, number_in, without_gaps

SEPARATORS = (";", "\t", "|", ",")  # of equals the first: a comma may be a decimal mark
LARGEST = 2 * 2**30  # bytes; what is read here is read whole


def read_text(path: Path, place: str) -> Table:
    """A CSV or TSV file: separator, encoding, decimal mark and header are found out. Raises SpecError."""
    text, encoding = _decoded(path, place)
    separator = _separator(text)
    rows, lines = _cells(text, separator, place)
    if not rows:
        raise refuse(
            f"{place!r} is empty",
            "it has no header and no rows",
            "Give a file with a header row and a row for each sample.",
        )
    header = not all(_is_number(cell) for cell in rows[0])
    if header:
        # What pandas calls a column without a name.
        names = [name or f"Unnamed: {index}" for index, name in enumerate(rows[0])]
        rows, lines = rows[1:], lines[1:]
    else:
        names = [f"column_{index}" for index in range(1, len(rows[0]) + 1)]
    _check_names(names, place)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(names):
            raise refuse(
                f"line {line:,} of {place!r} has {len(row):,} cells and the header has {len(names):,}",
                "every row needs a cell for each column",
                "Mend that line, or quote the cell that holds a separator.",
            )
    _check_rows(rows, place)
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    return Table(names, rows, lines, Reading(separator, encoding, _decimal(rows, separator), header))


def _decoded(path: Path, place: str) -> tuple[str, str]:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise refuse(
                f"{place!r} has {size / 2**30:.1f} GiB",
                "a text file is read whole, here and in the project",
                "Save it as Parquet, or take a part of it.",
            )
        content = path.read_bytes()
    except OSError as error:
        raise refuse(
            f"{place!r} cannot be read", error.strerror or str(error), "Make it readable."
        ) from error
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    encodings = ("utf-16",) if wide else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, encoding
    raise refuse(
        f"{place!r} cannot be read as text", "it is neither UTF-8 nor Windows text", "Save it as UTF-8."
    )


def _separator(text: str) -> str:
    """What separates the cells: what stands in the first line, and as often in each of the next ones."""
    import csv

    first = [line for line in text.splitlines()[:20] if line.strip()]

    def likely(mark: str) -> tuple[bool, bool, int]:
        counts = [len(cells) - 1 for cells in csv.reader(first, delimiter=mark)]
        return bool(counts) and counts[0] > 0, len(set(counts)) == 1, counts[0] if counts else 0

    try:
        return max(SEPARATORS, key=likely)
    except csv.Error:
        return ","


def _cells(text: str, separator: str, place: str) -> tuple[list[list[str]], list[int]]:
    import csv

    rows, lines = [], []
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise refuse(
            f"{place!r} cannot be read as CSV", f"line {reader.line_num:,}: {error}", "Mend that line."
        ) from error
    return rows, lines


def _is_number(cell: str) -> bool:
    return number_in(cell) is not None or number_in(cell, ",") is not None


def _decimal(rows: Sequence[Sequence[str]], separator: str) -> str:
    """A comma where some column holds numbers only if its commas are decimal marks."""
    if separator == ",":
        return "."
    for column in zip(*rows, strict=True):
        held = without_gaps(column)
        commas = [cell for cell in held if "," in cell]
        if commas and all(number_in(cell, ",") is not None for cell in held):
            return ","
    return "."


def read_parquet(path: Path, place: str) -> Table:
    """A Parquet file, by pandas and pyarrow. Raises SpecError, MachineError."""
    pandas = need("pandas", "pandas", f"reading {place}")
    need("pyarrow", "pyarrow", f"reading {place}")
    return frame_to_table(by_pandas(lambda: pandas.read_parquet(path), place), place)


def read_excel(path: Path, place: str) -> Table:
    """The first sheet of an Excel workbook, by pandas and openpyxl. Raises SpecError, MachineError."""
    pandas = need("pandas", "pandas", f"reading {place}")
    need("openpyxl", "openpyxl", f"reading {place}")
    return frame_to_table(by_pandas(lambda: pandas.read_excel(path), place), place)


def read_json_lines(path: Path, place: str) -> Table:
    """A file with a JSON object in each line, by pandas. Raises SpecError, MachineError."""
    pandas = need("pandas", "pandas", f"reading {place}")

    def frame_of() -> Any:
        with path.open(encoding="utf-8") as file:
            return pandas.DataFrame([_object(line) for line in file if line.strip()])

    return frame_to_table(by_pandas(frame_of, place), place)


def _object(line: str) -> dict[str, Any]:
    import json

    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("a line is no JSON object")
    return value


def by_pandas(read: Callable[[], Any], place: str) -> Any:
    """What pandas or one of its engines reads. Raises SpecError where they cannot."""
    try:
        return read()
    except Exception as error:  # they raise many kinds for one cause: no such file
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise refuse(f"{place!r} cannot be read", reason[0][:200], "Save it again, or as CSV.") from error


def frame_to_table(frame: Any, place: str, lines: list[int] | None = None) -> Table:
    """A data frame with every cell as text: `str()` of the value, nothing where it is missing. Raises SpecError."""
    names = [str(name).strip() for name in frame.columns]
    _check_names(names, place)
    text = frame.map(str, na_action="ignore").astype(object).where(frame.notna(), "")
    rows = [[str(cell).strip() for cell in row] for row in text.itertuples(index=False, name=None)]
    _check_rows(rows, place)
    return Table(names, rows, lines or list(range(1, len(rows) + 1)))


def _check_rows(rows: Sequence[object], place: str) -> None:
    if not rows:
        raise refuse(
            f"{place!r} has a header and no rows", "each row is a sample", "Add a row for each sample."
        )


def _check_names(names: Iterable[str], place: str) -> None:
    names = list(names)
    if "" in names:
        raise refuse(
            f"column {names.index('') + 1} of {place!r} has no name",
            "the first line names every column",
            "Name it, or drop that column.",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise refuse(
            f"{place!r} has more than one column {', '.join(map(repr, twice[:SHOWN]))}",
            "a column is chosen by its name",
            "Name each column once.",
        )
