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

    @cached_property
    def encodes(self) -> bool:
        """Whether something has to be learned from the train split before a row becomes numbers."""
        # Of a streamed file not every row was seen: one of the others may have a gap.
        return self.has_gaps or self.has_categories or self.has_texts or self.streams

    @cached_property
    def has_numbers(self) -> bool:
        """Whether some columns are numbers."""
        return bool(self._names("number"))

    @cached_property
    def has_booleans(self) -> bool:
        """Whether some columns are yes or no."""
        return bool(self._names("boolean"))

    @cached_property
    def has_dates(self) -> bool:
        """Whether some columns are dates."""
        return bool(self._names("date"))

    @cached_property
    def has_categories(self) -> bool:
        """Whether some columns are words of a few kinds."""
        return bool(self._names("category"))

    @cached_property
    def has_gaps(self) -> bool:
        """Whether some numbers are missing."""
        return any(column.gaps and column.parts for column in self._table)

    @cached_property
    def has_texts(self) -> bool:
        """Whether some columns are text."""
        return bool(self._names("text"))

    @cached_property
    def texts(self) -> Code:
        """{column: (the words that are read, the ids there are)} as Python."""
        pairs = [
            f"{python_value(column.name)}: ({column.length}, {column.ids})"
            for column in self._table
            if column.kind == "text"
        ]
        return Code(f"{{{', '.join(pairs)}}}")

    @cached_property
    def number_columns(self) -> Code:
        """The columns of numbers as a Python list."""
        return python_value(self._names("number"))

    @cached_property
    def booleans(self) -> Code:
        """{column: the word that counts as 1} as Python."""
        pairs = [(column.name, column.detail) for column in self._table if column.kind == "boolean"]
        return _dict(pairs)

    @cached_property
    def dates(self) -> Code:
        """{column: its format} as Python."""
        return _dict([(column.name, column.detail) for column in self._table if column.kind == "date"])

    @cached_property
    def categories(self) -> Code:
        """The categories as a Python list."""
        return python_value(self._names("category"))

    @cached_property
    def number_count(self) -> int:
        """How many numbers numbers_in() makes of a row."""
        return sum(column.parts for column in self._table)

    @cached_property
    def gaps(self) -> Code:
        """The places of those numbers that are sometimes missing, as a Python list."""
        places, start = [], 0
        for kind in ("number", "boolean", "date"):  # the order of numbers_in()
            for column in self._table:
                if column.kind == kind:
                    places += [start] if column.gaps else []
                    start += column.parts
        return python_value(places)

    @cached_property
    def empty_words(self) -> Code:
        """The words of cells that hold nothing, as a Python list."""
        return python_value(list(EMPTY))

    @cached_property
    def encoder_makes(self) -> Code:
        """What the encoder makes of a row, in words."""
        made = ["numbers"] if self.number_count else []
        made += ["a mark for each that may be missing"] if self.has_gaps else []
        made += ["a code for each category"] if self.has_categories else []
        made += ["an id for each word of a text, 0 past its end"] if self.has_texts else []
        return Code(", ".join(made))

    @cached_property
    def encoder_learns(self) -> Code:
        """What the encoder learns from the train split, in words."""
        learned = ["what stands in for a missing number"] if self.number_count else []
        learned += ["the words of each category"] if self.has_categories else []
        learned += ["the usual words of each text"] if self.has_texts else []
        return Code(", and ".join(learned))

    @cached_property
    def embedding_sizes(self) -> Code:
        """(rows, numbers) of each category's embedding, as a Python list."""
        from torchgen_scaffold.layers.dense import embedding_size

        return Code(str([(words + 1, embedding_size(words)) for words in self._spec.model.codes.words]))

    @cached_property
    def text_sizes(self) -> Code:
        """(words that are read, ids, numbers for each) of each text, as a Python list."""
        from torchgen_scaffold.layers.dense import TEXT_SIZE

        return Code(str([(*sizes, TEXT_SIZE) for sizes in self._spec.model.codes.texts]))

    @cached_property
    def codes_width(self) -> int:
        """The places of a row that hold codes, at its end."""
        return self._spec.model.codes.width

    @cached_property
    def category_count(self) -> int:
        """The categories among them, which come first."""
        return len(self._spec.model.codes.words)

    @cached_property
    def reads_text(self) -> bool:
        """Whether the file is text, rather than cells with a type."""
        return self._spec.data.source == "csv"

    @cached_property
    def reads_json(self) -> bool:
        """Whether each line of the file is a JSON object."""
        return self._spec.data.source == "jsonl"

    @cached_property
    def pandas_reader(self) -> Code:
        """pandas' function for the file."""
        return Code(_READERS.get(self._spec.data.source, "read_csv"))

    @cached_property
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

    @cached_property
    def has_header(self) -> bool:
        """Whether the file names its columns."""
        return self._spec.data.reading.header

    @cached_property
    def decimal_comma(self) -> bool:
        """Whether numbers are written 1.234,5."""
        return self._spec.data.reading.decimal == ","

    @cached_property
    def input_columns(self) -> Code:
        """The input columns as Python, by the names of their constants."""
        parts = [("*NUMBERS", self.has_numbers), ("*BOOLEANS", self.has_booleans), ("*DATES", self.has_dates)]
        parts += [("*CATEGORIES", self.has_categories), ("*TEXTS", self.has_texts)]
        names = [name for name, there in parts if there]
        return Code(names[0][1:] if names in (["*NUMBERS"], ["*CATEGORIES"]) else f"[{', '.join(names)}]")

    @cached_property
    def all_columns(self) -> Code:
        """The input columns and the targets, and what the rows are cut by."""
        data = self._spec.data
        roles = f"{', GROUP' if data.group else ''}{', TIME' if data.time else ''}"
        return Code(f"[{self._inside}, *TARGETS{roles}]")

    @cached_property
    def _inside(self) -> str:
        inputs = str(self.input_columns)
        return inputs[1:-1] if inputs.startswith("[") else f"*{inputs}"

    @cached_property
    def split_arguments(self) -> Code:
        """What split_of() of a streamed file goes by."""
        return Code({"group": "rows, seed", "time": "rows"}.get(self.cuts_by, "rows, chance"))

    @cached_property
    def split_columns(self) -> Code:
        """The columns that say which split a row is in, and whether it has a target."""
        data = self._spec.data
        roles = f"{', GROUP' if data.group else ''}{', TIME' if data.time else ''}"
        return Code(f"[*TARGETS{roles}]" if roles else "TARGETS")

    @cached_property
    def one_input_doc(self) -> Code:
        """One input: `(5,) float32`."""
        return Code(f"{python_value(self._spec.input_shape)} {self.input_dtype}")

    @cached_property
    def step_columns(self) -> Code:
        """The input columns, and those that say which sequence a row belongs to, and where."""
        return Code(f"[{self._inside}, GROUP, TIME]")

    @cached_property
    def group_column(self) -> Code:
        """The column of groups, as a Python string."""
        return python_value(self._spec.data.group[0])

    @cached_property
    def time_column(self) -> Code:
        """The column of the time, as a Python string."""
        return python_value(self._spec.data.time[0])

    @cached_property
    def steps(self) -> int:
        """How many time steps of a sequence are read."""
        return self._spec.input_shape[0]

    @cached_property
    def row_width(self) -> int:
        """The numbers that a row becomes."""
        return self._spec.input_shape[-1]

    @cached_property
    def rows_doc(self) -> Code:
        """What the encoder gives: `(N, 5) float32`, or a row for each time step."""
        if not self.is_sequences:
            return self.inputs_doc
        return Code(f"(rows, {self._spec.input_shape[-1]}) float32")

    @cached_property
    def time_format(self) -> Code:
        """`number`, or the format of dates as a Python string."""
        form = self._spec.data.time_format
        return Code(form) if form == "number" else python_value(form)

    @cached_property
    def reads_numbers(self) -> bool:
        """Whether some cell is read as a number: an input, a target, a class such as 3, or a time."""
        targets = self._task.form in ("regression", "multilabel") or self.whole_labels
        return self.has_numbers or targets or self._spec.data.time_format == "number"


def _dict(pairs: list[tuple[str, str]]) -> Code:
    inside = ", ".join(f"{python_value(name)}: {python_value(value)}" for name, value in pairs)
    return Code(f"{{{inside}}}")
