"""What people read in a terminal of a teaching kit: its gaps, and where it was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchgen_scaffold.escape import shell_word, visible
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.show import show_lines
from torchgen_scaffold.spelling import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchgen_scaffold.kits import Kit
    from torchgen_scaffold.kits.classes import Made
    from torchgen_scaffold.kits.proving import Proof


def show_kit(kit: Kit, place: Path, files: list[str]) -> None:
    """Print the gaps with their points and places, then what comes next."""
    lines = []
    for name, places in kit.places.items():
        gap = GAPS[name]
        where = ", ".join(f"{function} in {file}" for file, function in places)
        lines.append(f"  gap {gap.number:>2}  {gap.title:<28}{gap.points:>3} points   {where}")
    grader, starter = (shell_word(str(place / folder)) for folder in ("grader/grade.py", "starter"))
    lines += [
        "",
        f"  {counted(len(files), 'file')} in {visible(str(place))}: hand out starter/, keep solution/ and grader/.",
        f"  Next:  python {grader} {starter}",
    ]
    show_lines(lines)


def show_class(made: Made, place: Path, proofs: Sequence[Proof]) -> None:
    """Print whose kits were written, how they differ, what was verified, and what comes next."""
    gaps = dict.fromkeys(name for kit in made.kits.values() for name in kit.places)
    numbers = ", ".join(str(number) for number in sorted(GAPS[name].number for name in gaps))
    passed = sum(proof.step.ok for proof in proofs)
    lines = [
        f"  {counted(len(made.kits), 'student')}, gaps {numbers}; the kits vary in {' and '.join(made.vary)}",
        f"  {counted(len(made.files), 'file')} in {visible(str(place))}: hand out students/, keep all the rest.",
    ]
    if proofs:
        lines.append(f"  {passed:,} of {counted(len(proofs), 'solution')} passed the project's tests")
    grader = shell_word(str(place / "grader/grade.py"))
    show_lines([*lines, f"  Next:  python {grader} --all SUBMISSIONS --csv grades.csv"])
