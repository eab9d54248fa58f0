"""A teaching kit: one project as a starter with gaps, its solution, and the grader that tells them apart.

All three come from the same templates. The starter is the project rendered with gaps open, the solution is the very
project that `torchgen new --profile lesson` writes, and where a gap is, is read from the starter itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.formatting import formatted
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.generate import texts_of
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.records import record
from torchgen_scaffold.render import rendered
from torchgen_scaffold.view.kit import KitView, Place
from torchgen_scaffold.written import MEMORY, memory_of

# Of the project, what a starter does not have: its answers would make the solution again, and its tests show steps.
_SOLVED = ("README.md", "torchgen.toml", "test_project.py")
_STARTER = {name: f"kit/{name}.jinja" for name in ("README.md", "test_gaps.py", "conftest.py")}
_FILES = ("dataset", "eval", "model", "train")
_GRADER = {
    name: f"kit/{name}.jinja"
    for name in (
        *("grade.py", "compose.py", "kit.json", "probing.py", "probes.py", "checking.py", "checks.py"),
        *(
            "submissions.py",
            "running.py",
            "confine.py",
            "sandbox.py",
            "judging.py",
            "report.py",
            "grading.py",
            "evidence.py",
        ),
        *(f"{kind}_{file}.py" for kind in ("probe", "check") for file in _FILES),
    )
}
_CODE = ("model.py", "dataset.py", "train.py", "eval.py")


@record
class Kit:
    """The texts of one kit, each folder for itself: {path in it: text}."""

    plan: Plan
    places: dict[str, tuple[Place, ...]]  # the functions of each gap
    starter: dict[str, str]
    solution: dict[str, str]
    grader: dict[str, str]

    @property
    def files(self) -> dict[str, str]:
        """{path in the kit: text}."""
        folders = {"starter": self.starter, "solution": self.solution, "grader": self.grader}
        return {f"{folder}/{name}": text for folder, files in folders.items() for name, text in files.items()}


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


def make_kit(plan: Plan, gaps: tuple[str, ...], *, exactly: bool = False) -> Kit:
    """The kit of a project, with these gaps open as far as it has them.

    Raises SpecError where it has none of them, or, where they are meant `exactly`, lacks one.
    """
    solution = texts_of(plan)
    opened = texts_of(plan, frozenset(gaps))
    places = places_of(opened, gaps)
    missing = [name for name in gaps if name not in places]
    if missing and (exactly or not places):
        raise _without(missing, places)
    view = KitView(plan, places)
    folder = plan.spec.project.templates_at
    shared = _formatted(rendered(view, _STARTER, folder))
    starter = {name: text for name, text in opened.items() if name not in _SOLVED} | shared
    grader = _formatted(rendered(view, _GRADER, folder))
    grader |= {f"reference/{name}": solution[name] for name in _CODE}
    tests = {name: text for name, text in shared.items() if name != "README.md"}
    return Kit(plan, places, starter, {**solution, MEMORY: memory_of(solution), **tests}, grader)


def _formatted(files: dict[str, str]) -> dict[str, str]:
    return {name: formatted(name, text) for name, text in files.items()}


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


def places_of(opened: dict[str, str], gaps: tuple[str, ...]) -> dict[str, tuple[Place, ...]]:
    """{gap: the functions that it opens}, read from the line that stands in each: raise NotImplementedError("gap 7: …")."""
    names = {f"gap {GAPS[name].number}": name for name in gaps}
    found: dict[str, list[Place]] = {}
    for file in _CODE:
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
        yield from _raised(child, inside)
