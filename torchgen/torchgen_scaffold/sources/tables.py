"""Tables in files: CSV and TSV, Parquet, Excel, JSON lines. One source for each reader; what they hold is one thing."""

from __future__ import annotations

from pathlib import Path

from torchgen_scaffold.sources.base import Facts, Request, Source, existing, refuse
from torchgen_scaffold.sources.table.columns import look, shown, time_format, width_of, words_of
from torchgen_scaffold.sources.table.read import read_excel, read_json_lines, read_parquet, read_text
from torchgen_scaffold.sources.table.table import Table
from torchgen_scaffold.sources.table.targets import (
    named_columns,
    rows_with_targets,
    target_columns,
    target_facts,
)
from torchgen_scaffold.sources.table.warnings import leaks

MOST_COLUMNS = 10_000
FEWEST_GROUPS = 7  # 15 percent of them is one


class TableSource(Source):
    """A table: a row a sample. A subclass names its file and its reader."""

    has_path = True
    needs_target = True
    template = "table"

    def read(self, path: Path, place: str) -> Table:
        """The table in the file, which messages call `place`. Raises SpecError, MachineError."""
        raise NotImplementedError  # every file has its own reader

    def facts(self, place: str, request: Request) -> Facts:
        """Read the whole table once, and say what every column holds."""
        path = existing(place, request, form=f"{self.form} --target COLUMN")
        table = self.read(path, place)
        if len(table.names) > MOST_COLUMNS:
            raise refuse(
                f"{place!r} has {len(table.names):,} columns",
                f"the most is {MOST_COLUMNS:,}",
                "Save wide data as an .npz file: --data npz:PATH",
            )
        targets = target_columns(table.names, request.targets, place)
        roles = {
            role: named_columns(table.names, names, place, role) if names else ()
            for role, names in (("drop", request.drop), ("group", request.group), ("time", request.time))
        }
        kept = rows_with_targets(table, targets, place)
        table, left_out = _only(table, kept), len(table.rows) - len(kept)
        aside = {*targets, *(name for names in roles.values() for name in names)}
        when = _cut(table, roles)
        cells = [table.column(name) for name in targets]
        about = target_facts(targets, cells, table.lines, table.reading.decimal, request.task)
        found = look(table, (name for name in table.names if name not in aside), place)
        columns = tuple(one.column for one in found if one.column)
        if not columns:
            raise refuse(
                f"{place!r} has no column to learn from",
                "; ".join(f"{one.name}: {one.says}" for one in found[:5])
                or "there is none besides the target",
                "Add a column of numbers, words or dates.",
            )
        return Facts(
            input_shapes=((width_of(columns),),),
            samples=len(table.rows),
            columns=tuple(column.name for column in columns),
            kinds=tuple(map(str, columns)),
            words=words_of(columns),
            targets=targets,
            reading=table.reading,
            time_format=when,
            says=(*_says(targets, about), *((one.name, one.says) for one in found), *_aside(roles, left_out)),
            warnings=tuple(leaks(table, found, targets)),
            **about,
        )


def _cut(table: Table, roles: dict[str, tuple[str, ...]]) -> str:
    """The format of the time that splits go by, if any. Raises SpecError where rows cannot be cut that way."""
    if roles["group"] and roles["time"]:
        raise refuse(
            "--group and --time are two ways to cut",
            "one keeps groups together, the other puts val and test after train",
            "Give one of them.",
            "data.group",
        )
    for role in ("group", "time"):
        if len(roles[role]) > 1:
            raise refuse(
                f"--{role} names {len(roles[role])} columns",
                "rows are cut by one",
                f"Give one: --{role} COLUMN",
                f"data.{role}",
            )
    for name in roles["group"]:
        groups = len(set(table.column(name)))
        if groups < FEWEST_GROUPS:
            raise refuse(
                f"the group {name!r} has {groups} different values",
                f"train, val and test need at least {FEWEST_GROUPS} groups between them",
                "Name a column of more groups, or drop --group.",
                "data.group",
            )
    return next((time_format(name, table.column(name), table.reading.decimal) for name in roles["time"]), "")


def _only(table: Table, kept: list[int]) -> Table:
    """The table with these rows alone."""
    rows, lines = [table.rows[index] for index in kept], [table.lines[index] for index in kept]
    return Table(table.names, rows, lines, table.reading)


def _says(targets: tuple[str, ...], about: dict[str, object]) -> list[tuple[str, str]]:
    """A line for each target: its classes, or that it is measured."""
    classes, counts = about.get("classes"), about.get("counts")
    if len(targets) > 1 or not isinstance(classes, tuple) or not isinstance(counts, tuple):
        return [(name, "target: numbers") for name in targets]
    named = ", ".join(
        f"{shown(name)} {count:,}" for name, count in list(zip(classes, counts, strict=True))[:5]
    )
    return [(targets[0], f"target: {len(classes)} classes ({named}{', …' if len(classes) > 5 else ''})")]


def _aside(roles: dict[str, tuple[str, ...]], left_out: int) -> list[tuple[str, str]]:
    reasons = {
        "drop": "left out, as you said",
        "group": "rows with the same one go to the same split",
        "time": "val and test come after train",
    }
    said = [(name, reasons[role]) for role, names in roles.items() for name in names]
    if left_out:
        rows, stay = ("row has", "stays") if left_out == 1 else ("rows have", "stay")
        said.append(("(rows)", f"{left_out:,} {rows} no target and {stay} out"))
    return said


class Csv(TableSource):
    """`csv:PATH`: comma-, semicolon- or tab-separated text."""

    name = "csv"
    form = "csv:PATH"
    summary = "a table of text: CSV or TSV; --target names the column to predict"
    predicts_on = "a .csv file with the same columns"
    requires = ("numpy", "pandas")
    imports = ("numpy", "pandas")
    endings = (".csv", ".tsv", ".tab", ".txt")

    def read(self, path: Path, place: str) -> Table:
        """See read_text."""
        return read_text(path, place)


class Parquet(TableSource):
    """`parquet:PATH`: a Parquet file."""

    name = "parquet"
    form = "parquet:PATH"
    summary = "a table in a Parquet file"
    predicts_on = "a .parquet file with the same columns"
    requires = ("numpy", "pandas", "pyarrow")
    imports = ("numpy", "pandas", "pyarrow")
    endings = (".parquet", ".pq")

    def read(self, path: Path, place: str) -> Table:
        """See read_parquet."""
        return read_parquet(path, place)


class Excel(TableSource):
    """`excel:PATH`: the first sheet of a workbook."""

    name = "excel"
    form = "excel:PATH"
    summary = "a table in the first sheet of an Excel workbook"
    predicts_on = "an .xlsx file with the same columns"
    requires = ("numpy", "pandas", "openpyxl")
    imports = ("numpy", "pandas", "openpyxl")
    endings = (".xlsx", ".xlsm")

    def read(self, path: Path, place: str) -> Table:
        """See read_excel."""
        return read_excel(path, place)


class JsonLines(TableSource):
    """`jsonl:PATH`: a JSON object a line."""

    name = "jsonl"
    form = "jsonl:PATH"
    summary = "a table with a JSON object in each line"
    predicts_on = "a .jsonl file with the same columns"
    requires = ("numpy", "pandas")
    imports = ("numpy", "pandas")
    endings = (".jsonl", ".ndjson")

    def read(self, path: Path, place: str) -> Table:
        """See read_json_lines."""
        return read_json_lines(path, place)
