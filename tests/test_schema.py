"""The schema that `torchgen schema` prints and torchgen's own reading say the same of every file."""

from __future__ import annotations

import copy
import datetime
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from projects import ROOT
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.answers.training import loss_of
from torchgen_scaffold.answers.words import ROWS, TABLES, Answers, row_settings
from torchgen_scaffold.cli import cli
from torchgen_scaffold.kinds import Choice, Flag, Integer, Number, Setting, Shape, Text
from torchgen_scaffold.lists import Columns, Layers, Many, Weights
from torchgen_scaffold.schema import toml_schema
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.shapes import MAX_NUMBERS, unbracketed

SCHEMA = toml_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*/torchgen.toml"))
FILES = [tomllib.loads(path.read_text(encoding="utf-8")) for path in GOLDEN]
MADE = [file for file in FILES if file["data"]["source"] == "synthetic"]
OWNERS = row_settings()


def readers_of(key: str) -> list[Setting]:
    """Every setting that a key may be: its own, or that of each row which reads it."""
    name = key.rpartition(".")[2]
    rows = [row for rows in ROWS.values() for row in rows.values() if row.name in OWNERS.get(key, ())]
    return [SETTINGS[key]] if key in SETTINGS else [row.settings[name] for row in rows]


# What torchgen says of a file, as far as it needs neither data nor shapes.


def program_refuses(file: dict[str, Any]) -> bool:
    """Whether a problem is noted: with the words themselves, or with the settings of the rows that are chosen."""
    answers = Answers(file)
    if answers.problems:
        return True
    task = answers.get("task")
    chosen = {chooser: answers.get(chooser) for chooser in ROWS}
    if task:
        chosen["training.loss"] = loss_of(answers, task)
    layers = answers.get("model.layers")
    if layers and chosen["model.preset"]:
        return True  # two models
    for chooser, rows in ROWS.items():
        table = chooser.partition(".")[0]
        if chosen[chooser]:
            answers.of_row(table, rows[chosen[chooser]].settings)
        elif chooser != "model.preset" or not layers:  # what follows decides the row: any of them will do
            for key in [key for key in answers.raw if {*OWNERS[key]} & {*rows}]:
                value = answers.raw.pop(key)
                if not any(takes(setting, value) for setting in readers_of(key)):
                    return True
    for table in TABLES:
        answers.leftovers(table, "this")
    return bool(answers.problems)


def takes(setting: Setting, value: object) -> bool:
    try:
        setting.kind.read(value)
    except ValueError:
        return False
    return True


# Files, good and bad.

ODD = st.one_of(
    st.booleans(),
    st.sampled_from(
        [
            *(0, -1, 10.0, 2.5, -0.0, math.nan, math.inf, -math.inf, 1e308, 10**400, -(10**400), 2**31, 0.95, 0.96),
            *("", " ", "nan", "inf", "1e400", "10", " 10\n", "1_0", "1__0", "_1", "+3", "-3", "3.", ".5", ".", "5e-3"),
            *("1e", "0x10", "٣", "1" * 19, "9" * 41, "0.5", "true", "YES ", "No\n", "on", "none", "balanced", "None"),
            *("1,28,28", "1x28X28", "(1, 28, 28)", "[3]", "(3]", "3,", "3,,", ",3", "1 2", "1×2*3", "0,3", "00", "30"),
            *("1,,2", "1, ,2", " [ 1 , 2 ] ", "()", "[,]", "(", "a,b", "a b", "1,2,3,4,5,6,7,8,9", "100000,100000"),
            *("relu", "conv(3, 3) -> relu", "adam", "mlp", "Mlp", "mse", "x" * 4096, "x" * 4097, "8,x", "0.1,", "1e3,2"),
            *([], [[]], [1, 28, 28], [1.0, 2], [0, 3], [True], ["8", 8], [8] * 9, [64] * 101, ["a", ""], ["relu", " "]),
            *([""], ["a"] * 4, [0.5, 1e-3], [-1.0], [math.nan], [100_000, 100_000], {}, {"a": 1}, {"lr": {"x": 1}}),
            *(datetime.date(2026, 1, 1), datetime.time(1, 2)),
        ]
    ),
    st.integers(-3, 200),
    st.floats(),
    st.text(max_size=5),
    st.text(alphabet="0123456789_+-.eE ,x()[]\n", max_size=9),
    st.lists(st.one_of(st.integers(-1, 300), st.floats(0, 2), st.text(max_size=3)), max_size=10),
)  # fmt: skip


def good(kind: object) -> st.SearchStrategy[Any]:
    """Values that a kind takes."""
    if isinstance(kind, Choice):
        return st.sampled_from(list(kind.options))
    if isinstance(kind, Integer):
        return st.integers(kind.low, min(kind.high, kind.low + 1000)).flatmap(either_way)
    if isinstance(kind, Number):
        return st.floats(kind.low, min(kind.high, 10), exclude_min=kind.above).flatmap(either_way)
    if isinstance(kind, Flag):
        return st.sampled_from([True, False, "yes", "False"])
    if isinstance(kind, Many):
        return st.lists(good(kind.item), min_size=1, max_size=3)
    return {
        Text: st.text(min_size=1, max_size=8),
        Shape: st.sampled_from([[1, 8, 8], "1,8,8", 10, [10], "(3, 4)"]),
        Columns: st.sampled_from(["a", ["a", "b"], "a,b"]),
        Weights: st.sampled_from(["none", "balanced", [1.0, 2.0], "1,2"]),
        Layers: st.sampled_from(["relu", ["linear(3)", "relu"]]),
    }[type(kind)]


def either_way(value: float) -> st.SearchStrategy[Any]:
    return st.sampled_from([value, str(value), f" {value} "])


KEYS = [*SETTINGS, *OWNERS]


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """A handful of keys with values that mostly fit; then, perhaps, something is put in the wrong place."""
    file: dict[str, Any] = {}
    # Those that choose a row come often: the rules are about them.
    keys = draw(st.lists(st.sampled_from([*KEYS, *OWNERS, *ROWS, *ROWS, "task", "task"]), max_size=7))
    for key in keys:
        value = draw(good(readers_of(key)[0].kind) if draw(st.integers(0, 5)) else ODD)
        put(file, key, value)
    return spoiled(draw, file)


@st.composite
def mutants(draw: st.DrawFn, originals: list[dict[str, Any]]) -> dict[str, Any]:
    """A project's own torchgen.toml with a few keys changed, dropped, misspelt or moved."""
    file = copy.deepcopy(draw(st.sampled_from(originals)))
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        put(file, key, draw(good(readers_of(key)[0].kind) if draw(st.booleans()) else ODD))
    return spoiled(draw, file)


def put(file: dict[str, Any], key: str, value: Any) -> None:
    table, _, name = key.rpartition(".")
    (file.setdefault(table, {}) if table else file)[name] = value


def spoiled(draw: st.DrawFn, file: dict[str, Any]) -> dict[str, Any]:
    """The file; one time in three with something dropped, misspelt, moved, or no table any more."""
    way = draw(st.integers(0, 14))
    table = draw(st.sampled_from(TABLES))
    inside = file.get(table)
    if way == 0:
        file[table] = draw(ODD)
    elif way == 1:
        put(file, f"{table}.{draw(st.text(max_size=4))}", 1)
    elif way == 2:
        file[draw(st.sampled_from(["training.lr", "model.x", "lr", "preset", "", "Task", "a.b"]))] = draw(ODD)
    elif way in (3, 4) and inside:
        name = draw(st.sampled_from(sorted(inside)))
        value = inside.pop(name)
        if way == 4:
            put(file, f"{draw(st.sampled_from(TABLES))}.{name}", value)
    return file


# The two agree.


def agree(file: dict[str, Any]) -> None:
    """What the schema refuses, torchgen refuses; what torchgen alone refuses is too large, once it is a number."""
    accepted = VALIDATOR.is_valid(file)
    assert Draft7Validator(SCHEMA).is_valid(file) == accepted, "it depends on the draft"
    if not accepted:
        assert program_refuses(file)
    elif program_refuses(file):
        plain = in_numbers(file)
        assert not VALIDATOR.is_valid(plain) or shapes_are_too_large(plain)


def in_numbers(file: dict[str, Any]) -> dict[str, Any]:
    """The same file, with numbers and lists that are written as text written as what they are."""
    return {
        key: (
            {name: in_number(f"{key}.{name}", inner) for name, inner in value.items()}
            if key in TABLES
            else in_number(key, value)
        )
        for key, value in file.items()
    }


def in_number(key: str, value: Any) -> Any:
    return plain_of(readers_of(key)[0].kind, value)


def plain_of(kind: object, value: Any) -> Any:
    if isinstance(kind, Weights):
        return value if value in ("none", "balanced") else plain_of(Many(Number(0, above=True)), value)
    if isinstance(kind, Many):
        parts = unbracketed(value).split(",") if isinstance(value, str) else value
        parts = [part.strip() for part in parts if part.strip()] if isinstance(value, str) else parts
        return [plain_of(kind.item, part) for part in parts] if isinstance(parts, list) else parts
    if not isinstance(value, str):
        return value
    if isinstance(kind, Shape):
        return [int(part) for part in re.findall("[0-9]+", value)]
    return int(value) if isinstance(kind, Integer) else float(value) if isinstance(kind, Number) else value


def shapes_are_too_large(file: dict[str, Any]) -> bool:
    shapes = [file.get("input_shape"), file.get("output_shape"), file.get("data", {}).get("resize")]
    return any(isinstance(shape, list) and math.prod(shape) > MAX_NUMBERS for shape in shapes)


@settings(max_examples=500)
@given(files())
@example({"training": {"momentum": 0.5}})
@example({"training": {"optimizer": "sgd", "momentum": 0.5}})
@example({"task": "multiclass", "training": {"pos_weight": [1.0]}})
@example({"task": "multiclass", "training": {"loss": "mse"}})
@example({"training": {"loss": "mse", "pos_weight": [1.0]}})
@example({"training": {"pos_weight": [1.0]}})
@example({"model": {"layers": "relu", "dropout": 0.5}})
@example({"model": {"layers": "relu", "preset": "mlp"}})
@example({"model": {"preset": "linear", "hidden": [3]}})
@example({"model": {"hidden": "8,8"}})
@example({"training": {"lr": math.nan}})
@example({"training": {"lr": "1e9", "epochs": "0"}})
@example({"training.lr": 0.1})
def test_the_schema_and_the_program_refuse_the_same_files(file: dict[str, Any]) -> None:
    agree(file)


@settings(max_examples=200)
@given(mutants(FILES))
def test_they_agree_on_projects_whose_file_was_edited(file: dict[str, Any]) -> None:
    agree(file)


@pytest.mark.parametrize("key", KEYS)
def test_they_agree_on_every_value_of_every_key(key: str) -> None:
    @settings(max_examples=60)
    @given(st.one_of(ODD, good(readers_of(key)[0].kind)))
    def alone(value: Any) -> None:
        file: dict[str, Any] = {}
        put(file, key, value)
        agree(file)

    alone()


@settings(max_examples=150)
@given(mutants(MADE))
def test_what_makes_a_project_passes_the_schema(file: dict[str, Any]) -> None:
    """The whole program this time, shapes and model and all."""
    try:
        Spec.from_dict(file)
    except SpecError:
        return
    assert VALIDATOR.is_valid(file), [error.message for error in VALIDATOR.iter_errors(file)]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_a_generated_file_passes(path: Path) -> None:
    VALIDATOR.validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("owner", OWNERS)
def test_a_setting_of_a_row_is_refused_beside_every_row_that_does_not_read_it(owner: str) -> None:
    """And taken beside each that does: the rules are there at all."""
    table, name = owner.split(".")
    for chooser, rows in ROWS.items():
        readers = [row for row in rows.values() if row.name in OWNERS[owner]]
        if not readers or not owner.startswith(chooser.partition(".")[0]):
            continue
        value = next(v for v in (0.5, 1, True, [1.0], "none") if takes(readers[0].settings[name], v))
        for row in rows.values():
            file = {table: {chooser.partition(".")[2]: row.name, name: value}}
            assert VALIDATOR.is_valid(file) == (row in readers), file


# The schema itself.


def test_it_is_a_schema_of_old_drafts_and_new() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft7Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA, allow_nan=False)) == SCHEMA


def every(schema: object, key: str) -> Iterator[Any]:
    """Everything that stands under `key`, wherever it is."""
    if isinstance(schema, dict):
        yield from (value for name, value in schema.items() if name == key)
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for value in inner:
        yield from every(value, key)


def test_its_patterns_are_those_of_every_engine() -> None:
    """No looking around, no \\d (which means more in Python), both ends bound: editors are not written in Python."""
    patterns = {*every(SCHEMA, "pattern")}
    assert len(patterns) > 5
    assert not [pattern for pattern in patterns if re.search(r"\(\?[^:]|\\[dwbAZ]|\\u", pattern)]


def test_every_key_says_what_it_is_for_and_a_default_is_one_that_is_taken() -> None:
    tables = {name: SCHEMA["properties"][name]["properties"] for name in TABLES}
    seen = {"": {key: value for key, value in SCHEMA["properties"].items() if key not in TABLES}, **tables}
    assert {f"{table}.{name}".lstrip(".") for table in seen for name in seen[table]} == {*KEYS}
    for table in seen.values():
        for said in table.values():
            assert said["description"]
            assert "default" not in said or Draft202012Validator(said).is_valid(said["default"])
    assert tables["training"]["optimizer"]["default"] == "adam"
    assert "default" not in tables["model"]["hidden"], "mlp and mean differ"


# The command.


def test_the_command_prints_it_and_writes_it(tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli, ["schema"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == SCHEMA
    file = tmp_path / "torchgen.schema.json"
    written = CliRunner().invoke(cli, ["schema", "-o", str(file)])
    assert (written.exit_code, written.stdout) == (0, "")
    assert file.read_text(encoding="utf-8") == printed.stdout


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["schema", "-o", str(tmp_path / "no" / "such" / "x.json")])
    assert done.exit_code in (1, 2) and "Traceback" not in done.output


def test_a_file_that_names_its_schema_is_read(tmp_path: Path) -> None:
    text = GOLDEN[0].read_text(encoding="utf-8")
    (tmp_path / "torchgen.toml").write_text(f"#:schema ./torchgen.schema.json\n{text}", encoding="utf-8")
    assert Spec.from_toml(tmp_path / "torchgen.toml") == Spec.from_toml(GOLDEN[0])


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("training.epochs", 10.0, 10),
        ("training.epochs", " 1_0 ", 10),
        ("input_shape", [1.0, 8, 8], (1, 8, 8)),
        ("input_shape", 8.0, (8,)),
        ("data.columns", "a (m2), b (m2)", ("a (m2)", "b (m2)")),
        ("data.columns", "[a, b]", ("a", "b")),
        ("data.header", " Yes", True),
    ],
)
def test_how_values_are_read(key: str, value: object, read: object) -> None:
    reader: Callable[[object], object] = SETTINGS[key].kind.read
    assert reader(value) == read
