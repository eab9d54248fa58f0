"""Does a project still equal what its torchgen.toml gives? What differs is shown as a unified diff."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.generate import generate
from torchgen_scaffold.records import record
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.version import __version__
from torchgen_scaffold.write import recover
from torchgen_scaffold.written import ANSWERS, found, read_answers, remembered

Kind = Literal["edited", "outdated", "removed", "left"]


@record
class Difference:
    """One file that is not as it would be generated.

    It was `edited`, or is `outdated` (as it was written, and would be generated otherwise by now), was `removed`, or is
    `left` from an earlier generation.
    """

    path: str
    kind: Kind
    diff: str


@record
class Checked:
    """A project beside what its torchgen.toml gives; `files` counts what was compared."""

    path: Path
    files: int
    differences: tuple[Difference, ...]
    written_by: str

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """As `torchgen check --json` prints it."""
        return {
            "ok": self.ok,
            "path": str(self.path),
            "torchgen": {"wrote": self.written_by, "checks": __version__},
            "files": [vars(difference).copy() for difference in self.differences],
        }


def check(directory: Path) -> Checked:
    """Compare the project in `directory` with what this version of torchgen makes of its torchgen.toml.

    Files that torchgen did not write are the user's and not looked at; line endings do not count. What a killed update
    has left is brought to an end first. Raises SpecError
    where there is no project, or its torchgen.toml is wrong, DestinationError where a file cannot be read.
    """
    recover(directory)
    answers = read_answers(directory)
    expected = generate(Spec.from_dict(answers, base=directory, home=directory))
    before = _remembered(directory)
    present = found(directory, {*expected, *before})
    differences = []
    for name in sorted({*expected, *before}):
        wanted, there = expected.get(name), present[name].text if name in present else None
        if wanted == there or (name == ANSWERS and _same_answers(answers, wanted)):
            continue
        # A file that is generated no more and was edited is the user's by now.
        if wanted is None and there != before[name]:
            continue
        kind = _kind(before.get(name), there, wanted)
        differences.append(Difference(name, kind, diff_of(name, wanted, there)))
    return Checked(directory, len(expected), tuple(differences), str(answers.get("torchgen", "")))


def _kind(written: str | None, there: str | None, wanted: str | None) -> Kind:
    if wanted is None:
        return "left"
    if there is None:
        return "removed"
    return "outdated" if there == written else "edited"


def _remembered(directory: Path) -> dict[str, str]:
    """What was written, as far as it is known: damaged or not there, check does without it."""
    try:
        return remembered(directory) or {}
    except SpecError:
        return {}


def _same_answers(answers: dict[str, Any], wanted: str | None) -> bool:
    """A torchgen.toml says the same with comments, or in another order."""
    import tomllib

    return answers == tomllib.loads(wanted or "")


def diff_of(name: str, old: str | None, new: str | None) -> str:
    """A unified diff of one file, as `git apply` reads it; None is a file that is not there."""
    start = [f"--- {_label('a', name, old)}\n", f"+++ {_label('b', name, new)}\n"]
    lines = list(difflib.unified_diff(_lines(old), _lines(new), n=3))[2:]
    return "".join([*start, *_closed(lines)])


def _label(side: str, name: str, text: str | None) -> str:
    return "/dev/null" if text is None else f"{side}/{name}"


def _lines(text: str | None) -> list[str]:
    """Lines with their ends; only `\\n` ends one (str.splitlines knows ten more)."""
    return list(io.StringIO(text or "", newline="\n"))


def _closed(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
