"""Tables in files: CSV and TSV, Parquet, Excel, JSON lines. One source for each reader; what they hold is one thing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torchgen_scaffold.sources.base import Facts, Request, Source, existing
from torchgen_scaffold.sources.table.facts import table_facts
from torchgen_scaffold.sources.table.read import read_excel, read_json_lines, read_parquet, read_text
from torchgen_scaffold.sources.table.stream import parquet_names, streamed_facts, streams
from torchgen_scaffold.sources.table.table import Table


class TableSource(Source):
    """A table: a row a sample. A subclass names its file and its reader."""

    has_path = True
    needs_target = True
    is_table = True
    roles = ("drop", "group", "time")
    template = "table"

    def read(self, path: Path, place: str) -> Table:
        """The table in the file, which messages call `place`. Raises SpecError, MachineError."""
        raise NotImplementedError  # every file has its own reader

    def columns(self, path: Path, place: str) -> Sequence[str]:
        """The header of the table."""
        return self.read(path, place).names

    def facts(self, place: str, request: Request) -> Facts:
        """Read the whole table once, and say what every column holds."""
        path = existing(place, request, form=f"{self.form} --target COLUMN")
        return table_facts(self.read(path, place), place, request)


class Csv(TableSource):
    """`csv:PATH`: comma-, semicolon- or tab-separated text."""

    name = "csv"
    form = "csv:PATH"
    summary = "a table of text: CSV or TSV; --target names the column to predict"
    samples = "rows of a CSV file"
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
    samples = "rows of a Parquet file"
    predicts_on = "a .parquet file with the same columns"
    requires = ("numpy", "pandas", "pyarrow")
    imports = ("numpy", "pandas", "pyarrow")
    endings = (".parquet", ".pq")

    def read(self, path: Path, place: str) -> Table:
        """See read_parquet."""
        return read_parquet(path, place)

    def columns(self, path: Path, place: str) -> Sequence[str]:
        """The names that the file's own header gives, whatever its size."""
        return parquet_names(path, place)

    def facts(self, place: str, request: Request) -> Facts:
        """Read a small file whole, and a large one piece by piece."""
        path = existing(place, request, form=f"{self.form} --target COLUMN")
        if streams(path, request, place):
            return streamed_facts(path, place, request)
        return super().facts(place, request)


class Excel(TableSource):
    """`excel:PATH`: the first sheet of a workbook."""

    name = "excel"
    form = "excel:PATH"
    summary = "a table in the first sheet of an Excel workbook"
    samples = "rows of an Excel sheet"
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
    samples = "rows of a file of JSON lines"
    predicts_on = "a .jsonl file with the same columns"
    requires = ("numpy", "pandas")
    imports = ("numpy", "pandas")
    endings = (".jsonl", ".ndjson")

    def read(self, path: Path, place: str) -> Table:
        """See read_json_lines."""
        return read_json_lines(path, place)
