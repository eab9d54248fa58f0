"""A project of a kit as one notebook: its files cut into cells, with nbgrader's marks.

The format is nbformat 4.5, plain JSON of a handful of keys; the tests validate it with the library of that name, which would bring
a dozen packages into the generator. What a notebook says comes from the project's files alone, so it follows them.
"""

from __future__ import annotations

import json
import re
from ast import ClassDef, FunctionDef, get_docstring, parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.escape import markdown
from torchgen_scaffold.formatting import by_black, formatted
from torchgen_scaffold.gaps import GAPS, Gap
from torchgen_scaffold.kits.cutting import (
    Piece,
    bound_by,
    flow_of,
    imports_of,
    pieces_of,
    used_in,
    with_marks,
    without_modules,
)
from torchgen_scaffold.records import record
from torchgen_scaffold.render import rendered
from torchgen_scaffold.view.kit import KitView, Place

Places = Mapping[str, tuple[Place, ...]]
Marks = dict[str, object]  # what nbgrader reads of a cell

_FILES = ("dataset.py", "model.py", "eval.py", "train.py")  # in the order in which each needs those before
_OWN = frozenset(name.removesuffix(".py") for name in _FILES)
_SHOWN = (
    "dataset.py",
    "model.py",
)  # run by themselves, they show what they make; the others wait for the tests
_FLOWS = {"train.py": "Train", "eval.py": "Evaluate"}
_WORDS = {"intro": "kit/notebook.md.jinja", "runner": "kit/notebook_tests.py.jinja"}
_TESTS = {"tests": "kit/starter/test_gaps.py.jinja"}
_FIXTURE = re.compile(r"^@pytest\.fixture.*\n", re.MULTILINE)  # the notebook's runner calls it by its name
_OPEN = "raise NotImplementedError("
_HERE = "Path(__file__).parent"
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@record
class Cell:
    """One cell: its id, what it holds, and nbgrader's marks."""

    id: str
    source: str
    is_code: bool = True
    marks: Marks | None = None

    def to_dict(self) -> dict[str, object]:
        """As nbformat wants it."""
        metadata = {"nbgrader": self.marks} if self.marks else {}
        cell: dict[str, object] = {
            "cell_type": "code" if self.is_code else "markdown",
            "id": self.id,
            "metadata": metadata,
            "source": self.source.splitlines(keepends=True),
        }
        return cell | ({"execution_count": None, "outputs": []} if self.is_code else {})


def notebooks(
    view_of: Callable[[Places], KitView],
    places: Places,
    starter: Mapping[str, str],
    solution: Mapping[str, str],
    folder: Path | None,
) -> tuple[str, str]:
    """The notebooks of a starter and of its solution; templates of `folder` go before torchgen's own.

    Raises SpecError where two files define one name.
    """
    # Where a starter holds pitfalls in place of gaps, nothing is marked: nbgrader would cut out what is to be mended.
    opened = {gap: where for gap, where in places.items() if any(_OPEN in starter[file] for file, _ in where)}
    marked = {
        name: with_marks(
            starter[name], solution[name], sorted({place[1] for place in _in_file(opened, name)})
        )
        for name in _FILES
    }
    tests = starter["test_gaps.py"]
    said = rendered(view_of(places), _WORDS, folder)
    alone = {gap: rendered(view_of({gap: where}), _TESTS, folder)["tests"] for gap, where in places.items()}
    tested = _tested(tests, alone)
    return _notebook(starter, tests, said, opened, tested), _notebook(marked, tests, said, opened, tested)


def _in_file(places: Places, name: str) -> Iterator[Place]:
    return (place for where in places.values() for place in where if place[0] == name)


def _notebook(
    files: Mapping[str, str], tests: str, said: Mapping[str, str], places: Places, tested: Mapping[str, str]
) -> str:
    files = {name: files[name].replace(_HERE, "Path()") for name in _FILES}
    runner, tests = said["runner"], _FIXTURE.sub("", without_modules(tests, _OWN))
    cells = [
        cell for name in _FILES for cell in _definitions(name, files[name], places, set(tested.values()))
    ]
    # Where pitfalls stand in place of gaps, most tests pass before anything is mended: none gives points.
    cells += _public_tests(runner, tests, {name: gap for name, gap in tested.items() if gap in places})
    for name, title in _FLOWS.items():
        told, flow = flow_of(files[name])
        if flow:
            cells += [
                _words(f"run {name}", f"## {title}\n\n{markdown(told)}"),
                Cell(_id(f"run {name}"), by_black(flow).strip("\n")),
            ]
    _check_names(cells)
    used = set().union(*(used_in(cell.source) for cell in cells if cell.is_code))
    imports = imports_of([*(files[name] for name in _FILES), tests, runner], used, _OWN)
    first = [_words("lesson", said["intro"].strip()), Cell("imports", _black(imports))]
    document = {
        "cells": [cell.to_dict() for cell in [*first, *cells]],
        "metadata": _KERNEL,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _words(name: str, text: str) -> Cell:
    return Cell(_id(f"about {name}"), text, is_code=False)


def _id(name: str) -> str:
    """An id of a cell, from what it holds: the same in each run."""
    return re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")[:64]


def _black(text: str) -> str:
    return formatted("cell.py", text).strip("\n")


def _marks(name: str, *, solution: bool = False, points: float | None = None) -> Marks:
    """nbgrader's metadata, schema 3: an answer, a test with points, or a cell that is only to be read."""
    graded: Marks = {} if points is None else {"points": points}
    return graded | {
        "grade": points is not None,
        "grade_id": _id(name),
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }


# The files.


def _definitions(name: str, text: str, places: Places, tested: set[str]) -> Iterator[Cell]:
    """A heading, then a cell for each gap, each class, and each run of functions or of constants."""
    said = (get_docstring(parse(text)) or "").partition("\n\n")[0]
    yield _words(name, f"## `{name}`\n\n{markdown(said)}")
    stem = name.removesuffix(".py")
    for (kind, _), group in groupby(_sorted_out(name, text, places), key=lambda row: row[:2]):
        pieces = [piece for _, _, piece in group]
        first = f"{stem} {pieces[0].names[0]}"
        between = "\n" if kind == "value" else "\n\n\n"
        source = between.join(piece.text for piece in pieces)
        if kind == "main" and name in _SHOWN:
            yield Cell(
                _id(f"show {stem}"),
                f"{source.replace('def main(', f'def show_{stem}(', 1)}\n\n\nshow_{stem}()",
            )
        elif kind == "gap":
            gaps = _gaps_in(name, pieces[0], places)
            yield _words(
                f"gap {first}",
                "\n\n".join(f"### Gap {gap.number}: {gap.title}\n\nRule: {gap.rule}" for gap in gaps),
            )
            yield Cell(
                _id(first), source, marks=_answer(first, gaps, (name, pieces[0].names[0]), places, tested)
            )
        elif kind != "main":
            yield Cell(_id(first), source)


def _sorted_out(name: str, text: str, places: Places) -> Iterator[tuple[str, int, Piece]]:
    """Each definition with its kind, and a number of its own where it gets a cell of its own."""
    for number, piece in enumerate(pieces_of(text), start=1):
        if piece.names == ("main",):
            yield "main", number, piece
        elif _gaps_in(name, piece, places):
            yield "gap", number, piece
        elif isinstance(piece.node, ClassDef):
            yield "class", number, piece
        else:
            yield "function" if isinstance(piece.node, FunctionDef) else "value", 0, piece


def _gaps_in(name: str, piece: Piece, places: Places) -> list[Gap]:
    return [
        GAPS[gap]
        for gap, where in places.items()
        if any(file == name and function.partition(".")[0] in piece.names for file, function in where)
    ]


def _answer(first: str, gaps: list[Gap], at: Place, places: Places, tested: set[str]) -> Marks:
    """An answer that tests grade; or, for gaps that no public test is about, one that a person does, in the first cell of each."""
    by_hand = [
        gap.points
        for gap in gaps
        if gap.name not in tested and (places[gap.name][0][0], places[gap.name][0][1].partition(".")[0]) == at
    ]
    return _marks(f"answer {first}", solution=True, points=sum(by_hand) if by_hand else None)


# The public tests.


def _tested(tests: str, alone: Mapping[str, str]) -> dict[str, str]:
    """{test: the gap that it is about}: the tests that are there where only that gap is open."""
    found: dict[str, str] = {}
    for gap, text in alone.items():
        for name in _tests_in(pieces_of(text)):
            found.setdefault(name, gap)
    return {name: found[name] for name in _tests_in(pieces_of(tests)) if name in found}


def _tests_in(pieces: Iterable[Piece]) -> list[str]:
    return [name for piece in pieces for name in piece.names if name.startswith("test_")]


def _public_tests(runner: str, tests: str, tested: Mapping[str, str]) -> Iterator[Cell]:
    yield _words(
        "tests",
        "## Public tests\n\nThey are some of the tests. The others run at grading, on each gap for itself.",
    )
    pieces = pieces_of(tests)
    names = _tests_in(pieces)
    helpers = [piece.text for piece in pieces if not set(piece.names) & set(names)]
    source = "\n\n\n".join([*(piece.text for piece in pieces_of(runner)), *helpers])
    yield Cell("tests-helpers", source, marks=_marks("tests helpers"))
    for gap in dict.fromkeys(tested.values()):
        mine = [
            piece for piece in pieces if set(piece.names) & {name for name in tested if tested[name] == gap}
        ]
        points, called = GAPS[gap].points, ", ".join(_tests_in(mine))
        call = _black(f"points_of({points}, {called})")
        source = "\n\n\n".join([*(piece.text for piece in mine), call])
        yield Cell(_id(f"tests {gap}"), source, marks=_marks(f"tests {gap}", points=points))
    others = [piece.text for piece in pieces if set(piece.names) & set(names) - set(tested)]
    call = _black(f"passed = passing({', '.join(names)})")
    yield Cell("tests-all", "\n\n\n".join([*others, call]), marks=_marks("tests all"))


def _check_names(cells: Iterable[Cell]) -> None:
    """Raises SpecError where one name is defined in two places: in a notebook, one would hide the other."""
    owner: dict[str, str] = {}
    for cell in (cell for cell in cells if cell.is_code):
        for name in {name for node in parse(cell.source).body for name in bound_by(node)}:
            place = "run" if cell.id.startswith("run-") else cell.id  # the runs may share names
            if owner.setdefault(name, place) != place:
                what = f"A notebook cannot have two things called {name}: see the cells {owner[name]} and {place}."
                instead = "Rename one of them in your templates, or leave --notebook out."
                raise SpecError(Problem(what, "All files become one namespace there.", instead))
