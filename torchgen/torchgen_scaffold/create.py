"""Answers to a project on disk: what `torchgen new` does once it has its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.generate import texts_of
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.records import record
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.write import write_tree
from torchgen_scaffold.written import MEMORY, memory_of, replaced_notes


@record
class Made:
    """A project that was written, or would be: where, which files, and what to type next."""

    path: Path
    files: list[str]
    plan: Plan

    @property
    def next(self) -> list[str]:
        """The commands that come next."""
        from torchgen_scaffold.escape import shell_word

        # A folder whose name starts with a dash would be taken for an option.
        folder = str(self.path) if not str(self.path).startswith("-") else f"./{self.path}"
        return [f"cd {shell_word(folder)}", "pip install -r requirements.txt", "python train.py"]

    def to_dict(self) -> dict[str, Any]:
        """As `torchgen new --json` prints it."""
        return {
            "path": str(self.path),
            "files": self.files,
            "plan": self.plan.to_dict(),
            "next": self.next,
        }


def create(
    answers: Mapping[str, Any],
    *,
    base: Path,
    output_dir: Path,
    force: bool = False,
    dry_run: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Made:
    """Write the project of these answers into `output_dir / name`. Raises SpecError before anything is written,
    DestinationError where something is in the way, MachineError where the disk is full.

    With `force`, `tell` hears beforehand which files will be replaced that torchgen did not write, or that were edited.
    """
    spec = Spec.from_dict(answers, base=base, into=output_dir)
    home = output_dir / spec.name
    planned = plan(spec)
    files = texts_of(planned)
    files[MEMORY] = memory_of(files)
    data = spec.data
    copies = copies_of(data.place, data.original) if spec.project.copy_data and data.original else {}
    names = sorted([*files, *copies])
    if force and tell:
        for note in replaced_notes(home, files):
            tell(note)
    if not dry_run:
        names = write_tree(files, home, force=force, copies=copies)
    return Made(home, names, planned)


def copies_of(place: str, original: Path) -> dict[str, Path]:
    """{path in the project: file to copy}; a folder is copied file by file."""
    if not original.is_dir():
        return {place: original}
    return {
        f"{place}/{path.relative_to(original).as_posix()}": path
        for path in sorted(original.rglob("*"))
        if path.is_file()
    }
