"""torchgen.toml as JSON Schema, so that editors complete it and check it as it is typed.

It takes what torchgen itself reads, key by key and row by row; a property test holds the two together. It says
nothing of what depends on the data, on several shapes at once, or on the size of a number that is written as text:

- that a file is complete: flags may add what is missing;
- that a shape is not too large as a whole, and that the sizes fit the task, the data and the model;
- which settings a preset has where none is named: the shape decides the preset. The same of a loss without a task;
- that `embedding_dim` wants token ids: a column of texts brings them.

Only words of JSON Schema that older drafts share are used, because not every editor reads the newest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchgen_scaffold.answers.words import ROWS, TABLES
from torchgen_scaffold.kinds import Schema, Setting
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES
from torchgen_scaffold.version import __version__


def toml_schema() -> Schema:
    """The whole schema, draft 2020-12."""
    found: dict[str, Schema] = {table: {} for table in ("", *TABLES)}
    for key, setting in SETTINGS.items():
        table, _, name = key.rpartition(".")
        found[table][name] = _described(setting.kind.schema, [setting])
    for chooser, rows in ROWS.items():
        table = chooser.partition(".")[0]
        for name in dict.fromkeys(name for row in rows.values() for name in row.settings):
            readers = [row.settings[name] for row in rows.values() if name in row.settings]
            found[table][name] = _described(_any_of([setting.kind.schema for setting in readers]), readers)
    tables = {table: _table(found[table]) for table in TABLES}
    for chooser in ROWS:
        tables[chooser.partition(".")[0]].setdefault("allOf", []).extend(_rules(chooser))
    tables["model"]["allOf"].append(_rule({"required": ["layers"]}, _never(["preset", *_own(PRESETS)])))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"of torchgen {__version__}; written by `torchgen schema`",
        "title": "torchgen.toml",
        "description": "the answers that make a PyTorch project",
        **_table(found[""] | tables),
        "allOf": list(_losses()),
    }


def _table(properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _described(kind: Schema, readers: list[Setting]) -> Schema:
    """What a key may be, what it is for, and its default where all that read it have the same."""
    first = readers[0]
    said = {"description": first.help, **kind}
    if first.default is not None and all(setting.default == first.default for setting in readers):
        said["default"] = list(first.default) if isinstance(first.default, tuple) else first.default
    return said


def _any_of(kinds: list[Schema]) -> Schema:
    """What one of these kinds takes; most often they are one."""
    different = [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _rules(chooser: str) -> Iterator[Schema]:
    """For each row: what the others alone read does nothing here, and what all read is as this row reads it."""
    rows, name = ROWS[chooser], chooser.rpartition(".")[2]
    for row in rows.values():
        chosen: Schema = {"properties": {name: {"const": row.name}}}
        if row.name != SETTINGS[chooser].default:  # the default is chosen by saying nothing, too
            chosen["required"] = [name]
        then = _never([key for key in _own(rows) if key not in row.settings])
        for key, setting in row.settings.items():
            if any(setting.kind.schema != other.kind.schema for other in _readers(rows, key)):
                then.setdefault("properties", {})[key] = setting.kind.schema
        if then:
            yield _rule(chosen, then)


def _losses() -> Iterator[Schema]:
    """For each task: the losses that fit it, and the settings of its usual one where none is named."""
    for task in TASKS.values():
        chosen: Schema = {"properties": {"task": {"const": task.name}}, "required": ["task"]}
        fits = {"properties": {"loss": {"enum": list(task.losses)}}}
        usual = LOSSES[task.losses[0]]
        foreign = [key for key in _own(LOSSES) if key not in usual.settings]
        inside = {**fits, "allOf": [_rule({"not": {"required": ["loss"]}}, _never(foreign))]}
        yield _rule(chosen, {"properties": {"training": inside}})


def _rule(when: Schema, then: Schema) -> Schema:
    return {"if": when, "then": then}


def _never(names: list[str]) -> Schema:
    """A table without these keys."""
    return {"properties": dict.fromkeys(names, False)} if names else {}


def _own(rows: Any) -> list[str]:
    """The settings of all rows, each once."""
    return list(dict.fromkeys(name for row in rows.values() for name in row.settings))


def _readers(rows: Any, key: str) -> list[Setting]:
    return [row.settings[key] for row in rows.values() if key in row.settings]
