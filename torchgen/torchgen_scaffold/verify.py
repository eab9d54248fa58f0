"""Prove a generated project: its own tests, one epoch, eval, predict, each in a process of its own.

A process of its own is the point: what only works in the process that trained is found here. Everything runs in a
copy, so that the user's checkpoints and results are left alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from torchgen_scaffold.answers.words import Answers, read_toml
from torchgen_scaffold.children import Children
from torchgen_scaffold.errors import MachineError, Problem, SpecError
from torchgen_scaffold.records import record


@record
class Step:
    """One thing that was tried: whether it worked, how long it took, and the last thing it said."""

    name: str
    ok: bool
    seconds: float
    detail: str


@record
class Verified:
    """Every step that was run; a step after a failed one that it needs is not run."""

    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether every step worked."""
        return all(step.ok for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        """As `torchgen verify --json` prints it."""
        return {"ok": self.ok, "steps": [vars(step).copy() for step in self.steps]}


def verify(
    directory: Path,
    python: str,
    tell: Callable[[Step], None] | None = None,
    *,
    children: Children | None = None,
    threads: int | None = None,
    only: Collection[str] = (),
) -> Verified:
    """Run the steps of the project in `directory` with the interpreter `python`; `tell` hears of each as it ends.
    With `only`, the steps of these names alone.

    Another thread may end the `children`. Each gets `threads` threads to compute with, unless OMP_NUM_THREADS says
    something else. Raises SpecError where there is no project, or no such interpreter, and MachineError where
    the project cannot be copied.
    """
    _check(directory)
    python = found_python(python)
    children = children or Children()
    environment = _environment(threads)
    steps = []
    with tempfile.TemporaryDirectory(prefix="torchgen-verify-") as scratch:
        try:
            copy = _copy(directory, Path(scratch))
        except OSError as error:
            what, reason = f"there is no copy of {str(directory)!r} to run", str(error)[:500]
            raise MachineError(
                Problem(what, reason, f"Free some space in {scratch}, or set TMPDIR.")
            ) from error
        for name, command in _commands(copy, python):
            if only and name not in only:
                continue
            step = _run(name, command, copy, children, environment)
            steps.append(step)
            if tell:
                tell(step)
            if not step.ok and name == "train":
                break  # without a checkpoint there is nothing to evaluate
    return Verified(tuple(steps))


def found_python(python: str) -> str:
    """The absolute path of an interpreter, which no other working directory can change. Raises SpecError."""
    found = shutil.which(python)
    if found is None:
        raise SpecError(
            Problem(f"there is no Python {python!r}", "", "Give its path: --python .venv/bin/python")
        )
    return str(Path(found).absolute())  # not resolved: a virtual environment is known by its link


def _check(directory: Path) -> None:
    missing = [name for name in ("torchgen.toml", "model.py", "train.py") if not (directory / name).is_file()]
    if missing:
        raise SpecError(
            Problem(
                f"{str(directory)!r} is not a torchgen project",
                f"it has no {', '.join(missing)}",
                "Give the folder that torchgen new wrote: torchgen verify DIR",
            )
        )


def _copy(directory: Path, scratch: Path) -> Path:
    """A copy of the project without its results. Data outside it stays in reach: relative paths keep their depth."""
    source: str = Answers(read_toml(directory / "torchgen.toml")).get("data.source") or ""
    place = source.partition(":")[2]
    copy = scratch / "project"
    shutil.copytree(
        directory,
        copy,
        ignore=shutil.ignore_patterns(
            "outputs", "checkpoint.pt", "__pycache__", ".venv", ".git", ".pytest_cache"
        ),
    )
    outside = directory / place
    if place.startswith("..") and outside.exists():
        # The path climbs out of the project; give it the same thing to find from the copy.
        ups = len([part for part in Path(place).parts if part == ".."])
        nested = scratch.joinpath(*["up"] * max(ups - 1, 0))
        nested.mkdir(parents=True, exist_ok=True)
        moved = copy.rename(nested / "project") if nested != scratch else copy
        link = moved / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(outside.resolve(), target_is_directory=outside.is_dir())
        return moved
    return copy


def _commands(copy: Path, python: str) -> Iterator[tuple[str, list[str]]]:
    yield "tests", [python, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_project.py"]
    yield "train", [python, "train.py", "--epochs", "1"]
    yield "eval", [python, "eval.py"]
    if (copy / "predict.py").is_file():
        yield "predict", [python, "predict.py"]


def _environment(threads: int | None) -> dict[str, str]:
    # The project must stand alone: nothing of torchgen's own environment may help it to import.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    if threads is not None:
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    return environment


def _run(
    name: str, command: list[str], directory: Path, children: Children, environment: dict[str, str]
) -> Step:
    start = time.monotonic()
    try:
        ok, output = children.run(command, directory, environment)
    except OSError as error:
        ok, output = False, str(error)
    lines = [line for line in output.strip().splitlines() if line.strip()]
    detail = lines[-1].strip() if ok and lines else "\n".join(lines[-30:])
    return Step(name, ok, round(time.monotonic() - start, 2), detail)


def junit_of(suite: str, cases: Iterable[tuple[str, Step]]) -> str:
    """Steps, each with the name of what it is a step of, as a JUnit report, which CI systems read."""
    from xml.etree import ElementTree

    cases = tuple(cases)
    root = ElementTree.Element(
        "testsuite",
        name=suite,
        tests=str(len(cases)),
        failures=str(sum(not step.ok for _, step in cases)),
        time=f"{sum(step.seconds for _, step in cases):.2f}",
    )
    for owner, step in cases:
        case = ElementTree.SubElement(
            root, "testcase", classname=owner, name=step.name, time=f"{step.seconds:.2f}"
        )
        if not step.ok:
            failure = ElementTree.SubElement(case, "failure", message=f"{step.name} failed")
            failure.text = _xml_text(step.detail)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml_text(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(char if char in "\n\t" or char.isprintable() else "\ufffd" for char in text)
