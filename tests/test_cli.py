"""The contract that users script against: flags, exit codes, what goes to stdout and what to stderr."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from torchgen_scaffold import Spec
from torchgen_scaffold import plan as make_plan
from torchgen_scaffold.cli import cli

DIGITS = ["--data", "sklearn:digits"]
IMAGE = ["--input-shape", "1,28,28", "--output-shape", "10", "--task", "multiclass"]


def torchgen(*arguments: str, cwd: Path | None = None) -> Result:
    with contextlib.chdir(cwd or Path.cwd()):
        return CliRunner().invoke(cli, [*arguments])


@pytest.mark.parametrize(
    "shape", ["1,28,28", "1x28x28", "(1, 28, 28)", "[1, 28, 28]", "1×28×28", " 1, 28 ,28 "]
)
def test_a_shape_may_be_typed_in_several_ways(shape: str) -> None:
    result = torchgen(
        "plan", "--input-shape", shape, "--output-shape", "10", "--task", "multiclass", "--json"
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["input_shape"] == [1, 28, 28]


def test_plan_json_holds_what_the_contract_says() -> None:
    layers = "conv(32, 3) -> relu -> maxpool(2)"
    found = json.loads(torchgen("plan", *IMAGE, "--layers", layers, "--json").stdout)
    assert found.keys() == {
        "input_shape",
        "output_shape",
        "task",
        "model",
        "layers",
        "params",
        "macs",
        "data",
    }
    assert found["layers"][0] == {
        "name": "features.0",
        "kind": "Conv2d",
        "args": {"in_channels": 1, "out_channels": 32, "kernel_size": 3},
        "in_shape": [1, 28, 28],
        "out_shape": [32, 26, 26],
        "params": 320,
        "macs": 194688,
        "receptive_field": [3, 3],
        "formula": "(28 + 2*0 - 1*(3-1) - 1)//1 + 1 = 26",
    }
    assert found["params"] == sum(layer["params"] for layer in found["layers"])
    assert found["macs"] == sum(layer["macs"] for layer in found["layers"])
    assert found["output_shape"] == found["layers"][-1]["out_shape"] == [10]


def test_plan_writes_nothing_but_the_picture_that_is_asked_for(tmp_path: Path) -> None:
    assert torchgen("plan", *DIGITS, cwd=tmp_path).exit_code == 0
    assert list(tmp_path.iterdir()) == []
    result = torchgen("plan", *DIGITS, "--svg", "net.svg", "--mermaid", cwd=tmp_path)
    assert result.exit_code == 0
    assert result.stdout.startswith("flowchart")
    drawn = ElementTree.parse(tmp_path / "net.svg").getroot()
    assert drawn.tag.endswith("svg") and ">digits<" in (tmp_path / "net.svg").read_text("utf-8")


def test_new_json_is_one_document(tmp_path: Path) -> None:
    result = torchgen("new", "digits", *DIGITS, "--json", cwd=tmp_path)
    found = json.loads(result.stdout)
    assert found.keys() == {"path", "files", "plan", "next"}
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == sorted(found["files"])
    assert found["next"][0] == "cd digits"
    assert found["plan"]["params"] == 21386


def test_new_shows_the_table_and_the_next_commands(tmp_path: Path) -> None:
    result = torchgen("new", "digits", *DIGITS, "--yes", cwd=tmp_path)
    assert "Conv2d(32, 3, padding=1)" in result.stdout
    assert "cd digits && pip install -r requirements.txt && python train.py" in result.stdout
    assert result.stderr == ""


def test_the_data_names_the_project(tmp_path: Path) -> None:
    assert torchgen("new", *DIGITS, "--yes", "-o", "made", cwd=tmp_path).exit_code == 0
    assert (tmp_path / "made/digits/torchgen.toml").is_file()


def test_dry_run_lists_and_writes_nothing(tmp_path: Path) -> None:
    result = torchgen("new", "digits", *DIGITS, "--yes", "--dry-run", cwd=tmp_path)
    assert result.exit_code == 0
    assert "train.py" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_force_says_first_what_it_replaces(tmp_path: Path) -> None:
    home = tmp_path / "digits"
    home.mkdir()
    (home / "README.md").write_text("mine\n")
    (home / "notes.md").write_text("mine\n")
    first = torchgen("new", "digits", *DIGITS, "--yes", "--force", cwd=tmp_path)
    assert first.exit_code == 0
    assert "Note: --force replaces README.md, which torchgen did not write." in first.stderr
    assert (home / "notes.md").read_text() == "mine\n"
    again = torchgen("new", "digits", *DIGITS, "--yes", "--force", cwd=tmp_path)
    assert again.exit_code == 0 and "replaces" not in again.stderr
    (home / "train.py").write_text("mine = 1\n")
    shown = torchgen("new", "digits", *DIGITS, "--yes", "--force", "--dry-run", cwd=tmp_path)
    assert "replaces train.py with your edits in them" in shown.stderr
    assert (home / "train.py").read_text() == "mine = 1\n"


def test_an_existing_project_is_refused_and_force_overwrites_its_own_files_alone(tmp_path: Path) -> None:
    assert torchgen("new", "digits", *DIGITS, "--yes", cwd=tmp_path).exit_code == 0
    mine = tmp_path / "digits/notes.md"
    mine.write_text("mine")
    (tmp_path / "digits/train.py").write_text("changed")
    refused = torchgen("new", "digits", *DIGITS, "--yes", cwd=tmp_path)
    assert refused.exit_code == 2
    assert "model.py" in refused.stderr and "--force" in refused.stderr
    assert (tmp_path / "digits/train.py").read_text() == "changed"
    assert torchgen("new", "digits", *DIGITS, "--yes", "--force", cwd=tmp_path).exit_code == 0
    assert (tmp_path / "digits/train.py").read_text() != "changed"
    assert mine.read_text() == "mine"


def test_without_a_terminal_every_missing_answer_is_named_at_once() -> None:
    result = torchgen("new")
    assert result.exit_code == 2
    assert result.stdout == ""
    for flag in ("NAME", "--task", "--input-shape", "--output-shape"):
        assert flag in result.stderr


def test_yes_from_a_pipe_never_hangs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torchgen_scaffold", "new", "--yes"]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_flags_win_over_the_file_and_set_reaches_any_key(tmp_path: Path) -> None:
    torchgen("new", "digits", *DIGITS, "--yes", "--lr", "0.5", "--optimizer", "sgd", cwd=tmp_path)
    config = ["--config", "digits/torchgen.toml"]
    again = torchgen(
        "new", "again", *config, "--yes", "--lr", "0.25", "--set", "training.momentum=0.5", cwd=tmp_path
    )
    assert again.exit_code == 0, again.stderr
    spec = Spec.from_toml(tmp_path / "again/torchgen.toml")
    assert (spec.training.lr, spec.training.optimizer) == (0.25, "sgd")
    assert spec.training.settings["momentum"] == 0.5


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert torchgen("new", "digits", *DIGITS, "--yes", "-o", folder, cwd=tmp_path).exit_code == 0
    for path in (tmp_path / "one/digits").iterdir():
        assert path.read_bytes() == (tmp_path / "two/digits" / path.name).read_bytes()
    torchgen("new", "digits", "--config", "one/digits/torchgen.toml", "--yes", "-o", "three", cwd=tmp_path)
    for path in (tmp_path / "one/digits").iterdir():
        assert path.read_bytes() == (tmp_path / "three/digits" / path.name).read_bytes()


def test_a_misfit_shows_the_table_up_to_it() -> None:
    result = torchgen(
        "plan", "--input-shape", "1,8,8", *IMAGE[2:], "--layers", "conv(8, 3) -> maxpool(2) -> conv(8, 5)"
    )
    assert result.exit_code == 2
    assert "8×3×3" in result.stdout and "✗" in result.stdout
    assert "layer 3, conv(8, 5)" in result.stderr
    assert "kernel of at most 3" in result.stderr


def test_options_list_every_choice() -> None:
    found = json.loads(torchgen("options", "--json").stdout)
    assert found.keys() == {"tasks", "models", "layers", "losses", "optimizers", "schedules", "data"}
    shown = torchgen("options").stdout
    for rows in found.values():
        for row in rows:
            assert row["name"].partition("(")[0] in shown and row["summary"]


def test_a_click_error_is_a_request_that_was_wrong() -> None:
    for arguments in (["plan", "--modle", "cnn"], ["nwe"], ["plan", "--input-shape"]):
        result = torchgen(*arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.stderr


def test_version_and_help() -> None:
    assert "0.1.0" in torchgen("--version").stdout
    assert "Every layer size" in torchgen("-h").stdout


def test_the_plan_names_are_the_generated_models_own(tmp_path: Path) -> None:
    import runpy

    torchgen("new", "digits", *DIGITS, "--yes", cwd=tmp_path)
    modules = dict(runpy.run_path(str(tmp_path / "digits/model.py"))["Model"]().named_modules())
    for layer in make_plan(Spec.from_toml(tmp_path / "digits/torchgen.toml")).layers:
        assert type(modules[layer.name]).__name__ == layer.kind
        assert sum(parameter.numel() for parameter in modules[layer.name].parameters()) == layer.params


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("torchgen_scaffold.commands.options.catalogue", stop)
    assert torchgen("options").exit_code == 130


def test_copy_data_brings_the_file_along(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i % 7},{'yes' if i % 2 else 'no'}" for i in range(40))
    (tmp_path / "flips.csv").write_text(f"a,b,y\n{rows}\n")
    arguments = ["--data", "csv:flips.csv", "--target", "y", "--yes"]
    assert torchgen("new", "near", *arguments, cwd=tmp_path).exit_code == 0
    assert '"../flips.csv"' in (tmp_path / "near/dataset.py").read_text().replace("'", '"')
    assert torchgen("new", "inside", *arguments, "--copy-data", cwd=tmp_path).exit_code == 0
    assert (tmp_path / "inside/data/flips.csv").read_bytes() == (tmp_path / "flips.csv").read_bytes()
    assert '"data/flips.csv"' in (tmp_path / "inside/dataset.py").read_text().replace("'", '"')
