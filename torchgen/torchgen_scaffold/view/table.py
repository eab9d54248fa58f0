"""What dataset.py prints for a table: its columns by what they hold, how it is read, and how it is cut."""

from __future__ import annotations

from functools import cached_property

from torchgen_scaffold.escape import Code, python_value
from torchgen_scaffold.sources.table.columns import Column
from torchgen_scaffold.sources.table.table import EMPTY, Reading
from torchgen_scaffold.view.basics import Basics

_READERS = {"parquet": "read_parquet", "excel": "read_excel"}


class TableFile(Basics):
    """The facts of a table that its files print."""

    @cached_property
    def _table(self) -> tuple[Column, ...]:
        return self._spec.data.table

    def _names(self, kind: str) -> list[str]:
        return [column.name for column in self._table if column.kind == kind]

    @property
    def encodes(self) -> bool:
        """Whether something has to be learned from the train split before a row becomes numbers."""
        return self.has_gaps or self.has_categories

    @property
    def has_numbers(self) -> bool:
        """Whether some columns are numbers."""
        return bool(self._names("number"))

    @property
    def has_booleans(self) -> bool:
        """Whether some columns are yes or no."""
        return bool(self._names("boolean"))

    @property
    def has_dates(self) -> bool:
        """Whether some columns are dates."""
        return bool(self._names("date"))

    @property
    def has_categories(self) -> bool:
        """Whether some columns are words of a few kinds."""
        return bool(self._names("category"))

    @property
    def has_gaps(self) -> bool:
        """Whether some numbers are missing."""
        return any(column.gaps and column.kind != "category" for column in self._table)

    @property
    def number_columns(self) -> Code:
        """The columns of numbers as a Python list."""
        return python_value(self._names("number"))

    @property
    def booleans(self) -> Code:
        """{column: the word that counts as 1} as Python."""
        pairs = [(column.name, column.detail) for column in self._table if column.kind == "boolean"]
        return _dict(pairs)

    @property
    def dates(self) -> Code:
        """{column: its format} as Python."""
        return _dict([(column.name, column.detail) for column in self._table if column.kind == "date"])

    @property
    def categories(self) -> Code:
        """The categories as a Python list."""
        return python_value(self._names("category"))

    @property
    def number_count(self) -> int:
        """How many numbers numbers_in() makes of a row."""
        return sum(column.parts for column in self._table)

    @property
    def gaps(self) -> Code:
        """The places of those numbers that are sometimes missing, as a Python list."""
        places, start = [], 0
        for kind in ("number", "boolean", "date"):  # the order of numbers_in()
            for column in self._table:
                if column.kind == kind:
                    places += [start] if column.gaps else []
                    start += column.parts
        return python_value(places)

    @property
    def empty_words(self) -> Code:
        """The words of cells that hold nothing, as a Python list."""
        return python_value(list(EMPTY))

    @property
    def encoder_makes(self) -> Code:
        """What the encoder makes of a row, in words."""
        made = ["numbers"] if self.number_count else []
        made += ["a mark for each that may be missing"] if self.has_gaps else []
        made += ["a code for each category"] if self.has_categories else []
        return Code(", ".join(made))

    @property
    def encoder_learns(self) -> Code:
        """What the encoder learns from the train split, in words."""
        learned = ["what stands in for a missing number"] if self.number_count else []
        return Code(
            ", and ".join([*learned, *(["the words of each category"] if self.has_categories else [])])
        )

    @property
    def embedding_sizes(self) -> Code:
        """(rows, numbers) of each category's embedding, as a Python list."""
        from torchgen_scaffold.layers.dense import embedding_size

        return Code(str([(words + 1, embedding_size(words)) for words in self._spec.data.words]))

    @property
    def reads_text(self) -> bool:
        """Whether the file is text, rather than cells with a type."""
        return self._spec.data.source == "csv"

    @property
    def reads_json(self) -> bool:
        """Whether each line of the file is a JSON object."""
        return self._spec.data.source == "jsonl"

    @property
    def pandas_reader(self) -> Code:
        """pandas' function for the file."""
        return Code(_READERS.get(self._spec.data.source, "read_csv"))

    @property
    def read_arguments(self) -> Code:
        """The arguments of pandas' read_csv."""
        reading, usual = self._spec.data.reading, Reading()
        encoding = "utf-8-sig" if reading.encoding == usual.encoding else reading.encoding
        arguments = ["path", "dtype=str", "keep_default_na=False", f"encoding={python_value(encoding)}"]
        if reading.separator != usual.separator:
            arguments.append(f"sep={python_value(reading.separator)}")
        if not reading.header:
            arguments.append("header=None")
        return Code(", ".join(arguments))

    @property
    def has_header(self) -> bool:
        """Whether the file names its columns."""
        return self._spec.data.reading.header

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers are written 1.234,5."""
        return self._spec.data.reading.decimal == ","

    @property
    def input_columns(self) -> Code:
        """The input columns as Python, by the names of their constants."""
        parts = [("*NUMBERS", self.has_numbers), ("*BOOLEANS", self.has_booleans), ("*DATES", self.has_dates)]
        names = [name for name, there in [*parts, ("*CATEGORIES", self.has_categories)] if there]
        return Code(names[0][1:] if names in (["*NUMBERS"], ["*CATEGORIES"]) else f"[{', '.join(names)}]")

    @property
    def all_columns(self) -> Code:
        """The input columns and the targets, and what the rows are cut by."""
        inputs = str(self.input_columns)
        inside = inputs[1:-1] if inputs.startswith("[") else f"*{inputs}"
        cut_by = {"group": ", GROUP", "time": ", TIME"}.get(self.cuts_by, "")
        return Code(f"[{inside}, *TARGETS{cut_by}]")

    @property
    def cut_column(self) -> Code:
        """The column that the rows are cut by, as a Python string."""
        return python_value((*self._spec.data.group, *self._spec.data.time)[0])

    @property
    def time_format(self) -> Code:
        """`number`, or the format of dates as a Python string."""
        form = self._spec.data.time_format
        return Code(form) if form == "number" else python_value(form)

    @property
    def reads_numbers(self) -> bool:
        """Whether some cell is read as a number: an input, a target, a class such as 3, or a time."""
        targets = self._task.form in ("regression", "multilabel") or self.whole_labels
        return self.has_numbers or targets or self._spec.data.time_format == "number"


def _dict(pairs: list[tuple[str, str]]) -> Code:
    inside = ", ".join(f"{python_value(name)}: {python_value(value)}" for name, value in pairs)
    return Code(f"{{{inside}}}")
