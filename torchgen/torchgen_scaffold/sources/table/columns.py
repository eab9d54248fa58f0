"""What a column holds: numbers, yes or no, dates, words of a few kinds, text, or nothing to learn from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from shlex import quote

from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.layers.dense import Codes
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.sources.base import first_few, refuse
from torchgen_scaffold.sources.table.table import (
    FLOAT32_MAX,
    NO_NUMBER,
    Table,
    is_empty,
    number_in,
    without_gaps,
)
from torchgen_scaffold.spelling import counted

DATE_PARTS = 4  # year, month, day, day of the week
MOST_WORDS = 1000  # a category of more words is as good as an identifier
LONGEST_TEXT = 400  # words that are read of a text
MOST_IDS = 20_000
RESERVED_IDS = 2  # 0: past the end of a text; 1: a word without an id of its own
FEW_SLIPS = 0.9  # a column with a larger share of numbers is one of numbers

_YES_OR_NO = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))
_DATES = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_TWO_COUNTS = re.compile(r"[1-9][0-9]{0,8} [1-9][0-9]{0,8}")
_ID_NAME = re.compile(r"(?i)(\A|[_\W])(id|uuid|guid|index|rownames|row|nr|no|key)\Z|\Aunnamed")


@record
class Column:
    """An input column, as torchgen.toml records it: `category 3`, `number gaps`, `date %d.%m.%Y`, `text 40 812`.

    `detail` is the number of words of a category, the true word of a boolean, the format of a date; of a text, how
    many of its words are read and how many ids there are. `gaps` says that some cells are empty.
    """

    name: str
    kind: str  # number, boolean, date, category or text
    detail: str = ""
    gaps: bool = False

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, "gaps" if self.gaps else "", self.detail) if part)

    @classmethod
    def parse(cls, name: str, text: str) -> Column:
        """Read back what str() gives. Raises ValueError for anything else."""
        kind, _, rest = text.partition(" ")
        gaps = rest == "gaps" or rest.startswith("gaps ")
        detail = rest[4:].strip() if gaps else rest
        right = {
            "number": not detail,
            "boolean": bool(detail),
            "date": detail == "ISO8601" or "%" in detail,
            "category": _COUNT.fullmatch(detail),
            "text": _TWO_COUNTS.fullmatch(detail),
        }
        if not right.get(kind):
            raise ValueError("a kind is number, boolean WORD, date FORMAT, category N or text WORDS IDS")
        return cls(name, kind, detail, gaps)

    def with_ids(self, ids: int) -> Column:
        """The same text with so many ids for its words."""
        return replace(self, detail=f"{self.length} {ids}")

    @property
    def words(self) -> int:
        """The words of a category; 0 for anything else."""
        return int(self.detail) if self.kind == "category" else 0

    @property
    def length(self) -> int:
        """How many words of a text are read; 0 for anything else."""
        return int(self.detail.split()[0]) if self.kind == "text" else 0

    @property
    def ids(self) -> int:
        """How many ids a text's words have; 0 for anything else."""
        return int(self.detail.split()[1]) if self.kind == "text" else 0

    @property
    def parts(self) -> int:
        """The numbers that a cell itself becomes: a date has several, the word of a category none."""
        return {"number": 1, "boolean": 1, "date": DATE_PARTS}.get(self.kind, 0)

    @property
    def numbers(self) -> int:
        """The numbers that the column becomes, marks of gaps among them, besides the code of a category."""
        # A category has a code for nothing, and a text may have no words.
        return self.parts + int(self.gaps and self.kind not in ("category", "text"))


def width_of(columns: Iterable[Column]) -> int:
    """The numbers that one row becomes: those of every column, a code for each category, and the ids of texts."""
    return sum(column.numbers + bool(column.words) + column.length for column in columns)


def is_text(columns: Sequence[Column]) -> bool:
    """Whether there is a text and nothing else, so that a row is the ids of its words."""
    return [column.kind for column in columns] == ["text"]


def codes_of(columns: Sequence[Column]) -> Codes:
    """The codes of categories and texts in a row, in the order of the columns; none where a row is a text alone."""
    if is_text(columns):
        return Codes()
    return Codes(
        tuple(column.words for column in columns if column.words),
        tuple((column.length, column.ids) for column in columns if column.kind == "text"),
    )


@record
class Found:
    """What was found in one column: how it goes in (None where it does not), and a sentence for people."""

    name: str
    column: Column | None
    says: str


def look_at(name: str, cells: Sequence[str], lines: Sequence[int], decimal: str, place: str) -> Found:
    """What a column holds, by all of its cells. Raises SpecError for a number that no float32 can hold."""
    held = without_gaps(cells)
    numbers = [number_in(cell, decimal) for cell in held]
    if held and None not in numbers:
        measured = [number for number in numbers if number is not None]
        if not all(abs(number) <= FLOAT32_MAX for number in measured):
            raise _not_finite(name, cells, lines, decimal, place)
        return _numbers(name, cells, measured)
    _check_mixed(name, cells, numbers, lines, decimal, place)
    words = [cell for cell in cells if not is_empty(cell)]
    gaps = len(words) < len(cells)
    missing = _missing(len(cells) - len(words))
    different = set(words)
    if not different:
        return Found(name, None, "left out: it is empty")
    if len(different) == 1 and not gaps:
        return Found(name, None, f"left out: it always holds {shown(words[0])}")
    if pair := next((pair for pair in _YES_OR_NO if {word.lower() for word in different} == set(pair)), None):
        true = next(word for word in sorted(different) if word.lower() == pair[1])
        return Found(name, Column(name, "boolean", true, gaps), f"yes or no{missing}")
    if date_format := _date_format(different):
        first, *_, last = sorted(different, key=lambda word: _moment(word, date_format)) * 2
        says = f"dates, {shown(first)} to {shown(last)}{missing}: year, month, day, weekday"
        return Found(name, Column(name, "date", date_format, gaps), says)
    return _words(name, words, different, gaps, missing)


def _missing(cells: int) -> str:
    return f", {cells:,} missing" if cells else ""


def _not_finite(name: str, cells: Sequence[str], lines: Sequence[int], decimal: str, place: str) -> SpecError:
    """The refusal of a column of numbers, some of which no float32 can hold."""
    bad = []
    for line, cell in zip(lines, cells, strict=True):
        number = None if cell.lower() in NO_NUMBER else number_in(cell, decimal)
        if number is not None and not abs(number) <= FLOAT32_MAX:
            bad.append(f"line {line:,}: {cell[:40]!r}")
    return refuse(
        f"column {name!r} of {place!r} holds what is no finite float32 number",
        first_few(bad),
        f"Mend those cells, or leave the column out: --drop {quote(name)}",
    )


def _check_mixed(
    name: str,
    cells: Sequence[str],
    numbers: Sequence[float | None],
    lines: Sequence[int],
    decimal: str,
    place: str,
) -> None:
    """Refuse a column of numbers in which a few cells hold something else: a slip, and no column of words."""
    right = sum(number is not None for number in numbers)
    if not FEW_SLIPS * len(numbers) < right < len(numbers):
        return
    bad = [
        f"line {line:,}: {shown(cell)!r}"
        for line, cell in zip(lines, cells, strict=True)
        if cell.lower() not in NO_NUMBER and number_in(cell, decimal) is None
    ]
    raise refuse(
        f"column {name!r} of {place!r} holds numbers, but for {counted(len(bad), 'cell')}",
        first_few(bad),
        f"Mend or empty those cells, or leave the column out: --drop {quote(name)}",
    )


def _numbers(name: str, cells: Sequence[str], numbers: list[float]) -> Found:
    gaps = len(numbers) < len(cells)
    missing = _missing(len(cells) - len(numbers))
    different = len(set(numbers))
    if different == 1 and not gaps:
        return Found(name, None, f"left out: it is always {numbers[0]:g}")
    whole = all(number.is_integer() for number in numbers)
    if whole and different == len(cells) and _ID_NAME.search(name):
        return Found(name, None, "left out: a number of its own in every row is an identifier")
    says = f"numbers, {min(numbers):g} to {max(numbers):g}{missing}"
    return Found(name, Column(name, "number", gaps=gaps), says)


def _words(name: str, words: list[str], different: set[str], gaps: bool, missing: str) -> Found:
    many = len(different) > max(20, len(words) // 2) or len(different) > MOST_WORDS
    if len(different) > max(20, len(words) // 5) and sum(word.count(" ") for word in words) >= 3 * len(words):
        return _text(name, words, gaps, missing)
    if many:
        says = f"left out: {len(different):,} different words in {len(words):,} rows name things, as identifiers do"
        return Found(name, None, says)
    named = ", ".join(shown(word) for word in sorted(different)[:3]) + (", …" if len(different) > 3 else "")
    says = f"a category of {len(different):,} ({named}){missing}"
    return Found(name, Column(name, "category", str(len(different)), gaps), says)


def words_in(text: str) -> list[str]:
    """The words of a text, as a generated project finds them."""
    return re.findall(r"\w+", text.lower())


def _text(name: str, texts: list[str], gaps: bool, missing: str) -> Found:
    """A column of text: as many words of each are read as 19 of 20 have, and a word that stands once has no id."""
    found = [words_in(text) for text in texts]
    counts = Counter(word for words in found for word in words)
    often = sum(count > 1 for count in counts.values())
    if not often:
        return Found(name, None, "left out: text in which no word stands twice")
    lengths = sorted(map(len, found))
    length = min(max(1, lengths[len(lengths) * 19 // 20]), LONGEST_TEXT)
    ids = min(often + RESERVED_IDS, MOST_IDS)
    says = f"text, {len(counts):,} different words ({ids - RESERVED_IDS:,} of them more than once){missing}: the first {length} words of each"
    return Found(name, Column(name, "text", f"{length} {ids}", gaps), says)


def _date_format(different: set[str]) -> str:
    """The format that all of them are dates in: pandas' word for ISO dates, or strptime's; empty for no dates."""
    if not all(any(char.isdigit() for char in word) and len(word) <= 40 for word in different):
        return ""
    if all(_is_iso(word) for word in different):
        return "ISO8601"
    return next((form for form in _DATES if all(_is_date(word, form) for word in different)), "")


def _moment(word: str, form: str) -> datetime:
    return datetime.fromisoformat(word) if form == "ISO8601" else datetime.strptime(word, form)


def _is_iso(word: str) -> bool:
    if not re.match(r"\d{4}-\d{2}-\d{2}", word):
        return False
    try:
        return datetime.fromisoformat(word).tzinfo is None
    except ValueError:
        return False


def _is_date(word: str, form: str) -> bool:
    try:
        datetime.strptime(word, form)
    except ValueError:
        return False
    return True


def shown(word: str) -> str:
    """A cell as a sentence can hold it."""
    return word if len(word) <= 24 else f"{word[:24]}…"


def time_format(name: str, cells: Sequence[str], decimal: str) -> str:
    """How the cells say when: `number`, or the format of dates. Raises SpecError where neither."""
    if all(number_in(cell, decimal) is not None for cell in cells):
        return "number"
    if found := _date_format(set(cells)):
        return found
    bad = next((cell for cell in cells if not _is_iso(cell)), "")
    raise refuse(
        f"the time {name!r} is neither numbers nor dates",
        f"one of its cells is {shown(bad)!r}",
        "Name a column that can be sorted, without gaps: --time COLUMN",
        "data.time",
    )


def look(table: Table, names: Iterable[str], place: str) -> list[Found]:
    """What each of these columns holds."""
    return [look_at(name, table.column(name), table.lines, table.reading.decimal, place) for name in names]
