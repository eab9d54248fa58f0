"""Answers to a kit on disk: what `torchgen kit` does once it has its answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.answers.merge import look, merge, set_key
from torchgen_scaffold.create import copies_of
from torchgen_scaffold.errors import DestinationError, Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.kits import Kit, is_usual, make_kit
from torchgen_scaffold.kits.leaks import Leak, Secrets, leak_problems, leaks_in
from torchgen_scaffold.kits.marks import refuse
from torchgen_scaffold.kits.places import chosen_gaps
from torchgen_scaffold.lessons import Lesson, lesson_called
from torchgen_scaffold.names import suggest_name
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.write import write_tree

USUAL_LEVEL = 2
# What holds the data beside the code that reads it.
_WITH_DATA = ("starter", "solution", "grader/reference")
_MOST = (
    2**26
)  # bytes of a file of data that are looked through for leaks: nobody writes an answer behind them


@record
class Wanted:
    """What was asked for: the answers of the project, where their paths start, which gaps, and whether as notebooks too."""

    answers: Mapping[str, Any]
    base: Path
    level: int | None  # 2 where nothing is said
    gaps: str | None = None
    lesson: str | None = None
    notebook: bool = False

    @property
    def ready(self) -> Lesson | None:
        """The lesson that was asked for. Raises SpecError where there is none of that name."""
        return None if self.lesson is None else lesson_called(self.lesson)


def planned(wanted: Wanted, destination: Path) -> Plan:
    """The project of a kit: a lesson, which carries its data along. Raises SpecError."""
    given, ready = _dotted(wanted.answers), wanted.ready
    answers = merge(ready.answers, given) if ready else merge({}, given)
    if ready:
        _check_lesson(ready, given)
    if look(answers, "project.profile") == "standard":
        why = "Its files are for running a project rather than for learning one."
        raise SpecError(
            Problem("A kit has no standard profile.", why, "Leave --profile out.", "project.profile")
        )
    set_key(answers, "project.profile", "lesson")
    if "name" not in answers and look(answers, "data.source") is None:
        answers["name"] = suggest_name(destination.resolve().name) or "kit"
    first = Spec.from_dict(answers, base=wanted.base, into=destination / "starter")
    if not first.data.original:
        return plan(first)
    if SOURCES[first.data.source].names_files:
        why = "It is handed out with its data, and this data is a list of files that are elsewhere."
        instead = "Give what can be copied: a table, an .npz file, or a folder of images for each class."
        raise SpecError(Problem("A kit cannot carry this data.", why, instead, "data.source"))
    set_key(answers, "project.copy_data", value=True)
    return plan(Spec.from_dict(answers, base=wanted.base, into=destination / "starter"))


def _check_lesson(lesson: Lesson, given: Mapping[str, Any]) -> None:
    """Refuse answers that a lesson's text contradicts: it works out the sizes of its own network, on its own data."""
    told = ("task", "input_shape", "output_shape", "model", "data")
    problems = [
        Problem(
            f"--lesson {lesson.name} has its own {key}.",
            "Its text is about them.",
            "Leave one of the two out.",
            key,
        )
        for key in given
        if key.partition(".")[0] in told
    ]
    if problems:
        raise SpecError(problems)


def gaps_of(wanted: Wanted) -> tuple[str, ...]:
    """The gaps that were asked for. Raises SpecError."""
    if wanted.gaps is not None and wanted.ready and wanted.ready.pitfalls:
        why = "Mistakes are planted in it instead."
        raise SpecError(Problem(f"--lesson {wanted.lesson} has no gaps.", why, "Leave --gaps out."))
    if wanted.ready and wanted.level is not None:
        instead = "Leave the level out, or choose with --gaps."
        raise SpecError(
            Problem(f"--lesson {wanted.lesson} has its own gaps, whatever the level.", "", instead)
        )
    if wanted.gaps is None:
        return chosen_gaps(wanted.level or USUAL_LEVEL, wanted.ready.gaps if wanted.ready else ())
    try:
        numbers = [int(number) for number in wanted.gaps.split(",")]
    except ValueError:
        raise SpecError(
            Problem(f"--gaps {wanted.gaps!r} is no list of numbers.", "", "Write it as in --gaps 3,4,7")
        ) from None
    return chosen_gaps(wanted.level or USUAL_LEVEL, numbers)


def kit_of(wanted: Wanted, planned: Plan, *, level: int | None = None, like: Kit | None = None) -> Kit:
    """The kit of a project, with the gaps that were asked for; a student's own `level` goes before the kit's.

    `like` is the kit of another variant, if there is one.
    """
    asked = replace(wanted, level=level or wanted.level)
    exactly = wanted.gaps is not None
    return make_kit(
        planned,
        gaps_of(asked),
        exactly=exactly,
        lesson=wanted.ready,
        like=like,
        with_notebooks=wanted.notebook,
    )


def carried(kit: Kit) -> dict[str, dict[str, Path]]:
    """{folder of the kit: {path in it: file}}: the files that are copied rather than written."""
    data = kit.plan.spec.data
    own = copies_of(data.place, data.original) if data.original else {}
    found = {folder: dict(own) for folder in _WITH_DATA}
    if kit.lesson and kit.lesson.curves and is_usual(kit.plan, kit.lesson):
        for folder in ("starter", "solution"):
            found[folder]["curves.png"] = kit.lesson.curves
    return found


def write_kit(wanted: Wanted, destination: Path, *, force: bool = False) -> tuple[Kit, list[str]]:
    """Write a kit, whole or not at all; returns it, and its files. Raises SpecError, DestinationError, MachineError."""
    kit = kit_of(wanted, planned(wanted, destination))
    along = carried(kit)
    check_handout(kit, destination, "starter", along["starter"])
    copies = {f"{folder}/{name}": file for folder, files in along.items() for name, file in files.items()}
    return kit, write_tree(kit.files, destination, force=force, copies=copies)


def check_handout(
    kit: Kit, destination: Path, folder: str, copies: Mapping[str, Path], zipped: Path | None = None
) -> None:
    """Look for leaks in all that students would get in `destination/folder`: what is written, copied and zipped, and
    what is there already and stays. Raises SpecError for a file of the data, DestinationError for one that is there.
    """
    home = destination / folder
    there = (path for path in sorted(home.rglob("*")) if path.is_file()) if home.is_dir() else ()
    left = {name: path for path in there if (name := path.relative_to(home).as_posix()) not in kit.starter}
    _refuse(SpecError, _leaks(copies, kit.secrets), "Take it out of the data.")
    _refuse(DestinationError, _leaks(left, kit.secrets), f"Take it out of {visible(str(home))}.")
    if zipped is not None:
        refuse(kit.plan, leak_problems(_leaks({f"{home.name}.zip": zipped}, kit.secrets)))


def _leaks(files: Mapping[str, Path], secrets: Secrets) -> list[Leak]:
    found = []
    for name, path in files.items():
        with path.open("rb") as file:
            found += leaks_in({name: file.read(_MOST)}, secrets)
    return found


def _refuse(kind: type[SpecError | DestinationError], leaks: list[Leak], instead: str) -> None:
    if leaks:
        raise kind([replace(problem, instead=instead) for problem in leak_problems(leaks)])


def _dotted(answers: Mapping[str, Any]) -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for key, value in answers.items():
        flat |= (
            {f"{key}.{name}": one for name, one in value.items()}
            if isinstance(value, Mapping)
            else {key: value}
        )
    return flat
