"""Bring a project to this version's templates, or to changed answers, and keep the user's edits.

A three-way merge: what torchgen wrote (the project remembers it), what the user made of it, and what is generated now.
Everything is worked out before anything is written, and then written all or nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torchgen_scaffold.checkpoints import breaks
from torchgen_scaffold.errors import DestinationError, Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.generate import generate, texts_of
from torchgen_scaffold.git import YOURS, uncommitted
from torchgen_scaffold.merging import Change, merge_trees
from torchgen_scaffold.plan import plan
from torchgen_scaffold.records import record
from torchgen_scaffold.sources.base import first_few
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.version import __version__
from torchgen_scaffold.write import change_tree
from torchgen_scaffold.written import ANSWERS, MEMORY, Found, found, memory_of, read_answers, remembered


@record
class Update:
    """What an update does to the project at `path`: worked out, and not yet written.

    `notes` is what a person should hear before it is done: which checkpoints will not load, say.
    """

    path: Path
    changes: tuple[Change, ...]
    contents: Mapping[str, bytes]  # {relative path: bytes} to write
    removed: tuple[str, ...]
    notes: tuple[str, ...]
    before: Mapping[str, Found]

    @property
    def ok(self) -> bool:
        """Whether no file is left with a conflict."""
        return not self.conflicts

    @property
    def conflicts(self) -> list[str]:
        """The files with a conflict in them."""
        return [change.path for change in self.changes if change.kind == "conflict"]

    def to_dict(self) -> dict[str, Any]:
        """As `torchgen update --json` prints it."""
        return {
            "ok": self.ok,
            "path": str(self.path),
            "files": [
                {"path": change.path, "kind": change.kind, "was": change.was or None, "why": change.why}
                for change in self.changes
            ],
            "conflicts": self.conflicts,
            "notes": list(self.notes),
        }


def updated(directory: Path, answers: Mapping[str, Any], *, base: Path | None = None) -> Update:
    """Work out the update of the project in `directory` to `answers`; writes nothing.

    `answers` are those of its torchgen.toml, changed or not; a path in them is relative to `base` (`directory` unless
    given). Raises SpecError for wrong answers, for a project of a newer torchgen, and where nobody knows what was
    generated; DestinationError where a new file would stand on one that torchgen did not write.
    """
    said = read_answers(directory)
    _refuse_newer(said)
    spec = Spec.from_dict({**answers, "torchgen": __version__}, base=base or directory, home=directory)
    planned = plan(spec)
    new = texts_of(planned)
    generated = remembered(directory)
    known = _generated_again(directory, said) if generated is None else generated
    present = found(directory, {*known, *new})
    mine = {name: there.text for name, there in present.items()}
    _refuse_unresolved(directory, mine)
    # Answers are merged as answers: two that differ have no place in a file that must be read again.
    merged = merge_trees(_but_answers(known), _but_answers(mine), _but_answers(new))
    _refuse_taken(directory, merged)
    answers_text = _answers_text(known.get(ANSWERS), mine[ANSWERS], new[ANSWERS])
    if answers_text != mine[ANSWERS]:
        merged = (*merged, Change(ANSWERS, "updated", answers_text))
    changes = tuple(sorted(merged, key=lambda change: change.path))
    contents = {
        change.path: present.get(change.was or change.path, Found("")).like(change.text)
        for change in changes
        if change.text is not None
    }
    if generated != new:
        contents[MEMORY] = memory_of(new).encode()
    removed = tuple(change.removes for change in changes if change.removes)
    notes = (*planned.notes, *breaks(_spec_of(known.get(ANSWERS), directory), spec))
    return Update(directory, changes, contents, removed, notes, present)


def apply(update: Update, *, force: bool = False) -> None:
    """Write an update, all or nothing; `before` is what it was worked out from, and must still be there.

    Raises DestinationError where git has uncommitted changes that it could not give back (unless `force`), or a file
    has changed meanwhile; MachineError where the disk is full.
    """
    names = [*update.contents, *update.removed]
    if not force:
        _refuse_uncommitted(update.path, names)
    if found(update.path, update.before) != update.before:
        raise DestinationError(
            Problem(
                f"{visible(str(update.path))} has changed while the update was worked out",
                "somebody is writing into it",
                "Run the same command again; nothing was written.",
            )
        )
    if names:
        change_tree(update.contents, update.removed, update.path)


def _but_answers(files: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in files.items() if name != ANSWERS}


def _generated_again(directory: Path, said: Mapping[str, Any]) -> dict[str, str]:
    """What was generated, where the project does not remember it: this same version can tell from the answers."""
    if said.get("torchgen") != __version__:
        raise SpecError(
            Problem(
                f"nobody knows what torchgen wrote into {visible(str(directory))!r}",
                f"it has no {MEMORY}, and {said.get('torchgen', 'an unknown version')} wrote it; this is {__version__}",
                "Commit what you have, then write it anew with torchgen new --config torchgen.toml --force, and take "
                "your edits back from the diff.",
            )
        )
    return generate(Spec.from_dict(said, base=directory, home=directory))


def _spec_of(text: str | None, directory: Path) -> Spec | None:
    """The spec that was generated; None where this version cannot read it any more."""
    try:
        return Spec.from_dict(tomllib.loads(text or ""), base=directory, home=directory)
    except (SpecError, ValueError):
        return None


def _answers_text(base: str | None, mine: str, new: str) -> str:
    """torchgen.toml with the new answers: as it would be written, or with the user's comments and order, if any."""
    wanted, mine = tomllib.loads(new), mine.removeprefix("\ufeff")  # which some editors write
    if mine == base:
        return new
    if tomllib.loads(mine) == wanted:
        return mine
    import tomlkit

    document = tomlkit.parse(mine)
    _put(document, wanted)
    text = tomlkit.dumps(document)
    return text if tomllib.loads(text) == wanted else new


def _put(table: Any, wanted: Mapping[str, Any]) -> None:
    """Make `table` say what `wanted` says, touching nothing that it says already."""
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            _put(table[key], value)
        elif table.get(key) != value:
            table[key] = value


# What is refused, before anything is written.


def _refuse_newer(said: Mapping[str, Any]) -> None:
    wrote = said.get("torchgen")
    if isinstance(wrote, str) and _numbers(wrote) > _numbers(__version__):
        raise SpecError(
            Problem(
                f"torchgen {visible(wrote)[:40]} wrote this project, and this is {__version__}",
                "an older version does not know what a newer one has written",
                "Install that version or a later one.",
            )
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits[:9]) for digits in re.findall(r"\d+", version)[:3])


def _refuse_unresolved(directory: Path, mine: Mapping[str, str]) -> None:
    marked = [name for name, text in mine.items() if f"\n<<<<<<< {YOURS}\n" in f"\n{text}"]
    if marked:
        raise DestinationError(
            Problem(
                f"{visible(str(directory))} has conflicts of an earlier update: {first_few(marked)}",
                "markers would be merged as if they were code",
                "Choose between <<<<<<< and >>>>>>> in each, and run the same command again.",
            )
        )


def _refuse_uncommitted(directory: Path, names: Iterable[str]) -> None:
    dirty = uncommitted(directory, names)
    if dirty:
        raise DestinationError(
            Problem(
                f"git has uncommitted changes in {visible(str(directory))}: {first_few(dirty)}",
                "an update is easy to look at, and to take back, from a clean tree alone",
                "Commit them first, or add --force: your lines are kept all the same.",
            )
        )


def _refuse_taken(directory: Path, changes: Iterable[Change]) -> None:
    problems = [
        Problem(
            f"{visible(change.path)} is in the way",
            f"it would be generated, and {change.why}",
            "Rename yours, and run the same command again; nothing was written.",
        )
        for change in changes
        if change.kind == "taken"
    ]
    if problems:
        raise DestinationError(problems)
