"""Where templates are: torchgen's own, and a folder of somebody else's that goes before them, file by file.

A folder mirrors torchgen's: a file of the same path takes the place of torchgen's, new ones in `parts/` can be included,
and what is under `extra/` becomes a file of the project at its path. No jinja2 here: what a folder holds is checked
with the other answers.
"""

from __future__ import annotations

from functools import cache
from itertools import islice
from pathlib import Path

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.escape import visible
from torchgen_scaffold.plugins import template_folders
from torchgen_scaffold.spelling import nearest

SUFFIX = ".jinja"
EXTRA = "extra/"
MOST_PATHS = 10_000  # in a folder of templates; torchgen's own are a hundred
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

    Raises SpecError where there is no such folder, it cannot be read, nothing in it is a template, one has a name that
    torchgen would never look for, or a symlink leads out of it.
    """
    shown = visible(str(folder))
    try:
        if not folder.is_dir():
            raise _unfit(f"there are no templates in {shown!r}", "it is not a folder")
        names, outside = _files_in(folder), _links_out_of(folder)
        known = (*own_names(), *(name for plugin in template_folders() for name in _files_in(plugin)))
    except OSError as error:  # a folder that may not be read, or a name that is too long
        raise _unfit(f"cannot read {shown!r}", error.strerror or str(error)) from error
    problems = []
    for path in outside:
        what = f"the link {visible(path.relative_to(folder).as_posix())!r} leads out of {shown!r}"
        problems.append(Problem(what, "what it leads to is none of the folder's", "Copy what it leads to."))
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


def _unfit(what: str, why: str) -> SpecError:
    return SpecError(Problem(what, why, _EXPORT, "project.templates"))


def _all_in(folder: Path) -> list[Path]:
    """Everything below a folder. Raises SpecError where that is far more than templates: `/` would take minutes."""
    found = list(islice(folder.rglob("*"), MOST_PATHS + 1))
    if len(found) > MOST_PATHS:
        why = f"more than {MOST_PATHS:,} files and folders are in it"
        raise _unfit(f"{visible(str(folder))!r} is no folder of templates", why)
    return sorted(found)


def _links_out_of(folder: Path) -> list[Path]:
    return [path for path in _all_in(folder) if path.is_symlink() and not is_inside(path, folder)]


def _files_in(folder: Path) -> list[str]:
    """Relative paths with forward slashes, sorted: templates, and whatever is under `extra/`."""
    paths = (path.relative_to(folder) for path in _all_in(folder) if path.is_file())
    names = (path.as_posix() for path in paths if "__pycache__" not in path.parts)
    return sorted(name for name in names if name.endswith(SUFFIX) or name.startswith(EXTRA))
