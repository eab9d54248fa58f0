"""A roster: a CSV file with a row for each student, read and checked as a whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from torchgen_scaffold.answers.words import MOST_BYTES
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.gaps import LEVELS
from torchgen_scaffold.names import windows_clash, windows_problem
from torchgen_scaffold.records import record
from torchgen_scaffold.settings import SETTINGS

_COLUMNS = ("id", "seed", "level")
_DELIMITERS = (",", ";", "\t")
_LONGEST = 100  # signs of an id: it becomes a folder, and part of the names in it
_EXAMPLE = "Write a header and a row for each student: id,seed,level"


@record
class Student:
    """A row of a roster; without a seed of its own, one that follows from the id and the kit's seed."""

    id: str
    line: int
    seed: int
    level: int | None = None


def read_roster(path: Path, kit_seed: int) -> tuple[Student, ...]:
    """The students of a roster, in their order. Raises SpecError with every problem and its line."""
    rows = _rows(_text(path), path)
    header = next(rows, (1, []))[1]
    columns = [name.strip().lower() for name in header]
    problems = list(_wrong_header(columns, path))
    if problems:
        raise SpecError(problems)
    students = []
    for line, cells in rows:
        named = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        found = _student(named, line, kit_seed)
        if isinstance(found, Student):
            students.append(found)
        else:
            problems += found
    problems += _twice(students)
    if not students and not problems:
        problems = [
            Problem(f"{visible(str(path))} has no students.", "Below its header is no row.", _EXAMPLE)
        ]
    if problems:
        raise SpecError(problems)
    return tuple(students)


def seed_of(identifier: str, kit_seed: int) -> int:
    """The seed of a student who has none in the roster: the first 31 bits of sha256("<kit's seed>:<id>").

    It depends on nobody else, so that a class may grow without changing anybody's kit.
    """
    digest = hashlib.sha256(f"{kit_seed}:{identifier}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def id_problem(identifier: str) -> str | None:
    """Why an id cannot name a folder on every system, or None."""
    if not identifier:
        return "is empty"
    if len(identifier) > _LONGEST:
        return f"has more than {_LONGEST} characters"
    if not identifier[0].isalnum():
        return "starts with neither a letter nor a digit"
    stray = next((sign for sign in identifier if not (sign.isalnum() or sign in " ._-@+")), None)
    if stray is not None:
        return f"has '{visible(stray)}'; letters, digits, spaces and . _ - @ + are safe on every system"
    if identifier.lower().endswith(".zip"):
        return "ends in .zip, as the archive of a student does"
    return windows_problem(identifier)


def _text(path: Path) -> str:
    """The text of the file. Raises SpecError where it cannot be read, is too large, or is no UTF-8."""
    shown, instead = visible(str(path)), "Give the path of a CSV file: --roster students.csv"
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SpecError(Problem(f"{shown} cannot be read.", f"{reason}.", instead)) from error
    if len(content) > MOST_BYTES:
        raise SpecError(
            Problem(f"{shown} is too large.", f"It has more than {MOST_BYTES // 2**20} MiB.", instead)
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        why = f"In line {line} it holds bytes that are no UTF-8."
        raise SpecError(Problem(f"{shown} is no text.", why, "Save it as CSV UTF-8.")) from error


def _rows(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of the rows that hold anything, the header first. Raises SpecError where it is no CSV."""
    import csv

    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(
        text.splitlines(keepends=True), delimiter=max(_DELIMITERS, key=first.count), strict=True
    )
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        why = f"Line {reader.line_num}: {error}."
        raise SpecError(Problem(f"{visible(str(path))} is no CSV file.", why, _EXAMPLE)) from error


def _wrong_header(columns: Sequence[str], path: Path) -> Iterator[Problem]:
    if "id" not in columns:
        named = ", ".join(visible(name) for name in columns[:10]) or "nothing"
        yield Problem(f"{visible(str(path))} has no column id.", f"Its first line has {named}.", _EXAMPLE)
    for name in _COLUMNS:
        if columns.count(name) > 1:
            yield Problem(f"{visible(str(path))} has the column {name} twice.", "", "Rename one of them.")


def _student(named: dict[str, str], line: int, kit_seed: int) -> Student | list[Problem]:
    """A row as a student, or what is wrong with it."""
    identifier, problems = named.get("id", ""), []
    if (why := id_problem(identifier)) is not None:
        what = f"line {line}: the id '{visible(identifier[:_LONGEST])}' {why}."
        problems.append(Problem(what, "It names a folder and a zip.", "Change the id."))
    seed, level = seed_of(identifier, kit_seed), None
    if given := named.get("seed"):
        try:
            seed = SETTINGS["training.seed"].kind.read(given)
        except ValueError as error:
            what = f"line {line}: the seed {visible(given[:40])!r} is none."
            problems.append(Problem(what, f"{error}.", "Write a whole number, or leave it empty."))
    if given := named.get("level"):
        if re.fullmatch("[0-9]", given) and int(given) in LEVELS:
            level = int(given)
        else:
            what = f"line {line}: the level {visible(given[:40])!r} is none."
            problems.append(
                Problem(what, "", f"Write one of {', '.join(map(str, LEVELS))}, or leave it empty.")
            )
    return problems or Student(identifier, line, seed, level)


def _twice(students: Sequence[Student]) -> Iterator[Problem]:
    """Ids that are there twice, or that are one on some disk."""
    lines: dict[str, int] = {}
    for student in students:
        if student.id in lines:
            what = (
                f"line {student.line}: the id '{visible(student.id)}' is in line {lines[student.id]} already."
            )
            yield Problem(what, "", "Drop one of the rows, or change its id.")
        lines.setdefault(student.id, student.line)
    for first, second in windows_clash(lines):
        what = f"line {lines[second]}: the ids '{visible(first)}' and '{visible(second)}' are one name on some disks."
        yield Problem(what, "Windows and macOS see no difference.", "Change one of them.")
