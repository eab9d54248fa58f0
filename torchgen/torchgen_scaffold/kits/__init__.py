"""A teaching kit: one project as a starter with gaps, its solution, and the grader that tells them apart.

All three come from the same templates. The starter is the project rendered with gaps open, the solution is the very
project that `torchgen new --profile lesson` writes, and where a gap is, is read from the starter itself.
"""

from __future__ import annotations

import re

from torchgen_scaffold.formatting import formatted
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.generate import texts_of
from torchgen_scaffold.kits.leaks import Secrets, leak_problems, leaks_in, secrets_of
from torchgen_scaffold.kits.marks import check_problems, mark_problems, refuse
from torchgen_scaffold.kits.mistakes import MISTAKES, planted
from torchgen_scaffold.kits.mistakes.row import Mistake
from torchgen_scaffold.kits.places import CODE, places_in, places_of
from torchgen_scaffold.lessons import Lesson
from torchgen_scaffold.overlay import SUFFIX, names_in, own_templates
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.render import rendered
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.view.ci import CI_FILES
from torchgen_scaffold.view.kit import Contents, KitView, Place, source_of
from torchgen_scaffold.view.lesson import LessonView
from torchgen_scaffold.written import MEMORY, memory_of

# Of the project, what a starter does not have: its answers would make the solution again, and its tests show steps.
_SOLVED = ("README.md", "torchgen.toml", "test_project.py", *CI_FILES.values())
_STARTER = {name: f"kit/starter/{name}.jinja" for name in ("README.md", "test_gaps.py", "conftest.py")}
# A workflow of the public tests, beside the solution's own where that has another name.
_CI = {
    "github": {".github/workflows/test_gaps.yml": "kit/ci/github.yml.jinja"},
    "gitlab": {".gitlab-ci.yml": "kit/ci/gitlab.yml.jinja"},
}
_INSTRUCTOR = {"instructor.md": "kit/instructor.md.jinja"}
_GRADER = "kit/grader/"  # all templates of this folder, each a file of the grader
_KIT_JSON = {"kit.json": f"{_GRADER}kit.json.jinja"}


@record
class Kit:
    """The texts of one kit, each folder for itself: {path in it: text}."""

    plan: Plan
    places: dict[str, tuple[Place, ...]]  # the functions of each gap
    starter: dict[str, str]
    solution: dict[str, str]
    grader: dict[str, str]
    instructor: str
    lesson: Lesson | None
    secrets: Secrets  # what no file of the starter may say

    @property
    def files(self) -> dict[str, str]:
        """{path in the kit: text}."""
        folders = {"starter": self.starter, "solution": self.solution, "grader": self.grader}
        inside = {
            f"{folder}/{name}": text for folder, files in folders.items() for name, text in files.items()
        }
        return {**inside, "instructor.md": self.instructor}


def make_kit(
    plan: Plan,
    gaps: tuple[str, ...],
    *,
    exactly: bool = False,
    lesson: Lesson | None = None,
    like: Kit | None = None,
    with_notebooks: bool = False,
) -> Kit:
    """The kit of a project, with these gaps open as far as it has them; or with the pitfalls of a lesson.

    What all variants share is that of `like`.

    Raises SpecError where it has none of them, or, where they are meant `exactly`, lacks one.
    """
    pitfalls = [MISTAKES[name] for name in lesson.pitfalls] if lesson else []
    gaps = tuple(name for name in GAPS if name in {row.gap for row in pitfalls}) or gaps
    solution = texts_of(plan)
    opened = texts_of(plan, frozenset(gaps))
    places = places_in(opened, gaps, exactly=exactly)
    alike = like if like and list(like.places) == list(places) else None
    view = KitView(plan, _contents(places, solution, pitfalls, lean=alike is not None))
    names = _STARTER | _CI.get(plan.spec.project.ci, {})
    added = _formatted(rendered(view, names, plan.spec.project.templates_at)) | _lesson_files(plan, lesson)
    handed = _with_all(solution, places, pitfalls) if pitfalls else opened
    starter = {name: text for name, text in handed.items() if name not in _SOLVED} | added
    added = {name: text for name, text in added.items() if name not in solution}
    solution = {**solution, MEMORY: memory_of(solution), **added}
    if with_notebooks:
        from torchgen_scaffold.kits.notebook import notebooks

        name = f"{plan.spec.name}.ipynb"
        starter[name], solution[name] = notebooks(
            lambda some: KitView(plan, Contents(dict(some), solution, pitfalls=view.planted)),
            places,
            starter,
            solution,
            plan.spec.project.templates_at,
        )
    grader, instructor = _kept(view, plan, solution, alike)
    # Where pitfalls are planted, the rest of each function is right, and no secret.
    secrets = secrets_of(starter, solution, grader, {} if pitfalls else places)
    made = Kit(plan, places, starter, solution, grader, instructor, lesson, secrets)
    _check(made, opened, marks=alike is None and not pitfalls)
    return made


def _check(kit: Kit, opened: dict[str, str], *, marks: bool) -> None:
    """Refuse what leaks, and `marks` that break their rules. Raises TemplateError, MachineError."""
    if marks:
        alone = {name: places_of(texts_of(kit.plan, frozenset({name})), (name,)) for name in kit.places}
        faults = [*mark_problems(kit.places, alone, opened), *check_problems(kit.places, kit.grader)]
        refuse(kit.plan, faults)
    refuse(kit.plan, leak_problems(leaks_in(kit.starter, kit.secrets)))


def _kept(
    view: KitView, plan: Plan, solution: dict[str, str], alike: Kit | None
) -> tuple[dict[str, str], str]:
    """What the instructor keeps: the grader's files, and the page. All but the facts and the reference is that of `alike`."""
    folder = plan.spec.project.templates_at
    reference = {f"reference/{name}": solution[name] for name in CODE}
    if alike:
        facts = _formatted(rendered(view, _KIT_JSON, folder))
        return {**alike.grader, **facts, **reference}, alike.instructor
    names = {
        source.removeprefix(_GRADER).removesuffix(SUFFIX): source
        for source in (*names_in(own_templates()), *(names_in(folder) if folder else ()))
        if source.startswith(_GRADER)
    }
    grader = {**_formatted(rendered(view, names, folder)), **reference}
    return grader, rendered(view, _INSTRUCTOR, folder)["instructor.md"]


def _contents(
    places: dict[str, tuple[Place, ...]],
    solution: dict[str, str],
    pitfalls: list[Mistake],
    *,
    lean: bool,
) -> Contents:
    """What the files of the kit say of it; of all mistakes, those that can be made in this project.

    A `lean` one is for files that tell nothing of them.
    """
    rows = () if lean else MISTAKES.values()
    possible = [row for row in rows if planted(solution, places, row) is not None]
    return Contents(
        places,
        solution,
        tuple((row.gap, f"**planted**: {row.says}" if row in pitfalls else row.says) for row in possible),
        tuple((row.gap, row.check) for row in pitfalls),
    )


def _with_all(
    solution: dict[str, str], places: dict[str, tuple[Place, ...]], pitfalls: list[Mistake]
) -> dict[str, str]:
    """The solution with all these mistakes in it."""
    for row in pitfalls:
        changed = planted(solution, places, row)
        assert changed is not None, f"{row.name} does not fit its lesson"
        solution = changed
    return {
        name: _silent(text, [f for gap in places.values() for file, f in gap if file == name])
        for name, text in solution.items()
    }


def _silent(text: str, functions: list[str]) -> str:
    """The text without the comments in these functions, which say how it ought to be."""
    for function in functions:
        code = source_of(text, function)
        bare = re.sub(r"^ *#.*\n|  # .*$", "", code, flags=re.MULTILINE)
        text = text.replace(code, bare)
    return text


def is_usual(plan: Plan, lesson: Lesson) -> bool:
    """Whether a run of the lesson's project was recorded as it is here: only the seed may be another."""
    usual = Spec.from_dict({**lesson.answers, "name": plan.spec.name, "project": {"profile": "lesson"}})
    return replace(plan.spec.training, seed=usual.training.seed) == usual.training


def _lesson_files(plan: Plan, lesson: Lesson | None) -> dict[str, str]:
    """A lesson's page, and the picture of its network."""
    if lesson is None:
        return {}
    from torchgen_scaffold.draw import svg_of

    run = lesson.run if is_usual(plan, lesson) else {}
    view = LessonView(plan, lesson.name, lesson.title, run)
    page = rendered(view, {"LESSON.md": "lessons/lesson.md.jinja"}, plan.spec.project.templates_at)
    return {**_formatted(page), "network.svg": svg_of(plan)}


def _formatted(files: dict[str, str]) -> dict[str, str]:
    return {name: formatted(name, text) for name, text in files.items()}
