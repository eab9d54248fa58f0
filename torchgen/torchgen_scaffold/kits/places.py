"""Which gaps are asked for, and where they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.view.kit import Place

CODE = ("model.py", "dataset.py", "train.py", "eval.py")  # the files that have gaps


def chosen_gaps(level: int, numbers: Iterable[int] = ()) -> tuple[str, ...]:
    """The names of the gaps: those of these numbers, or else all up to a level. Raises SpecError for a number of none."""
    by_number = {gap.number: gap.name for gap in GAPS.values()}
    wanted = list(numbers)
    wrong = [str(number) for number in wanted if number not in by_number]
    if wrong:
        why = ", ".join(f"{gap.number} {gap.title}" for gap in GAPS.values())
        raise SpecError(
            Problem(f"There is no gap {', '.join(wrong)}.", why, "Give some of these numbers: --gaps 3,4,7")
        )
    if wanted:
        return tuple(by_number[number] for number in sorted(set(wanted)))
    return tuple(gap.name for gap in GAPS.values() if gap.level <= level)


def _without(missing: list[str], places: dict[str, tuple[Place, ...]]) -> SpecError:
    said = ", ".join(f"{GAPS[name].number} ({GAPS[name].title})" for name in missing)
    there = ", ".join(str(GAPS[name].number) for name in places) or "none of them"
    return SpecError(
        Problem(
            f"This project has no gap {said}.",
            f"Its data is made or read without it; it has {there}.",
            "Choose others: --gaps",
        )
    )


def places_in(
    opened: dict[str, str], gaps: tuple[str, ...], *, exactly: bool
) -> dict[str, tuple[Place, ...]]:
    """The same; raises SpecError where there are none of them, or, where they are meant `exactly`, one is missing."""
    places = places_of(opened, gaps)
    missing = [name for name in gaps if name not in places]
    if missing and (exactly or not places):
        raise _without(missing, places)
    return places


def places_of(opened: dict[str, str], gaps: tuple[str, ...]) -> dict[str, tuple[Place, ...]]:
    """{gap: the functions that it opens}, read from the line that stands in each: raise NotImplementedError("gap 7: …")."""
    names = {f"gap {GAPS[name].number}": name for name in gaps}
    found: dict[str, list[Place]] = {}
    for file in CODE:
        for function, said in _raised(ast.parse(opened[file]), ()):
            if (name := names.get(said.partition(":")[0])) is not None:
                found.setdefault(name, []).append((file, function))
    return {name: tuple(found[name]) for name in gaps if name in found}


def _raised(node: ast.AST, inside: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(dotted function, message) of each NotImplementedError."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        inside = (*inside, node.name)
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
        if isinstance(message := node.exc.args[0], ast.Constant):
            yield ".".join(inside), str(message.value)
        return
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):  # nothing is raised in one
            yield from _raised(child, inside)
