"""A matrix multiplied out: a cell for each project that comes of its lists and of its entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Any, NamedTuple

from torchgen_scaffold.answers.merge import merge
from torchgen_scaffold.answers.words import ROWS, row_settings
from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.matrix.read import Matrix, Part, nested
from torchgen_scaffold.matrix.slugs import Names, word_of, words_of
from torchgen_scaffold.records import record
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS

MOST_CELLS = 10_000

Flat = Mapping[str, Any]  # dotted key -> value as its kind reads it


@record
class Cell:
    """One project of a matrix: its name, its answers shaped as torchgen.toml is, and by dotted key what is its own."""

    name: str
    answers: Mapping[str, Any]
    values: Flat


class _Draft(NamedTuple):
    """A cell before --set: its name and answers, its own part of them, and the part that no other cell was told."""

    name: str
    answers: Flat
    own: Flat
    alone: Flat


def cells_of(matrix: Matrix) -> tuple[Cell, ...]:
    """Every cell: what the lists multiply out to, less what is excluded, and after those what is included.

    A setting that only some presets, losses, optimizers or schedules read goes to the cells that read it; cells that
    are the same without it are one. Raises SpecError for too many cells, for none, for an exclude that matches
    no cell and for a setting that no cell reads.
    """
    _check_number(matrix)
    names = Names()
    words = {key: words_of(key, values) for key, values in matrix.base.varied.items()}
    multiplied = list(_multiplied(matrix, words, names))
    included = list(_included(matrix, words, names))
    kept = [draft for draft in multiplied if not any(_has(draft, entry) for entry in matrix.exclude)]
    drafts = [_with_sets(draft, matrix.sets) for draft in (*kept, *included)]
    problems = [*_idle(matrix, multiplied), *_unread(matrix, (*drafts, *multiplied))]
    if not drafts and not problems:
        problems.append(Problem("no cell is left", "all of them are excluded", "Drop an [[exclude]]."))
    if problems:
        raise SpecError(problems)
    return tuple(
        Cell(draft.name, nested({**draft.answers, "name": draft.name}), draft.own) for draft in drafts
    )


Words = Mapping[str, Mapping[Any, str]]  # for each setting that varies, a word for each of its values


def _multiplied(matrix: Matrix, words: Words, names: Names) -> Iterator[_Draft]:
    """What the lists multiply out to; a file without any is one cell, or with includes those alone."""
    base = matrix.base
    if not base.varied and matrix.include:
        return
    seen = set()
    for own in _combinations(base):
        answers = _that_count({**base.single, **own})
        if (key := frozenset(answers.items())) in seen:
            continue
        seen.add(key)
        own = {key: value for key, value in own.items() if key in answers}
        name = names.of_cell(matrix.name, (words[key][value] for key, value in own.items()))
        yield _Draft(name, answers, own, {})


def _included(matrix: Matrix, words: Words, names: Names) -> Iterator[_Draft]:
    """The entries over what the file says once; they take along what no longer holds, as flags do."""
    base = matrix.base
    for part in matrix.include:
        for varied in _combinations(part):
            alone = {**part.single, **varied}
            # What the file varies is no change: what else it says was said of all those values.
            fixed = {key: value for key, value in alone.items() if key not in base.varied}
            answers = _that_count({**_flat(merge(nested(base.single), fixed)), **alone}, kept=alone)
            own = {key: alone[key] for key in (*base.varied, *alone) if key in alone and key != "name"}
            called = varied if "name" in part.single else own
            said = (words.get(key, {}).get(value) or word_of(key, value) for key, value in called.items())
            yield _Draft(names.of_cell(alone.get("name", matrix.name), said), answers, own, alone)


def _with_sets(draft: _Draft, sets: Flat) -> _Draft:
    """The cell with --set over it."""
    answers = _that_count(_flat(merge(nested(draft.answers), sets)), kept=draft.alone)
    return draft._replace(answers=answers, own={key: answers.get(key, draft.own[key]) for key in draft.own})


def _combinations(part: Part) -> Iterator[Flat]:
    for values in product(*part.varied.values()):
        yield dict(zip(part.varied, values, strict=True))


# What counts in a cell.


def _that_count(answers: Flat, kept: Iterable[str] = ()) -> Flat:
    """The answers without the settings of presets, losses, optimizers and schedules that this cell does not have.

    Those of `kept` stay: what was said of one cell alone is not dropped without a word.
    """
    return {
        key: value
        for key, value in answers.items()
        if key in SETTINGS or key in kept or _is_read(key, answers)
    }


def _is_read(key: str, answers: Flat) -> bool:
    table, _, name = key.partition(".")
    for choice, rows in ROWS.items():
        if choice.partition(".")[0] == table:
            chosen = _chosen(choice, answers)
            possible = rows.values() if chosen is None else [rows[chosen]] if chosen in rows else []
            if any(name in row.settings for row in possible):
                return True
    return False


def _chosen(choice: str, answers: Flat) -> Any:
    """The row that a cell has, "" where it has none, and None where that depends on the data."""
    if choice in answers:
        return answers[choice]
    if choice == "model.preset" and "model.layers" in answers:
        return ""
    if choice == "training.loss" and "task" in answers:
        return TASKS[answers["task"]].losses[0]
    return SETTINGS[choice].default


# What the file must not ask for.


def _check_number(matrix: Matrix) -> None:
    count = sum(prod(map(len, part.varied.values())) for part in (matrix.base, *matrix.include))
    if count > MOST_CELLS:
        what = f"the lists multiply out to {count:,} cells"
        raise SpecError(
            Problem(what, f"the most is {MOST_CELLS:,}", "Shorten a list, or make several files.")
        )


def _has(draft: _Draft, entry: Part) -> bool:
    """Whether a cell has all the values of an entry; a default counts as said."""
    answers = {**draft.answers, "name": draft.name}
    return all(_value(key, answers) in values for key, values in entry.values.items())


def _value(key: str, answers: Flat) -> Any:
    if key in ROWS:
        return _chosen(key, answers)
    return answers.get(key, SETTINGS[key].default if key in SETTINGS else None)


def _idle(matrix: Matrix, multiplied: list[_Draft]) -> Iterator[Problem]:
    """The excludes that leave nothing out: most likely a slip."""
    for number, entry in enumerate(matrix.exclude, 1):
        if not any(_has(draft, entry) for draft in multiplied):
            what = f"[[exclude]] {number} matches no cell"
            yield Problem(
                what, "a cell is left out that has all its values", "Mend it, or drop it.", "exclude"
            )


def _unread(matrix: Matrix, drafts: Iterable[_Draft]) -> Iterator[Problem]:
    """The settings of the file that no cell reads."""
    owners = row_settings()
    said = [key for key in {**matrix.base.values, **matrix.sets} if key in owners]
    read = {key for draft in drafts for key in draft.answers}
    for key in said:
        if key not in read:
            why = f"it belongs to {', '.join(dict.fromkeys(owners[key]))}, and no cell has any of them"
            yield Problem(f"{key} does nothing in this matrix", why, f"Drop {key}.", key)


def _flat(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by dotted keys; the reverse of `nested`."""
    flat: dict[str, Any] = {}
    for key, value in answers.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat
