"""What people read in a terminal of a teaching kit: its gaps, and where it was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torchgen_scaffold.escape import shell_word, visible
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.show import show_lines
from torchgen_scaffold.spelling import counted

if TYPE_CHECKING:
    from torchgen_scaffold.kits import Kit


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
