"""The facts of a table: its samples, its target, and what each column holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torchgen_scaffold.sources.base import Facts, Request, refuse
from torchgen_scaffold.sources.table.columns import (
    Column,
    Found,
    codes_of,
    is_text,
    look,
    shown,
    time_format,
    width_of,
)
from torchgen_scaffold.sources.table.sequences import Sequences, sequences_in
from torchgen_scaffold.sources.table.table import Table
from torchgen_scaffold.sources.table.targets import (
    named_columns,
    rows_with_targets,
    some_rows,
    target_columns,
    target_facts,
)
from torchgen_scaffold.sources.table.warnings import leaks

MOST_COLUMNS = 10_000
FEWEST_GROUPS = 7  # 15 percent of them is one


def table_facts(table: Table, place: str, request: Request) -> Facts:
    """What a table holds, for what was asked of it. Raises SpecError where it is unfit."""
    if len(table.names) > MOST_COLUMNS:
        raise refuse(
            f"{place!r} has {len(table.names):,} columns",
            f"the most is {MOST_COLUMNS:,}",
            "Save wide data as an .npz file: --data npz:PATH",
        )
    targets = target_columns(table.names, request.targets, place)
    roles = _roles(table.names, request, place)
    _check_roles(targets, roles)
    sequences = _sequences(table, roles, targets, place)
    samples = sequences.firsts if sequences else rows_with_targets(table, targets, place)
    labelled = _only(table, samples)
    cells = [labelled.column(name) for name in targets]
    rows = _only(table, sequences.kept) if sequences else labelled
    when = _cut(rows, roles)
    about = target_facts(targets, cells, labelled.lines, table.reading.decimal, request.task)
    aside = {*targets, *(name for names in roles.values() for name in names)}
    found = look(rows, (name for name in table.names if name not in aside), place)
    found = [_fit(one, sequences) for one in found]
    columns = _usable(found, request.vocab_size, place)
    width = width_of(columns)
    return Facts(
        input_shapes=((sequences.steps, width) if sequences else (width,),),
        samples=len(samples),
        padded=sequences.padded if sequences else is_text(columns),
        columns=tuple(column.name for column in columns),
        kinds=tuple(map(str, columns)),
        codes=codes_of(columns),
        **_ids(columns),
        targets=targets,
        reading=table.reading,
        time_format=when,
        says=(
            *([("(rows)", sequences.says)] if sequences else []),
            *_says(targets, about),
            *((one.name, one.says) for one in found),
            *_aside(roles, len(table.rows) - len(rows.rows)),
        ),
        warnings=tuple(leaks(rows, found, targets)),
        **about,
    )


Roles = dict[str, tuple[str, ...]]  # the columns that a person named, by what they are for


def _roles(names: Sequence[str], request: Request, place: str) -> Roles:
    """The columns that a person named besides the target. Raises SpecError for one that is not there."""
    wanted = {"drop": request.drop, "group": request.group, "time": request.time}
    return {
        role: named_columns(names, columns, place, role) if columns else ()
        for role, columns in wanted.items()
    }


def _check_roles(targets: Sequence[str], roles: Roles) -> None:
    """Raises SpecError where a column was named for two things."""
    taken = dict.fromkeys(targets, "target")
    for role, names in roles.items():
        for name in names:
            if name in taken:
                raise refuse(
                    f"the column {name!r} is named twice, by --{taken[name]} and --{role}",
                    "it can be one of them",
                    f"Drop it from --{role}.",
                    f"data.{role}",
                )
            taken[name] = role


def _usable(found: Sequence[Found], vocab_size: int | None, place: str) -> tuple[Column, ...]:
    """The columns to learn from. Raises SpecError where there is none."""
    columns = tuple(one.column for one in found if one.column)
    if not columns:
        raise refuse(
            f"{place!r} has no column to learn from",
            "; ".join(f"{one.name}: {one.says}" for one in found[:5]) or "there is none besides the target",
            "Add a column of numbers, words or dates.",
        )
    return (columns[0].with_ids(vocab_size),) if vocab_size and is_text(columns) else columns


def _fit(one: Found, sequences: Sequences | None) -> Found:
    """What was found in a column, as far as a row can take it: the steps of a sequence have no texts."""
    if sequences and one.column and one.column.kind == "text":
        return Found(one.name, None, "left out: text, and each row is one step of a sequence")
    return one


def _ids(columns: tuple[Column, ...]) -> dict[str, Any]:
    """The facts of a table whose rows are texts alone; keys of Facts."""
    if not is_text(columns):
        return {}
    return {"vocab_size": columns[0].ids, "whole_numbers": True, "largest": columns[0].ids - 1}


def _sequences(table: Table, roles: Roles, targets: tuple[str, ...], place: str) -> Sequences | None:
    """The sequences of a table whose rows are time steps: there are a group and a time. Raises SpecError."""
    for role in ("group", "time"):
        if len(roles[role]) > 1:
            raise refuse(
                f"--{role} names {len(roles[role])} columns",
                "there can be one",
                f"Give one: --{role} COLUMN",
                f"data.{role}",
            )
    if not (roles["group"] and roles["time"]):
        return None
    sequences = sequences_in(table, roles["group"][0], targets, place)
    some_rows(sequences.kept, targets, place)
    return sequences


def _cut(table: Table, roles: Roles) -> str:
    """The format of the time that rows go by, if any. Raises SpecError where they cannot be cut that way."""
    for name in roles["group"] if not roles["time"] else ():
        groups = len(set(table.column(name)))
        if groups < FEWEST_GROUPS:
            raise refuse(
                f"the group {name!r} has {groups} different values",
                f"train, val and test need at least {FEWEST_GROUPS} groups between them",
                "Name a column of more groups, or drop --group.",
                "data.group",
            )
    return next((time_format(name, table.column(name), table.reading.decimal) for name in roles["time"]), "")


def _only(table: Table, kept: list[int]) -> Table:
    """The table with these rows alone."""
    rows, lines = [table.rows[index] for index in kept], [table.lines[index] for index in kept]
    return Table(table.names, rows, lines, table.reading)


def _says(targets: tuple[str, ...], about: dict[str, object]) -> list[tuple[str, str]]:
    """A line for each target: its classes, or that it is measured."""
    classes, counts = about.get("classes"), about.get("counts")
    if len(targets) > 1 or not isinstance(classes, tuple) or not isinstance(counts, tuple):
        return [(name, "target: numbers") for name in targets]
    named = ", ".join(
        f"{shown(name)} {count:,}" for name, count in list(zip(classes, counts, strict=True))[:5]
    )
    return [(targets[0], f"target: {len(classes)} classes ({named}{', …' if len(classes) > 5 else ''})")]


def _aside(roles: Roles, left_out: int) -> list[tuple[str, str]]:
    steps = bool(roles["group"] and roles["time"])
    reasons = {
        "drop": "left out, as you said",
        "group": (
            "rows with the same one are a sequence"
            if steps
            else "rows with the same one go to the same split"
        ),
        "time": "the order of the time steps" if steps else "val and test come after train",
    }
    said = [(name, reasons[role]) for role, names in roles.items() for name in names]
    if left_out:
        rows, stay = ("row has", "stays") if left_out == 1 else ("rows have", "stay")
        said.append(("(rows)", f"{left_out:,} {rows} no target and {stay} out"))
    return said
