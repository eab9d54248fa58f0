"""Answers to a kit on disk: what `torchgen kit` does once it has its answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.answers.merge import look, set_key
from torchgen_scaffold.create import copies_of
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.kits import Kit, chosen_gaps, make_kit
from torchgen_scaffold.names import suggest_name
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.records import record
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.write import write_tree

# What holds the data beside the code that reads it.
_WITH_DATA = ("starter", "solution", "grader/reference")


@record
class Wanted:
    """What was asked for: the answers of the project, where their paths start, which gaps, and whether as notebooks too."""

    answers: Mapping[str, Any]
    base: Path
    level: int
    gaps: str | None = None
    notebook: bool = False


def planned(wanted: Wanted, destination: Path) -> Plan:
    """The project of a kit: a lesson, which carries its data along. Raises SpecError."""
    answers = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in wanted.answers.items()
    }
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
    set_key(answers, "project.copy_data", value=True)
    return plan(Spec.from_dict(answers, base=wanted.base, into=destination / "starter"))


def gaps_of(wanted: Wanted) -> tuple[str, ...]:
    """The gaps that were asked for. Raises SpecError."""
    if wanted.gaps is None:
        return chosen_gaps(wanted.level)
    try:
        numbers = [int(number) for number in wanted.gaps.split(",")]
    except ValueError:
        raise SpecError(
            Problem(f"--gaps {wanted.gaps!r} is no list of numbers.", "", "Write it as in --gaps 3,4,7")
        ) from None
    return chosen_gaps(wanted.level, numbers)


def write_kit(wanted: Wanted, destination: Path, *, force: bool = False) -> tuple[Kit, list[str]]:
    """Write a kit, whole or not at all; returns it, and its files. Raises SpecError, DestinationError, MachineError."""
    kit = make_kit(
        planned(wanted, destination),
        gaps_of(wanted),
        exactly=wanted.gaps is not None,
        with_notebooks=wanted.notebook,
    )
    data = kit.plan.spec.data
    own = copies_of(data.place, data.original) if data.original else {}
    copies = {f"{folder}/{name}": file for folder in _WITH_DATA for name, file in own.items()}
    return kit, write_tree(kit.files, destination, force=force, copies=copies)
