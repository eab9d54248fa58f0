"""A matrix file read: which settings it gives one value, which several, and every problem of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torchgen_scaffold.answers.merge import set_key
from torchgen_scaffold.answers.words import ROWS, TABLES, Answers, row_settings, unknown
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.kinds import Kind, Setting, Shape, Text
from torchgen_scaffold.lists import Columns, Layers, Many, Weights
from torchgen_scaffold.names import project_name_problem, suggest_name
from torchgen_scaffold.records import field, record
from torchgen_scaffold.settings import SETTINGS

FLAGS = {setting.flag.removeprefix("--"): key for key, setting in SETTINGS.items() if setting.flag}
ENTRIES = ("include", "exclude")
_ONCE = ("name", "torchgen")  # what all cells share


@record
class Part:
    """What the file, or one entry of it, says, by dotted keys: settings with one value, and those with several.

    Values are as their kinds read them, so that two spellings of a shape are one.
    """

    single: Mapping[str, Any] = field(default_factory=dict)
    varied: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, tuple[Any, ...]]:
        """Every setting with all the values that it may have."""
        return {**{key: (value,) for key, value in self.single.items()}, **self.varied}


@record
class Matrix:
    """A file, sound word by word: what is common, what to add, what to leave out, and what wins over all of it."""

    name: str
    base: Part
    include: tuple[Part, ...] = ()
    exclude: tuple[Part, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)


def read_matrix(file: Mapping[str, Any], stem: str, sets: Mapping[str, str] | None = None) -> Matrix:
    """The matrix of a file's tables, and of --set; cells are named after `stem` where the file has no name.

    Raises SpecError listing every problem that can be seen without multiplying out.
    """
    reader = _Reader()
    base = reader.part({key: value for key, value in file.items() if key not in ENTRIES}, "")
    include, exclude = (reader.entries(file.get(name, []), name) for name in ENTRIES)
    over = reader.part(nested(sets or {}), "with --set, ").single
    reader.check_sets(over, base)
    if reader.problems:
        raise SpecError(reader.problems)
    name = base.single.get("name") or suggest_name(stem)
    return Matrix(name, base, include, exclude, over)


def settings_of(key: str) -> list[Setting]:
    """The settings that stand under a dotted key: one, or one for each row that has its own of that name."""
    if key in SETTINGS:
        return [SETTINGS[key]]
    table, _, name = key.partition(".")
    tables = [rows for choice, rows in ROWS.items() if choice.partition(".")[0] == table]
    return [row.settings[name] for rows in tables for row in rows.values() if name in row.settings]


def is_one_value(kind: Kind, value: Sequence[object]) -> bool:
    """Whether a list is one value of this kind: a plain list, where the setting is itself a list.

    A list of lists is several, and so is a list of texts that are each a whole value, as a flag takes it.
    """
    match kind:
        case Layers():
            return all(isinstance(item, str) and "->" not in item and "→" not in item for item in value)
        case Columns() | Many(item=Text()):
            return all(isinstance(item, str) for item in value)
        case Shape() | Many() | Weights():
            return not any(isinstance(item, (str, list)) for item in value)
    return False


def nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by dotted keys, shaped as torchgen.toml is."""
    answers: dict[str, Any] = {}
    for key, value in given.items():
        set_key(answers, key, value)
    return answers


class _Reader:
    """Reads parts of the file, and notes what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def entries(self, given: object, name: str) -> tuple[Part, ...]:
        """The entries of [[include]] or [[exclude]]."""
        if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
            what = f"{name} is a list of tables"
            self.problems.append(Problem(what, "each is an entry", f"Write [[{name}]] above its keys.", name))
            return ()
        parts = [self.part(entry, f"in [[{name}]] {n}, ") for n, entry in enumerate(given, 1)]
        for number, part in enumerate(parts, 1):
            if not part.values and not self.problems:
                what = f"[[{name}]] {number} says nothing"
                self.problems.append(Problem(what, "it has no keys", "Give it some, or drop it.", name))
        return tuple(parts)

    def part(self, given: Mapping[str, Any], where: str) -> Part:
        """One table of the file, with the tables in it; `where` begins what is said of it."""
        single: dict[str, Any] = {}
        varied: dict[str, tuple[Any, ...]] = {}
        for key, value in self._flat(given, where):
            if key in single or key in varied:
                both = f"a flag's name and the key of {key.partition('.')[0]} are one setting"
                self._wrong(where, Problem(f"{key} is given twice", both, "Drop one of them.", key))
                continue
            settings = settings_of(key)
            if isinstance(value, list) and not any(is_one_value(row.kind, value) for row in settings):
                varied[key] = self._several(key, settings, value, where)
            else:
                single[key] = self._read(key, settings, value, where)
        if (fault := project_name_problem(single["name"]) if single.get("name") else None) is not None:
            self._wrong(where, fault)
        return Part(single, varied)

    def check_sets(self, sets: Mapping[str, Any], base: Part) -> None:
        """Note what --set cannot set for all cells at once."""
        for key in sets:
            if key in base.varied:
                what, why = f"--set cannot set {key}", "it is what the cells differ in"
                self.problems.append(Problem(what, why, f"Shorten the list of {key} in the file.", key))
            elif key == "name":
                why = "every cell has its own"
                self.problems.append(
                    Problem("--set cannot set name", why, "Change name in the file.", key),
                )

    def _flat(self, given: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
        """(dotted key, value) of all that is known; a flag's name stands for its setting."""
        for name, value in given.items():
            table, dot, rest = name.partition(".")
            if dot and table in TABLES:
                why = "in quotes, a dot is a part of the name"
                what = f"there is no setting {name[:80]!r} at the top"
                self._wrong(where, Problem(what, why, f"Write {rest[:80]} under [{table}].", name))
                continue
            if name in TABLES and isinstance(value, Mapping):
                inside = [(f"{name}.{key}", inner) for key, inner in value.items()]
            else:
                inside = [(FLAGS.get(name.replace("_", "-"), name), value)]
            for key, inner in inside:
                if settings_of(key):
                    yield key, inner
                else:
                    self._wrong(where, unknown(key, [*FLAGS, *ENTRIES, *SETTINGS, *row_settings()]))

    def _several(
        self, key: str, settings: Sequence[Setting], value: Sequence[Any], where: str
    ) -> tuple[Any, ...]:
        """The values of a list, each once."""
        if key in _ONCE or not value:
            why = "all cells share it" if key in _ONCE else "a list holds the values that cells take in turn"
            what = f"{key} cannot be a list" if key in _ONCE else f"{key} has no values"
            self._wrong(where, Problem(what, why, f"Give {key} one value, or drop it.", key))
        return tuple(dict.fromkeys(self._read(key, settings, item, where) for item in value))

    def _read(self, key: str, settings: Sequence[Setting], value: Any, where: str) -> Any:
        """The value as the first of the settings reads it that can; None and a noted problem where none can."""
        for setting in settings:
            try:
                return setting.kind.read(value)
            except ValueError:
                continue
        answers = Answers(nested({key: value}))  # which knows what to say of it
        answers.of_row(key.partition(".")[0], {key.partition(".")[2]: settings[-1]})
        self._wrong(where, *answers.problems)
        return None

    def _wrong(self, where: str, *problems: Problem) -> None:
        for problem in problems:
            self.problems.append(Problem(where + problem.what, problem.why, problem.instead, problem.key))
