"""`torchgen matrix`: what a file multiplies out to, and what becomes of its cells."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from hypothesis import assume, given
from hypothesis import strategies as st

from torchgen_scaffold import SpecError
from torchgen_scaffold.answers.words import ROWS
from torchgen_scaffold.children import Children
from torchgen_scaffold.cli import cli
from torchgen_scaffold.create import create
from torchgen_scaffold.matrix import Cell, cells_of, read_matrix
from torchgen_scaffold.matrix.cells import MOST_CELLS
from torchgen_scaffold.matrix.read import FLAGS, is_one_value
from torchgen_scaffold.names import MAX_LENGTH, project_name_problem
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.verify import verify

SMALL = 'input_shape = "4"\noutput_shape = 1\n[data]\nsamples = 60\n'


def cells(text: str, sets: Mapping[str, str] | None = None, stem: str = "net") -> tuple[Cell, ...]:
    return cells_of(read_matrix(tomllib.loads(text), stem, sets))


def names(text: str, sets: Mapping[str, str] | None = None) -> list[str]:
    return [cell.name for cell in cells(text, sets)]


def refused(text: str, sets: Mapping[str, str] | None = None) -> str:
    with pytest.raises(SpecError) as caught:
        cells(text, sets)
    return str(caught.value)


# What a file multiplies out to.


def test_lists_multiply_out_in_the_order_of_the_file() -> None:
    assert names('model = ["mlp", "cnn"]\noptimizer = ["adam", "sgd"]') == [
        "net-mlp-adam",
        "net-mlp-sgd",
        "net-cnn-adam",
        "net-cnn-sgd",
    ]


def test_a_file_without_lists_is_one_cell_under_the_files_own_name() -> None:
    (cell,) = cells('name = "digits"\nmodel = "mlp"')
    assert (cell.name, cell.values) == ("digits", {})
    assert cell.answers == {"name": "digits", "model": {"preset": "mlp"}}


def test_the_name_of_a_flag_and_the_key_of_its_table_are_one_setting() -> None:
    flag, key = cells("batch-size = [8, 16]"), cells("[training]\nbatch_size = [8, 16]")
    assert flag == key == cells("batch_size = [8, 16]")
    assert [cell.answers["training"] for cell in key] == [{"batch_size": 8}, {"batch_size": 16}]


def test_every_flag_is_a_key() -> None:
    values = {
        "input-shape": "4",
        "output-shape": "3",
        "task": "multiclass",
        "model": "mlp",
        "data": "csv:a.csv",
    }
    kinds = {key: setting.kind for key, setting in SETTINGS.items()}
    for flag, key in FLAGS.items():
        option = next(iter(getattr(kinds[key], "options", ("2",))))
        value = values.get(flag, True if flag in ("strict", "copy-data") else option)
        (cell,) = cells(f"{flag} = {json.dumps(value)}")
        table, dot, name = key.partition(".")
        assert name in cell.answers[table] if dot else table in cell.answers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input_shape = [1, 28, 28]", [""]),
        ('input_shape = ["1,28,28", "3x32x32"]', ["-1x28x28", "-3x32x32"]),
        ("input_shape = [[1, 28, 28], [3, 32, 32]]", ["-1x28x28", "-3x32x32"]),
        ('output_shape = ["10", "5"]', ["-output10", "-output5"]),
        ('[model]\npreset = "mlp"\nhidden = [64, 32]', [""]),
        ('[model]\npreset = "mlp"\nhidden = [[64], [32, 16]]', ["-hidden64", "-hidden32x16"]),
        ('[model]\npreset = "mlp"\nhidden = ["64", "32,16"]', ["-hidden64", "-hidden32x16"]),
        ('layers = ["linear(8)", "relu"]', [""]),
        ('layers = [["linear(8)"], ["linear(4)", "relu"]]', ["-linear-8", "-linear-4-relu"]),
        ('layers = ["linear(8) -> relu", "linear(4)"]', ["-linear-8-relu", "-linear-4"]),
        ('target = ["a", "b"]', [""]),
        ('target = [["a"], ["b", "c"]]', ["-a", "-b-c"]),
        ('task = "multiclass"\n[training]\nclass_weights = [1, 2.5]', [""]),
        (
            'task = "multiclass"\n[training]\nclass_weights = ["none", "balanced"]',
            ["-no-class_weights", "-balanced"],
        ),
        ("strict = [true, false]", ["-strict", "-no-strict"]),
        ('lr = [0.001, 1e-5, "0.1"]', ["-lr0_001", "-lr1e-05", "-lr0_1"]),
        ('schedule = ["none", "step"]', ["-no-schedule", "-step"]),
        (
            'data = ["sklearn:digits", "csv:a/houses.csv", "b/houses.csv", "synthetic"]',
            ["-digits", "-houses", "-houses-2", "-synthetic"],
        ),
    ],
)
def test_which_lists_are_one_value_and_how_values_are_called(text: str, words: list[str]) -> None:
    assert names(text) == [f"net{word}" for word in words]


def test_every_kind_that_takes_a_list_knows_which_lists_are_one_value() -> None:
    """A kind that reads lists, and that is_one_value has not heard of, would multiply out what is one value."""
    rows = [setting for table in ROWS.values() for row in table.values() for setting in row.settings.values()]
    lists: list[list[Any]] = [[2], [2, 3], ["a"], ["relu"]]
    for setting in (*SETTINGS.values(), *rows):
        for value in lists:
            with contextlib.suppress(ValueError):
                setting.kind.read(value)
                assert is_one_value(setting.kind, value), setting


def test_a_setting_of_some_optimizers_goes_to_the_cells_that_read_it() -> None:
    made = cells('optimizer = ["adam", "sgd"]\n[training]\nmomentum = [0.5, 0.9]')
    assert [cell.name for cell in made] == ["net-adam", "net-sgd-momentum0_5", "net-sgd-momentum0_9"]
    assert "momentum" not in made[0].answers["training"]
    assert "does nothing in this matrix" in refused(
        'optimizer = ["adam", "adamw"]\n[training]\nmomentum = 0.9'
    )


def test_an_exclude_leaves_out_every_cell_with_all_its_values() -> None:
    text = 'model = ["mlp", "cnn"]\noptimizer = ["adam", "sgd"]\nseed = [1, 2]\n'
    left = names(text + '[[exclude]]\nmodel = "cnn"\noptimizer = "sgd"')
    assert left == [name for name in names(text) if "cnn-sgd" not in name]
    assert len(names(text + '[[exclude]]\nmodel = ["cnn", "mlp"]\nseed = 1')) == 4
    assert len(names(text + '[[exclude]]\nname = "net-cnn-sgd-seed1"')) == 7
    assert len(names(text + '[[exclude]]\nmodel = "cnn"\nschedule = "none"')) == 4  # a default counts as said


def test_an_include_is_the_files_single_values_with_its_own_over_them() -> None:
    *_, one, two = cells(
        'optimizer = ["adam", "sgd"]\ntask = "multiclass"\ninput_shape = "4"\noutput_shape = 3\n'
        '[[include]]\nmodel = "linear"\n'
        '[[include]]\nname = "iris"\ndata = "sklearn:iris"'
    )
    assert (one.name, two.name) == ("net-linear", "iris")
    assert one.answers["input_shape"] == (4,) and one.answers["model"] == {"preset": "linear"}
    assert "input_shape" not in two.answers and two.answers["data"] == {"source": "sklearn:iris"}


def test_what_the_file_says_beside_its_list_of_sources_holds_for_an_included_one_too() -> None:
    *_, last = cells('data = ["a.csv", "b.csv"]\ntarget = "y"\n[[include]]\ndata = "c.csv"')
    assert last.answers["data"] == {"source": "c.csv", "target": ("y",)}


def test_includes_without_lists_stand_alone() -> None:
    text = 'task = "binary"\n[[include]]\nmodel = "mlp"\n[[include]]\nmodel = ["linear", "cnn"]'
    assert names(text) == ["net-mlp", "net-linear", "net-cnn"]


def test_set_wins_in_every_cell_and_renames_none() -> None:
    text = 'model = ["mlp", "cnn"]\nepochs = 20\n[[include]]\nmodel = "linear"\nepochs = 3'
    made = cells(text, {"training.epochs": "1"})
    assert [cell.name for cell in made] == names(text)
    assert {cell.answers["training"]["epochs"] for cell in made} == {1}
    assert "what the cells differ in" in refused(text, {"model.preset": "mlp"})
    assert "no setting 'training.epoch'" in refused(text, {"training.epoch": "1"})


def test_a_new_value_renames_no_cell() -> None:
    before = names('model = ["mlp"]\nlr = [0.1, 0.2]')
    after = names('model = ["cnn", "mlp", "linear"]\nlr = [0.3, 0.1, 0.2]\n[[include]]\nseed = 3')
    assert set(before) < set(after)


def test_names_that_are_too_long_or_taken_are_made_sound() -> None:
    layers = " -> ".join(["linear(8)", "relu"] * 20)
    long = names(f'name = "{"n" * 60}"\nlayers = ["{layers}", "{layers} -> relu"]\nlr = [0.1, 0.2]')
    assert len(set(long)) == 4 and all(len(name) <= MAX_LENGTH for name in long)
    assert names('name = "scikit"\ntarget = [["learn"]]') == ["my-scikit-learn"]  # a package is called that
    alike = names('name = "a"\ntarget = [["x"], ["X"], ["x!"]]')
    assert alike == ["a-x", "a-X-2", "a-x-3"]


# A wrong file.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('optimiser = ["adam"]', "Did you mean optimizer?"),
        ("[[includes]]\nlr = 1", "Did you mean include?"),
        ('"training.lr" = 1', "Write lr under [training]."),
        ("[training]\nepoch = 1", "Did you mean training.epochs?"),
        ("[[exclude]]\nmodle = 1", "in [[exclude]] 1, there is no setting"),
        ('model = ["mlp", "cnm"]', "Did you mean cnn?"),
        ("lr = [0.1, -1]", "cannot be -1"),
        ("[training]\nmomentum = [0.5, 7]", "cannot be 7"),
        ("input_shape = [100000, 100000, 100]", "1 GiB"),
        ("model = []", "has no values"),
        ('name = ["a", "b"]', "name cannot be a list"),
        ('name = "import"', "cannot be a project's name"),
        ("lr = 0.1\n[training]\nlr = 0.2", "given twice"),
        ("include = 3", "include is a list of tables"),
        ("[[include]]\n", "says nothing"),
        ('model = "mlp"\n[[exclude]]\nmodel = "cnn"', "[[exclude]] 1 matches no cell"),
        ('model = ["mlp"]\n[[exclude]]\nmodel = "mlp"', "no cell is left"),
        (
            f"seed = {list(range(200))}\nepochs = {list(range(1, 100))}",
            f"19,800 cells\n  the most is {MOST_CELLS:,}",
        ),
    ],
)
def test_a_wrong_file_is_told_what_to_type(text: str, says: str) -> None:
    assert says in refused(text)


def test_all_problems_are_told_together() -> None:
    said = refused('optimiser = "adam"\nlr = [-1]\n[[exclude]]\nmodle = "mlp"')
    assert all(word in said for word in ("optimiser", "-1", "modle"))


WORDS = {
    "model": st.sampled_from(["mlp", "cnn", "linear", "gru"]),
    "task": st.sampled_from(["binary", "multiclass", "regression"]),
    "seed": st.integers(0, 99),
    "lr": st.sampled_from([0.1, 0.01, 1e-05, 0.12345678]),
    "input_shape": st.sampled_from(["1,28,28", "4", "3x8x8"]),
    "target": st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=2),
}


@given(
    axes=st.fixed_dictionaries(
        {},
        optional={key: st.lists(word, min_size=1, max_size=4, unique_by=str) for key, word in WORDS.items()},
    ),
    data=st.data(),
)
def test_the_number_of_cells_is_the_product_less_the_excluded_and_the_included(
    axes: dict[str, list[Any]], data: st.DataObject
) -> None:
    assume(
        all(not any("\ud800" <= c <= "\udfff" for c in str(v)) for values in axes.values() for v in values)
    )
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    entries = [data.draw(st.sampled_from(combinations))] if axes and len(combinations) > 1 else []
    keys = data.draw(st.sets(st.sampled_from(sorted(axes)), min_size=1)) if entries else set()
    exclude = [{key: value for key, value in entry.items() if key in keys} for entry in entries]
    include = data.draw(st.lists(st.fixed_dictionaries({"epochs": st.integers(1, 9)}), max_size=3))
    kept = [c for c in combinations if not any(entry.items() <= c.items() for entry in exclude)]
    kept = kept if axes or not include else []
    assume(kept or include)
    file = {
        **axes,
        "exclude": [{k: [v] if k == "target" else v for k, v in entry.items()} for entry in exclude],
        "include": include,
    }
    found = cells_of(read_matrix(file, "net"))
    assert len(found) == len(kept) + len(include)
    for cell in found:
        assert project_name_problem(cell.name) is None
    assert len({cell.name.lower() for cell in found}) == len(found)


# What becomes of the cells.


def torchgen(folder: Path, *arguments: str) -> Result:
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli, ["matrix", *arguments])


def write(folder: Path, text: str) -> Path:
    file = folder / "net.toml"
    file.write_text(text, encoding="utf-8")
    return file


def stub(folder: Path, script: str) -> str:
    """A program in the place of Python: what verify makes of its steps, without torch."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_failing_cell_stops_no_other(tmp_path: Path) -> None:
    write(tmp_path, 'model = ["mlp", "cnn", "linear"]\ntask = "binary"\n' + SMALL)
    (tmp_path / "out/net-linear").mkdir(parents=True)
    (tmp_path / "out/net-linear/mine.txt").write_text("mine")
    result = torchgen(tmp_path, "net.toml", "-o", "out")
    assert result.exit_code == 1, result.output
    assert "the cnn preset cannot read 4" in result.stdout and "In the way: mine.txt" in result.stdout
    assert "1 of 3 cells written" in result.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["net-linear", "net-mlp"]
    assert tree(tmp_path / "out/net-linear") == {"mine.txt": b"mine"}
    assert torchgen(tmp_path, "net.toml", "-o", "out").exit_code == 1  # all are in the way now
    forced = torchgen(tmp_path, "net.toml", "-o", "out", "--force")
    assert "2 of 3 cells written" in forced.stdout


def test_a_fault_that_stops_many_cells_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, "seed = [1, 2, 3]\n")
    result = torchgen(tmp_path, "net.toml")
    assert result.stdout.count("task is missing") == 1
    assert result.stdout.count("net-seed3") == 2  # in the table, and above what stopped it


@pytest.mark.parametrize("text", ['modle = ["mlp"]', "seed = [1, 2", "seed = [1, -1]"])
def test_a_wrong_file_is_2_before_anything_is_written(tmp_path: Path, text: str) -> None:
    write(tmp_path, f'{text}\ntask = "binary"')
    result = torchgen(tmp_path, "net.toml", "-o", "out", "--junit", "report.xml")
    assert result.exit_code == 2 and result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["net.toml"]


def test_requests_that_are_wrong_are_2(tmp_path: Path) -> None:
    write(tmp_path, 'seed = [1, 2]\ntask = "binary"\n' + SMALL)
    for arguments in (
        ["no.toml"],
        ["net.toml", "--verify", "--python", "nowhere"],
        ["net.toml", "--jobs", "0"],
    ):
        result = torchgen(tmp_path, *arguments, "-o", "out")
        assert result.exit_code == 2 and "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_dry_run_shows_the_cells_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, 'seed = [1, 2]\ntask = "binary"\n' + SMALL)
    result = torchgen(tmp_path, "net.toml", "-o", "out", "--dry-run")
    assert result.exit_code == 0 and "2 of 2 cells sound" in result.stdout
    assert not (tmp_path / "out").exists()


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    rows = "\n".join(f"{i},{i % 7},{'yes' if i % 2 else 'no'}" for i in range(40))
    (tmp_path / "team/flips.csv").write_text(f"a,b,y\n{rows}\n")
    write(tmp_path / "team", 'data = "flips.csv"\ntarget = "y"\nmodel = ["mlp", "linear"]')
    assert torchgen(tmp_path, "team/net.toml", "-o", "out").exit_code == 0
    assert '"../../team/flips.csv"' in (tmp_path / "out/net-mlp/dataset.py").read_text()


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_cell_has_the_bytes_that_new_gives(tmp_path: Path, jobs: str) -> None:
    file = write(tmp_path, 'model = ["mlp", "linear"]\nseed = [1, 2]\ntask = "binary"\n' + SMALL)
    assert torchgen(tmp_path, "net.toml", "-o", "out", "--jobs", jobs).exit_code == 0
    for cell in cells(file.read_text()):
        create(cell.answers, base=tmp_path, output_dir=tmp_path / "alone")
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


def test_three_hundred_cells(tmp_path: Path) -> None:
    write(tmp_path, f'seed = {list(range(300))}\ntask = "binary"\nprofile = "lesson"\n' + SMALL)
    result = torchgen(tmp_path, "net.toml", "-o", "out", "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["cells"]) == len(list((tmp_path / "out").iterdir())) == 300


def test_json_and_junit_say_what_each_step_of_each_cell_did(tmp_path: Path) -> None:
    write(tmp_path, 'model = ["mlp", "cnn"]\ntask = "binary"\n' + SMALL)
    python = stub(tmp_path, 'echo "threads $OMP_NUM_THREADS"; [ "$1" != eval.py ]')
    arguments = ["net.toml", "-o", "out", "--verify", "--python", python, "--json", "--junit", "report.xml"]
    result = torchgen(tmp_path, *arguments)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["ok"] is False
    mlp, cnn = found["cells"]
    assert mlp.keys() == {"name", "path", "ok", "seconds", "values", "params", "problems", "steps"}
    assert (mlp["name"], mlp["path"], mlp["values"]) == ("net-mlp", "out/net-mlp", {"model.preset": "mlp"})
    assert [(step["name"], step["ok"]) for step in mlp["steps"]] == [
        ("new", True),
        ("tests", True),
        ("train", True),
        ("eval", False),
        ("predict", True),
    ]
    assert mlp["params"] > 0 and cnn["params"] is None
    assert "the cnn preset cannot read 4" in cnn["problems"][0]["what"]
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    cases = [(case.get("classname"), case.get("name"), case.find("failure") is None) for case in suite]
    assert cases == [(c["name"], step["name"], step["ok"]) for c in found["cells"] for step in c["steps"]]
    assert (suite.get("tests"), suite.get("failures")) == ("6", "2")
    assert "cannot read 4" in "".join(suite.itertext())
    assert result.stderr.splitlines()[0].startswith("FAILED net-")  # a CI log shows how far it is


def test_processors_are_shared_between_the_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'seed = [1, 2]\ntask = "binary"\n' + SMALL)
    monkeypatch.setattr("torchgen_scaffold.matrix.run.processors", lambda: 7)
    arguments = [
        "net.toml",
        "--verify",
        "--python",
        stub(tmp_path, "echo $OMP_NUM_THREADS"),
        "--json",
        "--force",
    ]

    def said() -> set[str]:
        document = json.loads(torchgen(tmp_path, *arguments, "--jobs", "2").stdout)
        return {step["detail"] for cell in document["cells"] for step in cell["steps"][1:]}

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert said() == {"3"}
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # whoever says it knows why
    assert said() == {"2"}


def test_a_cell_that_cannot_be_copied_fails_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    write(tmp_path, 'task = "binary"\n' + SMALL)
    monkeypatch.setattr("torchgen_scaffold.verify.shutil.copytree", full)
    result = torchgen(tmp_path, "net.toml", "--verify", "--python", stub(tmp_path, "echo done"))
    assert result.exit_code == 1 and "No space left" in result.stdout and "✗ verify" in result.stdout


def test_verify_takes_a_relative_python(tmp_path: Path) -> None:
    write(tmp_path, 'task = "binary"\n' + SMALL)
    torchgen(tmp_path, "net.toml")
    stub(tmp_path, "echo done")
    with contextlib.chdir(tmp_path):
        assert verify(Path("net"), "./python").ok


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_the_children_and_leaves_no_half_cell(tmp_path: Path) -> None:
    write(tmp_path, f'seed = {list(range(8))}\ntask = "binary"\n' + SMALL)
    python = stub(tmp_path, f'echo $$ >> "{tmp_path}/pids"; exec sleep 600')
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "torchgen_scaffold", "matrix", "net.toml", "-o", "out", "--jobs", "2"]
    running = subprocess.Popen(
        [*command, "--verify", "--python", python],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets its background jobs ignore Ctrl-C, and with them the tests and their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    pids = tmp_path / "pids"
    while not pids.exists() or len(pids.read_text().split()) < 2:
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said == "Stopped after 0 of 8 cells; none is half written.\n"
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    assert list(scratch.iterdir()) == []
    made = sorted((tmp_path / "out").iterdir())
    assert 2 <= len(made) < 8
    assert len({tuple(sorted(path.name for path in cell.iterdir())) for cell in made}) == 1


def test_no_child_begins_after_the_end() -> None:
    children = Children()
    children.end()
    with pytest.raises(KeyboardInterrupt):
        children.run([sys.executable, "-c", "pass"], Path(), {})


def test_a_child_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchgen_scaffold.children.LONGEST_SECONDS", 0.2)
    ok, said = Children().run([sys.executable, "-c", "import time; time.sleep(600)"], Path(), {})
    assert not ok and "still running" in said
