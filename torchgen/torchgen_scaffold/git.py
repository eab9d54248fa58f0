"""What git does for an update: it merges the lines of one file, and knows what is committed. Only this file runs git.

merge3, the library made for merging, is under the GPL, and torchgen is not; and a conflict of git's is one that
everybody has met.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from torchgen_scaffold.errors import MachineError, Problem
from torchgen_scaffold.places import told
from torchgen_scaffold.version import __version__

YOURS = "yours"  # how a conflict's marker calls the user's side


def merge_texts(base: str, mine: str, new: str) -> tuple[str, int]:
    """The merge of both changes to `base`, and how many places hold a conflict, between the usual markers.

    Raises MachineError where there is no git, or no room for temporary files.
    """
    scratch = Path(tempfile.gettempdir())
    with (
        told(scratch, "Make room there, or set TMPDIR."),
        tempfile.TemporaryDirectory(prefix="torchgen-merge-") as folder,
    ):
        paths = []
        for name, text in (("mine", mine), ("base", base), ("new", new)):
            path = Path(folder) / name
            path.write_bytes(text.encode())
            paths.append(str(path))
        labels = [part for label in (YOURS, "generated", f"torchgen {__version__}") for part in ("-L", label)]
        done = _git(Path(folder), "-c", "merge.conflictStyle=merge", "merge-file", "-p", *labels, *paths)
    if done is None:
        raise MachineError(
            Problem(
                "git is missing",
                "a file has your edits and a newer template, and git merges the two",
                "Install git, and run the same command again; nothing was written.",
            )
        )
    if not 0 <= done.returncode < 128:  # 255: it could not, for a reason of its own
        raise MachineError(Problem("git could not merge", done.stderr.decode(errors="replace").strip()))
    return done.stdout.decode(), done.returncode


def uncommitted(directory: Path, names: Iterable[str]) -> list[str]:
    """What git could not give back: changes in `directory` that are not committed, and untracked files of `names`.

    Paths are relative to `directory`. Nothing where it is in no git repository, or git is missing.
    """
    prefix = _git(directory, "rev-parse", "--show-prefix")
    status = _git(
        directory, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", "."
    )
    if not (prefix and status) or prefix.returncode or status.returncode:
        return []
    inside = os.fsdecode(prefix.stdout).rstrip("\n")
    wanted = set(names)
    found = []
    for entry in os.fsdecode(status.stdout).split("\0")[:-1]:
        state, path = entry[:2], entry[3:].removeprefix(inside)
        if state != "??" or path in wanted:
            found.append(path)
    return found


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """Run git in `directory`; None where there is none. A hook's own GIT_DIR must not point it elsewhere."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", *arguments]
    try:
        return subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True
        )
    except OSError:
        return None
