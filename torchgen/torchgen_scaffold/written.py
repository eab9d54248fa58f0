"""What torchgen wrote into a project, and what stands there now.

Every project carries `.torchgen.json`: its generated files as they were written, line by line. That is what an update
needs to tell torchgen's lines from the user's, whatever version wrote them, and a diff of it is a diff of the templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import Any

from torchgen_scaffold.errors import DestinationError, Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.names import path_problem
from torchgen_scaffold.records import record
from torchgen_scaffold.version import __version__

MEMORY = ".torchgen.json"
ANSWERS = "torchgen.toml"


def memory_of(files: Mapping[str, str]) -> str:
    """The text of `.torchgen.json` for these files ({relative path: text})."""
    # json.dumps lays documents out in Python, which takes as long as all the rest of a small project.
    about = "What torchgen wrote here. `torchgen update` compares it with your edits; commit it, leave it as it is."
    listed = (
        f"  {_quoted(name)}: [\n   " + ",\n   ".join(map(_quoted, text.split("\n"))) + "\n  ]"
        for name, text in sorted(files.items())
    )
    head = f'{{\n "about": {_quoted(about)},\n "torchgen": {_quoted(__version__)},\n "files": {{\n'
    return head + ",\n".join(listed) + "\n }\n}\n"


def remembered(directory: Path) -> dict[str, str] | None:
    """The files as torchgen wrote them ({relative path: text}); None where nothing is remembered.

    Raises SpecError where `.torchgen.json` is damaged.
    """
    path = directory / MEMORY
    try:
        content = path.read_bytes()
    except OSError:
        return None
    try:
        files = json.loads(content)["files"]
        return {_name(name): "\n".join(map(_text, lines)) for name, lines in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SpecError(
            Problem(
                f"{visible(str(path))} is damaged",
                "it holds the files as torchgen wrote them, and cannot be read",
                f"Take it back from git: git checkout {MEMORY}. Or remove it.",
            )
        ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _name(value: Any) -> str:
    """A path that torchgen can have written: one that stays in the project."""
    if path_problem(_text(value)):
        raise ValueError(value)
    return str(value)


@record
class Found:
    """A file of the project as it stands on disk: its text with `\\n` alone, and whether its lines end in `\\r\\n`."""

    text: str
    crlf: bool = False

    def like(self, text: str) -> bytes:
        """`text` with this file's line endings."""
        return (text.replace("\n", "\r\n") if self.crlf else text).encode()


def found(directory: Path, names: Iterable[str]) -> dict[str, Found]:
    """Those of the files `names` that are there. Raises DestinationError for what is no text.

    git may check files out with other line endings than were written; that is no edit.
    """
    files, problems = {}, []
    for name in sorted(names):
        path = directory / name
        try:
            content = path.read_bytes()
            text = content.decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            instead = "torchgen wrote a text there. Move what is there now, or save it as UTF-8."
            problems.append(Problem(f"{visible(str(path))} cannot be read", f"{reason}", instead))
            continue
        crlf = "\r\n" in text
        files[name] = Found(text.replace("\r\n", "\n") if crlf else text, crlf)
    if problems:
        raise DestinationError(problems)
    return files


def read_answers(directory: Path) -> dict[str, Any]:
    """The answers of the project in `directory`. Raises SpecError where there is none."""
    from torchgen_scaffold.answers.words import read_toml

    if not (directory / ANSWERS).is_file():
        raise SpecError(
            Problem(
                f"{visible(str(directory))!r} is not a torchgen project",
                f"it has no {ANSWERS}",
                "Give the folder that torchgen new wrote.",
            )
        )
    return read_toml(directory / ANSWERS)


def replaced_notes(directory: Path, files: Mapping[str, str]) -> list[str]:
    """What to say before `files` replace what is in `directory`: what torchgen did not write, and what was edited."""
    try:
        before = remembered(directory) or {}
    except SpecError:
        before = {}
    foreign, edited = [], []
    for name in sorted(files):
        path = directory / name
        if name == MEMORY or not path.is_file():
            continue
        text = path.read_bytes().replace(b"\r\n", b"\n")
        if name not in before:
            if text != files[name].encode():
                foreign.append(visible(name))
        elif text not in (before[name].encode(), files[name].encode()):
            edited.append(visible(name))
    notes = []
    if foreign:
        notes.append(f"--force replaces {', '.join(foreign)}, which torchgen did not write.")
    if edited:
        notes.append(
            f"--force replaces {', '.join(edited)} with your edits in them; torchgen update keeps edits."
        )
    return notes
