"""What people read of `torchgen check` and `torchgen update`: diffs on stdout, a line a file, and what to type next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from torchgen_scaffold.checking import diff_of
from torchgen_scaffold.escape import shell_word, visible
from torchgen_scaffold.show import show_lines
from torchgen_scaffold.spelling import counted
from torchgen_scaffold.version import __version__

if TYPE_CHECKING:
    from torchgen_scaffold.checking import Checked
    from torchgen_scaffold.updating import Update

_WORDS = {
    "edited": "was edited",
    "outdated": "would be generated otherwise by now",
    "removed": "is missing",
    "left": "is generated no more",
}


def show_checked(checked: Checked) -> None:
    """The diff to stdout: from what would be generated to what is there; the verdict to stderr."""
    place = visible(str(checked.path))
    _show_diff("".join(difference.diff for difference in checked.differences))
    if checked.ok:
        show_lines(
            [f"{place}: {counted(checked.files, 'file')}, all as torchgen.toml gives them."], sys.stderr
        )
        return
    lines = [f"{place}: {counted(len(checked.differences), 'file')} not as torchgen.toml gives them."]
    lines += [f"  {visible(difference.path)} {_WORDS[difference.kind]}" for difference in checked.differences]
    if checked.written_by != __version__:
        wrote = visible(checked.written_by) or "an unknown version"
        lines.append(f"  torchgen {wrote} wrote it, and this is {__version__}.")
    folder = _typed(checked)
    kinds = {difference.kind for difference in checked.differences}
    if kinds <= {"edited", "removed"} and checked.written_by == __version__:
        lines.append(f"  To take that back:  torchgen check {folder} | git -C {folder} apply -R")
    else:
        lines.append(f"  Next:  torchgen update {folder}   (it keeps your edits)")
    show_lines(lines, sys.stderr)


def tell_before(update: Update) -> None:
    """What a person should hear before anything is changed."""
    for note in update.notes:
        click.echo(f"Note: {visible(note)}", err=True)


def show_update(update: Update, *, dry_run: bool) -> None:
    """What became of each file; with `dry_run` the diff to stdout, and the rest to stderr."""
    stream = sys.stderr if dry_run else sys.stdout
    if dry_run:
        _show_diff("".join(_diffs(update)))
    place = visible(str(update.path))
    if not update.changes:
        words = "is up to date." if not update.contents else "is up to date, and remembered as it is."
        show_lines([f"{place} {words}"], stream)
        return
    lines = []
    for change in update.changes:
        was = f", as {visible(change.was)} is called now" if change.was else ""
        why = f": {change.why}" if change.why else ""
        lines.append(f"  {change.kind:<8}  {visible(change.path)}{was}{why}")
    if update.conflicts:
        files = counted(len(update.conflicts), "file")
        lines.append(f"  {files} with conflicts: choose between <<<<<<< and >>>>>>> in each.")
    elif not dry_run:
        lines.append(f"  Next:  torchgen verify {_typed(update)}")
    show_lines([f"{place}{' would change' if dry_run else ''}:", *lines], stream)


def _diffs(update: Update) -> list[str]:
    """From what is there to what would be."""
    diffs = []
    for change in update.changes:
        before = update.before.get(change.was or change.path)
        if change.was:
            diffs.append(diff_of(change.was, before.text if before else None, None))
            diffs.append(diff_of(change.path, None, change.text))
        elif change.text is not None or change.kind == "removed":
            diffs.append(diff_of(change.path, before.text if before else None, change.text))
    return diffs


def _show_diff(text: str) -> None:
    """A diff is data: it goes out as it is, so that it can be applied; on a terminal nothing in it is acted upon."""
    lines = text.split("\n")[:-1]
    if not lines:
        return
    if sys.stdout.isatty():
        colors = {"+": "green", "-": "red", "@": "cyan"}
        lines = [click.style(visible(line.expandtabs()), fg=colors.get(line[:1])) for line in lines]
    show_lines(lines)


def _typed(about: Checked | Update) -> str:
    folder = str(about.path)
    return shell_word(folder if not folder.startswith("-") else f"./{folder}")
