"""Rows and templates that other packages bring, found by their entry points.

A registry is `Rows`: torchgen's own rows, and behind them those of the packages that are installed beside it, in the
entry-point group `torchgen.<registry>`. Packages are asked when a registry is first gone through, or asked for a name
that it does not have itself. Only the modules of commands and prompts do so while they are imported, and nothing below
imports these; so a plug-in may import whatever torchgen has, and may be imported before it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from torchgen_scaffold.errors import MachineError, Problem
from torchgen_scaffold.escape import visible

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Row(Protocol):
    """What every row has."""

    @property
    def name(self) -> str:
        """What it is called in flags, in `--layers` and in torchgen.toml."""


R = TypeVar("R", bound=Row)
# Fits a flag, `--layers`, the part of a source before its colon, and a file's name.
_NAME = re.compile("[a-z][a-z0-9_]*")


class Rows(Mapping[str, R]):
    """A registry: rows by name, torchgen's own in their order, then those of plug-ins by name.

    Whatever needs the rows of plug-ins raises MachineError where one of them cannot be used: the request may be right,
    and the machine cannot serve it as it is.
    """

    def __init__(self, group: str, kind: type, own: Iterable[R]) -> None:
        self._group = group
        self._kind = kind
        self._own = {row.name: row for row in own}
        self._all: dict[str, R] | None = None

    def __getitem__(self, name: str) -> R:
        """The row of that name; KeyError where nobody has one."""
        return self._own[name] if name in self._own else self._rows()[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._rows())

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows())

    def values(self) -> ValuesView[R]:
        """The rows."""
        return self._rows().values()

    def items(self) -> ItemsView[str, R]:
        """The rows with their names."""
        return self._rows().items()

    @property
    def brought(self) -> list[R]:
        """The rows of plug-ins alone."""
        return [row for name, row in self.items() if name not in self._own]

    def _rows(self) -> dict[str, R]:
        if self._all is None:
            if any(_is_halfway(point.module) for _, point in _points(self._group)):
                return self._own  # it was imported before torchgen, and looks here while it is
            self._all = self._own  # the same for one that is imported from here
            try:
                self._all = {**self._own, **self._of_plugins()}
            except BaseException:
                self._all = None
                raise
        return self._all

    def _of_plugins(self) -> dict[str, R]:
        """The rows of plug-ins. Raises MachineError with all that cannot be used."""
        rows: dict[str, R] = {}
        owners = dict.fromkeys(self._own, "torchgen itself")
        problems = []
        for package, point in _points(self._group):
            try:
                row = _loaded(point, self._kind)
                _check_row(row, point.name, self._kind)
                if point.name in owners:
                    raise _Unfit(f"{owners[point.name]} has one of that name")
            except _Unfit as error:
                problems.append(_problem(package, point, str(error)))
            else:
                rows[point.name] = row
                owners[point.name] = package
        if problems:
            raise MachineError(problems)
        return rows


@cache
def template_folders() -> tuple[Path, ...]:
    """The folders of templates that plug-ins bring: those of the packages in `torchgen.templates`.

    Raises MachineError where one cannot be used.
    """
    folders, problems = [], []
    for package, point in _points("templates"):
        try:
            module = _loaded(point, type(sys))
            if not (places := getattr(module, "__path__", ())):
                raise _Unfit(f"{point.value} is a module, and templates are in the folder of a package")
            folders += [Path(place) for place in places]
        except _Unfit as error:
            problems.append(_problem(package, point, str(error)))
    if problems:
        raise MachineError(problems)
    return tuple(folders)


class _Unfit(Exception):
    """Why a plug-in cannot be used."""


def _loaded(point: EntryPoint, kind: type) -> Any:
    """What an entry point names, of the right kind. Raises _Unfit."""
    try:
        found = point.load()
    except (Exception, SystemExit) as error:  # what a module may do while it is imported is anything
        said = visible(str(error).partition("\n")[0])
        raise _Unfit(f"{point.value} cannot be imported: {type(error).__name__}: {said}") from error
    if not isinstance(found, kind):
        is_class = isinstance(found, type) and issubclass(found, kind)
        given = f"the class {found.__name__}" if is_class else f"of the type {type(found).__name__}"
        raise _Unfit(f"{point.value} is {given}, and should be a {kind.__name__}{' itself' * is_class}")
    return found


def _is_halfway(module: str) -> bool:
    """Whether a module is being imported right now, and so lacks some of its names."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))  # by which Python's own message knows it


def _check_row(row: Any, name: str, kind: type) -> None:
    """A row has all that its kind declares, and the name of its entry point. Raises _Unfit."""
    if lacks := [field for field in kind.__annotations__ if not hasattr(row, field)]:
        raise _Unfit(f"it lacks {', '.join(lacks)}")
    if row.name != name:
        raise _Unfit(f"it calls itself {row.name!r}, and its entry point {name!r}")
    if not _NAME.fullmatch(name):
        raise _Unfit("a name is of lower-case letters, digits and underscores, and starts with a letter")


def _problem(package: str, point: EntryPoint, why: str) -> Problem:
    what = f"the plug-in {package}: {visible(point.name)!r} in {point.group} cannot be used"
    return Problem(what, why, _way_out(package))


def _way_out(package: str) -> str:
    return f"Mend or update {package}, or take it out: pip uninstall {package}"


def _points(group: str) -> list[tuple[str, EntryPoint]]:
    """The entry points of one group, each with the package that has it, in an order that no machine decides."""
    full = f"torchgen.{group}"
    found = [(package, point) for package, points in _plugins() for point in points if point.group == full]
    return sorted(found, key=lambda each: (each[1].name, each[0]))


@cache
def _plugins() -> tuple[tuple[str, tuple[EntryPoint, ...]], ...]:
    """The packages on sys.path that have entry points for torchgen, with these. Raises MachineError."""
    return tuple((package, _read(package, place)) for package, place in _mentioning().items())


def _read(package: str, place: str) -> tuple[EntryPoint, ...]:
    """The entry points for torchgen in a package's metadata. Raises MachineError where they cannot be read."""
    # Here, since it takes longer than the search, and few have plug-ins.
    from importlib.metadata import Distribution

    try:
        points = [
            point for point in Distribution.at(place).entry_points if point.group.startswith("torchgen.")
        ]
        if odd := [point.name for point in points if not point.module]:  # raises for most that is odd
            raise ValueError(f"{odd[0]} names no module")
    except Exception as error:  # that library does not foresee what is malformed
        why = visible(f"{type(error).__name__}: {error}".partition("\n")[0])
        what = f"the plug-in {package}: its entry points cannot be read"
        raise MachineError(Problem(what, why, _way_out(package))) from error
    return tuple(points)


def _mentioning() -> dict[str, str]:
    """{package: where its metadata is} of those whose entry points mention torchgen; the first of a name counts."""
    seen: set[str] = set()
    found = {}
    for folder in sys.path:
        try:
            # Not pathlib: every command waits for this search, and names are enough.
            names = os.listdir(folder or ".")  # noqa: PTH208 - see above
        except OSError:  # an archive, or nothing
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                package = re.sub(r"[-_.]+", "-", name.rpartition(".")[0].partition("-")[0]).lower()
                place = f"{folder or '.'}{os.sep}{name}"
                if package not in seen and _mentions(f"{place}{os.sep}entry_points.txt"):
                    found[package] = place
                seen.add(package)
    return found


def _mentions(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            return b"torchgen." in file.read()
    except OSError:  # most packages have none
        return False
