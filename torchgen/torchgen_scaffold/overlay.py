"""Where templates are: torchgen's own, and a folder of somebody else's that goes before them, file by file.

A folder mirrors torchgen's: a file of the same path takes the place of torchgen's, new ones in `parts/` can be included,
and what is under `extra/` becomes a file of the project at its path. No jinja2 here: what a folder holds is checked
with the other answers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.plugins import template_folders
from torchgen_scaffold.spelling import nearest

SUFFIX = ".jinja"
EXTRA = "extra/"
_FREE = ("parts/", EXTRA)  # where files of any name may stand


def own_templates() -> Path:
    """The folder of torchgen's own: inside the installed package, or at the top of a checkout."""
    here = Path(__file__).parent
    installed = here / "templates"
    return installed if installed.is_dir() else here.parents[1] / "templates"


@cache
def own_names() -> tuple[str, ...]:
    """The paths of torchgen's own templates, in that folder."""
    return tuple(_files_in(own_templates()))


def names_in(folder: Path) -> list[str]:
    """The paths of the templates in a folder of somebody else's, and of all that is under `extra/`.

    Raises SpecError where there is no such folder, nothing in it is a template, one has a name that torchgen would never
    look for, or a symlink leads out of it.
    """
    shown = visible(str(folder))
    if not folder.is_dir():
        what = f"there are no templates in {shown!r}"
        raise SpecError(Problem(what, "it is not a folder", _EXPORT, "project.templates"))
    names, problems = _files_in(folder), []
    known = (*own_names(), *(name for plugin in template_folders() for name in _files_in(plugin)))
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not is_inside(path, folder):
            link = visible(path.relative_to(folder).as_posix())
            why = "what it leads to is none of the folder's"
            problems.append(
                Problem(f"the link {link!r} leads out of {shown!r}", why, "Copy what it leads to.")
            )
    for name in names:
        if not name.startswith(_FREE) and name not in known:
            near = nearest(name, known)
            instead = f"Did you mean {near}?" if near else "Files that templates include go into parts/."
            what = f"{visible(name)!r} in {shown!r} takes the place of no template"
            problems.append(Problem(what, "torchgen has none of that path", instead))
    if not names:
        problems.append(Problem(f"there are no templates in {shown!r}", "no file ends in .jinja", _EXPORT))
    if problems:
        raise SpecError(problems)
    return names


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path` really is in `folder`, whatever links lead there."""
    return path.resolve().is_relative_to(folder.resolve())


_EXPORT = "Start from torchgen's own: torchgen templates export DIR"


def _files_in(folder: Path) -> list[str]:
    """Relative paths with forward slashes, sorted: templates, and whatever is under `extra/`."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = (path.as_posix() for path in paths if "__pycache__" not in path.parts)
    return sorted(name for name in names if name.endswith(SUFFIX) or name.startswith(EXTRA))
