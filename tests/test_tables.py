"""Tables with everything in them: what torchgen finds out, what the project makes of it, and what it learns."""

from __future__ import annotations

import csv
import importlib
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects import inside, run, run_tests, script_fails
from torchgen_scaffold import Spec, SpecError, plan
from torchgen_scaffold.create import create
from torchgen_scaffold.sources import SOURCES, Facts, Request
from torchgen_scaffold.sources.table.columns import Column, look_at

ROWS = 60


def mixed(rows: int = ROWS) -> pd.DataFrame:
    """Everything that a messy table has; `grade` can be told from `size` and `shop`."""
    numbers = range(rows)
    return pd.DataFrame(
        {
            "id": [1000 + n for n in numbers],
            "size": [None if n % 11 == 3 else n % 10 + 0.5 for n in numbers],
            "shop": [["north", "south", "", "west"][n % 4] for n in numbers],
            "open": [["yes", "no"][n % 2] for n in numbers],
            "since": [f"{n % 28 + 1:02}.{n % 12 + 1:02}.20{n % 20 + 10}" for n in numbers],
            "country": ["X"] * rows,
            "note": [f"a longer remark on sample number {n} here" for n in numbers],
            "grade": [None if n == 7 else ["low", "high"][n % 10 > 4] for n in numbers],
        }
    )


def facts_of(folder: Path, source: str, **request: Any) -> Facts:
    name, _, place = source.partition(":")
    facts = SOURCES[name].facts(place, Request(folder, **request))
    assert facts is not None
    return facts


def project(folder: Path, name: str, data: dict[str, Any], **answers: Any) -> Path:
    made = create({"name": name, "data": data, **answers}, base=folder, output_dir=folder)
    return made.path


# --- what is found out


KINDS = ("number gaps", "category gaps 3", "boolean yes", "date %d.%m.%Y", "text 8 9")


def test_every_column_is_said_aloud(tmp_path: Path) -> None:
    mixed().to_csv(tmp_path / "d.csv", index=False)
    facts = facts_of(tmp_path, "csv:d.csv", targets=("grade",))
    assert dict(facts.says) == {
        "grade": "target: 2 classes (high 29, low 30)",
        "id": "left out: a number of its own in every row is an identifier",
        "size": "numbers, 0.5 to 9.5, 6 missing",
        "shop": "a category of 3 (north, south, west), 15 missing",
        "open": "yes or no",
        "since": "dates, 01.01.2010 to 04.12.2029: year, month, day, weekday",
        "country": "left out: it always holds X",
        "note": "text, 66 different words (7 of them more than once): the first 8 words of each",
        "(rows)": "1 row has no target and stays out",
    }
    assert facts.columns == ("size", "shop", "open", "since", "note")
    assert facts.kinds == KINDS
    assert facts.samples == ROWS - 1
    # size and its mark, open, four parts of a date, the code of shop, and the ids of eight words
    assert facts.input_shapes == ((2 + 1 + 4 + 1 + 8,),)


@pytest.mark.parametrize(
    "kind", ["csv", "tsv", "semicolons", "parquet", "excel", "jsonl", "utf-16", "cp1252"]
)
def test_one_table_in_every_file(tmp_path: Path, kind: str) -> None:
    frame = mixed().rename(columns={"shop": "café"} if kind in ("utf-16", "cp1252") else {})
    source = "csv:d.csv"
    if kind == "tsv":
        frame.to_csv(tmp_path / "d.csv", sep="\t", index=False)
    elif kind == "semicolons":
        frame.to_csv(tmp_path / "d.csv", sep=";", decimal=",", index=False)
    elif kind in ("utf-16", "cp1252"):
        frame.to_csv(tmp_path / "d.csv", index=False, encoding=kind)
    elif kind == "parquet":
        frame.to_parquet(tmp_path / "d.parquet")
        source = "d.parquet"  # the ending says which source it is
    elif kind == "excel":
        frame.to_excel(tmp_path / "d.xlsx", index=False)
        source = "excel:d.xlsx"
    elif kind == "jsonl":
        frame.to_json(tmp_path / "d.jsonl", orient="records", lines=True)
        source = "jsonl:d.jsonl"
    else:
        frame.to_csv(tmp_path / "d.csv", index=False)
    made = project(tmp_path, "demo", {"source": source, "target": "grade"})
    spec = Spec.from_toml(made / "torchgen.toml")
    assert spec.data.kinds == KINDS
    assert (spec.data.classes, spec.data.counts) == (("high", "low"), (29, 30))
    run(made, "dataset.py")
    run_tests(made, tmp_path)


@pytest.mark.parametrize("profile", ["lesson", "standard"])
def test_a_table_of_words_alone(tmp_path: Path, profile: str) -> None:
    lines = [f"{'abc'[n % 3]},{'de'[n % 2]},{'yes' if n % 6 < 3 else 'no'}" for n in range(60)]
    (tmp_path / "d.csv").write_text("\n".join(["one,two,y", *lines]))
    made = project(
        tmp_path,
        "demo",
        {"source": "d.csv", "target": "y"},
        project={"profile": profile},
        training={"epochs": 1},
    )
    run_tests(made, tmp_path)
    run(made, "train.py")
    run(made, "eval.py")


def test_a_file_without_names(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("".join(f"{n},{n / 3},{n % 2}\n" for n in range(40)))
    made = project(tmp_path, "demo", {"source": "d.csv", "target": "column_3"})
    assert "header = false" in (made / "torchgen.toml").read_text()
    run(made, "dataset.py")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-3e2"], "number"),
        (["1", "", "NA", "?", "none"], "number gaps"),
        (["true", "FALSE", "True"], "boolean TRUE"),
        (["2020-01-05", "2021-12-31"], "date ISO8601"),
        (["2020-01-05 10:30:00", ""], None),
        (["31/12/2020", "01/02/2021"], "date %d/%m/%Y"),
        (["12/31/2020", "01/02/2021"], "date %m/%d/%Y"),
        (["a", "b", "a"], "category 2"),
        (["a", "", "b", "a"], "category gaps 2"),
        (["", "", ""], None),
        (["x", "x"], None),
        (["5", "5.0"], None),
    ],
)
def test_kinds(cells: list[str], kind: str | None) -> None:
    cells = [cell if cell != "True" else "TRUE" for cell in cells]
    found = look_at("name", cells, range(len(cells)), ".", "d.csv")
    if kind is None and cells[0].startswith("2020"):
        kind = "date gaps ISO8601"
    assert (str(found.column) if found.column else None) == kind
    if found.column:
        assert Column.parse("name", str(found.column)) == found.column
    assert found.says


def test_words_that_are_no_kind() -> None:
    for text in ("", "numbers", "category", "category x", "boolean", "date", "number 3"):
        with pytest.raises(ValueError, match="a kind is"):
            Column.parse("a", text)


# --- what deserves a warning


def test_a_column_that_gives_the_target_away(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"cm": [n * 2.54 for n in range(50)], "noise": [n % 7 for n in range(50)], "inch": range(50)}
    )
    frame.to_csv(tmp_path / "d.csv", index=False)
    facts = facts_of(tmp_path, "csv:d.csv", targets=("inch",), task="regression")
    assert [warning.split()[0] for warning in facts.warnings] == ["cm"]
    assert "--drop cm" in facts.warnings[0]
    assert not facts_of(tmp_path, "csv:d.csv", targets=("inch",), task="regression", drop=("cm",)).warnings
    words = pd.DataFrame(
        {"verdict": ["p", "q"] * 25, "x": [n % 9 for n in range(50)], "y": ["yes", "no"] * 25}
    )
    words.to_csv(tmp_path / "w.csv", index=False)
    assert facts_of(tmp_path, "csv:w.csv", targets=("y",)).warnings[0].startswith("verdict says what y is")


def test_classes_of_very_different_sizes_are_pointed_at(tmp_path: Path) -> None:
    lines = [f"{n % 13},{'rare' if n % 20 == 0 else 'often'}" for n in range(200)]
    (tmp_path / "d.csv").write_text("\n".join(["x,y", *lines]))
    answers: dict[str, Any] = {"name": "demo", "data": {"source": "csv:d.csv", "target": "y"}}
    (note,) = plan(Spec.from_dict(answers, base=tmp_path)).notes
    assert "190 samples and the smallest 10" in note and "pos_weight=balanced" in note
    answers["training"] = {"pos_weight": "balanced"}
    assert not plan(Spec.from_dict(answers, base=tmp_path)).notes


# --- splits


def test_groups_stay_together_and_time_goes_on(tmp_path: Path) -> None:
    frame = mixed().assign(
        patient=[n // 3 for n in range(ROWS)],
        when=[f"2020-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in range(ROWS)],
    )
    frame.to_csv(tmp_path / "d.csv", index=False)
    made = project(tmp_path, "grouped", {"source": "csv:d.csv", "target": "grade", "group": "patient"})
    run_tests(made, tmp_path)
    parts = [set(part) for part in parts_of(made, frame["patient"])]
    assert all(parts) and not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    made = project(tmp_path, "timed", {"source": "csv:d.csv", "target": "grade", "time": "when"})
    run_tests(made, tmp_path)
    first, then, last = parts_of(made, frame["when"])
    assert max(first) <= min(then) and max(then) <= min(last)


def parts_of(made: Path, cells: Any) -> list[list[str]]:
    """The cells of one column in train, val and test."""
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        return [cells.iloc[rows].tolist() for rows in dataset.load_splits(0).rows]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"group": "open"}, "has 2 different values"),
        ({"time": "shop"}, "neither numbers nor dates"),
        ({"group": "shop", "time": "since"}, "the group 'shop' of 'd.csv' is empty in 15 rows"),
        (
            {"group": "country", "time": "since"},
            "the sequence 'X' in 'd.csv' is not the same in all of its rows",
        ),
        ({"group": "id,size"}, "--group names 2 columns"),
        ({"drop": "sise"}, "no column 'sise'"),
        ({"drop": "grade"}, "'grade' is named twice, by --target and --drop"),
        ({"group": "shop", "time": "shop"}, "'shop' is named twice, by --group and --time"),
    ],
)
def test_roles_that_no_column_can_play(tmp_path: Path, data: dict[str, Any], words: str) -> None:
    mixed().to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(SpecError, match=re.escape(words)):
        Spec.from_dict(
            {"name": "demo", "data": {"source": "csv:d.csv", "target": "grade", **data}}, base=tmp_path
        )


def test_roles_are_for_tables(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--group does nothing with sklearn"):
        Spec.from_dict({"name": "demo", "data": {"source": "sklearn:iris", "group": "a"}})


def test_what_the_encoder_knows_travels_in_the_checkpoint(tmp_path: Path) -> None:
    mixed().to_csv(tmp_path / "d.csv", index=False)
    made = project(tmp_path, "demo", {"source": "csv:d.csv", "target": "grade"})
    run(made, "train.py", "--epochs", "1")
    known = torch.load(made / "outputs/best.pt", weights_only=True)["encoder"]
    assert known["words"] == [["north", "south", "west"]] and len(known["medians"]) == 6
    # A word never seen, and a missing number, on a machine without the table.
    (tmp_path / "new.csv").write_text(
        "size,shop,open,since,note\n,east,no,01.02.2030,new words\n4,north,yes,01.02.2012,\n"
    )
    (tmp_path / "d.csv").unlink()
    out = run(made, "predict.py", str(tmp_path / "new.csv"))
    assert len(out.splitlines()) == 3 and "nan" not in out
    (tmp_path / "new.csv").write_text("size,shop\n1,north\n")
    assert "has no column open, since, note" in script_fails(made, "predict.py", str(tmp_path / "new.csv"))


# --- tables that are hard to swallow


def test_one_row_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,y\n1,2,3.5\n")
    with pytest.raises(SpecError, match=r"there are 1 samples|has no column to learn from"):
        Spec.from_dict({"name": "demo", "data": {"source": "d.csv", "target": "y"}}, base=tmp_path)


@pytest.mark.parametrize("names", [["class", "def", "import"], ['x"; import os', "{{ y }}", "a\\nb"]])
def test_names_that_look_like_code_are_names(tmp_path: Path, names: list[str]) -> None:
    rows = [[n % 10, f"{n % 3}x", ["no", "yes"][n % 10 > 4]] for n in range(60)]
    with (tmp_path / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    made = project(tmp_path, "demo", {"source": "d.csv", "target": [names[2]]}, training={"epochs": 20})
    run_tests(made, tmp_path)
    run(made, "train.py")
    run(made, "eval.py")
    assert len(run(made, "predict.py", str(tmp_path / "d.csv")).splitlines()) == 61


def test_a_class_of_a_single_sample_stays_in_train(tmp_path: Path) -> None:
    frame = mixed()
    frame.loc[0, "grade"] = "unique"
    frame.to_csv(tmp_path / "d.csv", index=False)
    made = project(tmp_path, "demo", {"source": "d.csv", "target": "grade"})
    spec = Spec.from_toml(made / "torchgen.toml")
    assert dict(zip(spec.data.classes, spec.data.counts, strict=True))["unique"] == 1
    with inside(made):
        dataset: Any = importlib.import_module("dataset")
        assert 0 in dataset.load_splits(0).rows[0] and 0 in dataset.load_splits(5).rows[0]
    run(made, "train.py", "--epochs", "1")
    run(made, "eval.py")


def test_very_wide_tables(tmp_path: Path) -> None:
    columns = {f"c{n}": [(row * 7 + n) % 13 for row in range(20)] for n in range(10_000)}
    frame = pd.DataFrame(columns)
    frame.to_csv(tmp_path / "d.csv", index=False)
    spec = Spec.from_dict(
        {"name": "demo", "task": "regression", "data": {"source": "d.csv", "target": "c0"}}, base=tmp_path
    )
    assert spec.input_shape == (9999,)
    frame.assign(more=1).to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(SpecError, match="has 10,001 columns"):
        Spec.from_dict({"name": "demo", "data": {"source": "d.csv", "target": "c0"}}, base=tmp_path)


# --- tables that nobody has seen

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=8
)
CELLS = {
    "number": st.floats(-1e6, 1e6).map(repr) | st.integers(-99, 99).map(str),
    "word": st.sampled_from(["red", "green", "blue", "None", "True"]),
    "flag": st.sampled_from(["yes", "no"]),
    "date": st.dates().map(str),
    "text": st.text("abc xyz", min_size=1, max_size=30),
    "sentence": st.lists(st.sampled_from(["a", "good", "bad", "Film,", "day"]), min_size=4, max_size=9).map(
        " ".join
    ),
    "odd": st.sampled_from(["", "NA", "inf", "1e400", "x", "5", "nan"]),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(NAMES, min_size=2, max_size=5, unique_by=str.strip))
    kinds = [draw(st.sampled_from(sorted(CELLS))) for _ in names]
    gaps = draw(st.sampled_from([0, 0, 4]))
    rows = draw(st.integers(1, 40))
    columns = [
        [draw(CELLS[kind]) if not gaps or draw(st.integers(0, gaps)) else "" for _ in range(rows)]
        for kind in kinds
    ]
    return names, [list(row) for row in zip(*columns, strict=True)]


FORMS = ["csv", "parquet", "stream"]
ROLES: list[dict[str, Any]] = [{}, {"group": "unit"}, {"time": "tick"}, {"group": "unit", "time": "tick"}]


@pytest.mark.filterwarnings("ignore:Glyph")  # no font has a sign for every name; the picture shows a box
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    table=tables(),
    profile=st.sampled_from(["lesson", "standard"]),
    form=st.sampled_from(FORMS),
    roles=st.sampled_from(ROLES),
)
def test_any_table_trains_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[list[str], list[list[str]]],
    profile: str,
    form: str,
    roles: dict[str, Any],
) -> None:
    names, rows = table
    folder = tmp_path_factory.mktemp("table")
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    units = [f"u{row // 3}" for row in range(len(rows))]
    if roles and not {"unit", "tick"} & set(names):
        frame = frame.assign(unit=units, tick=range(len(rows)))
    if len(roles) == 2:  # a sequence has one target
        frame[names[-1]] = frame.groupby(units)[names[-1]].transform("first")
    if form == "stream":
        frame = pd.concat([frame] * 50)  # as few rows as these are not streamed
    if form == "csv":
        frame.to_csv(folder / "d.csv", index=False)
    else:
        frame.to_parquet(folder / "d.parquet", row_group_size=9)
    source = "d.csv" if form == "csv" else "d.parquet"
    data = {"source": source, "target": [names[-1]], **roles, "stream": True if form == "stream" else None}
    data = {key: value for key, value in data.items() if value is not None}
    try:
        made = project(folder, "demo", data, project={"profile": profile})
    except SpecError as error:
        assert all(problem.what and problem.instead for problem in error.problems)
        return
    run(made, "train.py", "--epochs", "1")
    run(made, "eval.py")
    if profile == "standard":
        said = run(made, "predict.py", str(folder / source)).splitlines()
        assert len(said) == (len(set(units)) if len(roles) == 2 else len(frame)) + 1
