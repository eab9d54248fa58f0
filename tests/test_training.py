"""What the standard profile's train.py promises: resume, Ctrl-C, early stopping, precision, logs, and honest messages."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from projects import make, run, script_fails

SEQUENCE: dict[str, Any] = {
    "task": "multiclass",
    "input_shape": "6,3",
    "output_shape": "3",
    "model": {"preset": "lstm", "hidden_size": 8, "num_layers": 2, "dropout": 0.3},
    "data": {"samples": 90},
}
ROW: dict[str, Any] = {"task": "regression", "input_shape": "4", "output_shape": "2", "data": {"samples": 90}}


def same(one: Any, other: Any) -> bool:
    """Equal to the bit, however deep."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def load(path: Path) -> Any:
    return torch.load(path, weights_only=True)


# Runs train.py, and sends the process the signal of Ctrl-C when its third epoch is said: a busy machine that watched
# from outside could see that line when all epochs are over.
STOPS = """
import os, runpy, runtime, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
add = runtime.Log.add
def add_and_stop(log, row):
    add(log, row)
    if row["epoch"] == 3:
        os.kill(os.getpid(), signal.SIGINT)
runtime.Log.add = add_and_stop
runpy.run_path("train.py", run_name="__main__")
"""


def start(project: Path, *arguments: str, script: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-u", *(["-c", script] if script else ["train.py"]), *arguments]
    # As many threads as this process has: sums in another order differ in their last bits.
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=project, env=one_thread, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_four_epochs_are_two_and_two_more(tmp_path: Path) -> None:
    project = make(tmp_path, **SEQUENCE)
    run(project, "train.py", "--epochs", "4", "--output-dir", "whole")
    run(project, "train.py", "--epochs", "2", "--output-dir", "halves")
    run(project, "train.py", "--epochs", "4", "--output-dir", "halves", "--resume")
    for name in ("last.pt", "best.pt"):
        assert same(load(project / "whole" / name), load(project / "halves" / name)), name
    for folder in ("whole", "halves"):
        assert len((project / folder / "history.csv").read_text().splitlines()) == 5
    assert (project / "whole/history.csv").read_text() == (project / "halves/history.csv").read_text()


@pytest.mark.parametrize("schedule", ["cosine", "onecycle", "step", "plateau"])
def test_a_run_stopped_by_ctrl_c_goes_on_to_the_same_bits(tmp_path: Path, schedule: str) -> None:
    extra = (
        {"step_size": 2} if schedule == "step" else {"plateau_patience": 0} if schedule == "plateau" else {}
    )
    project = make(tmp_path, **SEQUENCE, training={"schedule": schedule, **extra})
    epochs = ["--epochs", "6"]
    run(project, "train.py", *epochs, "--output-dir", "whole")
    process = start(project, *epochs, "--output-dir", "stopped", script=STOPS)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "--resume" in said
    stopped_at = load(project / "stopped/last.pt")["progress"]["epoch"]
    assert 2 <= stopped_at < 6
    run(project, "train.py", *epochs, "--output-dir", "stopped", "--resume")
    assert same(load(project / "whole/last.pt"), load(project / "stopped/last.pt"))


def test_a_run_that_is_killed_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    process = start(project, "--epochs", "100000")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 3 "):
            process.kill()
            break
    process.communicate(timeout=60)
    done = load(project / "outputs/last.pt")["progress"]["epoch"]
    assert done >= 2
    assert f"epoch {done + 1} " in run(project, "train.py", "--epochs", str(done + 1), "--resume")


def test_a_schedule_over_the_run_resumes_with_its_own_length_alone(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW, training={"schedule": "cosine"})
    run(project, "train.py", "--epochs", "2")
    message = script_fails(project, "train.py", "--epochs", "4", "--resume")
    assert message == "That run's schedule spans 2 epochs. Resume with its --epochs."
    cycle = make(tmp_path, "cycle", **ROW, training={"schedule": "onecycle", "batch_size": 16})
    run(cycle, "train.py", "--epochs", "2")
    message = script_fails(cycle, "train.py", "--epochs", "2", "--batch-size", "8", "--resume")
    assert "spans 8 steps. Resume with its --epochs and --batch-size." in message


def test_another_seed_cannot_resume(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    run(project, "train.py", "--epochs", "1", "--seed", "3")
    split = (project / "outputs/splits.csv").read_text()
    assert "--seed 3" in script_fails(project, "train.py", "--epochs", "2", "--resume")
    assert (project / "outputs/splits.csv").read_text() == split  # still that of the run


def test_early_stopping(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    said = run(project, "train.py", "--epochs", "300", "--patience", "2", "--lr", "0.5")
    assert "no better val loss for 2 epochs" in said
    assert said.count("epoch ") < 300


def test_a_loss_that_explodes_says_what_to_try(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW, training={"optimizer": "sgd"})
    message = script_fails(project, "train.py", "--lr", "1e30", "--clip-norm", "0")
    assert "lower --lr" in message and "1e+30" in message


@pytest.mark.parametrize("amp", ["bf16", "fp16"])
def test_mixed_precision(tmp_path: Path, amp: str) -> None:
    project = make(tmp_path, **ROW)
    run(project, "train.py", "--epochs", "2", "--amp", amp)
    run(project, "train.py", "--epochs", "3", "--amp", amp, "--resume")
    assert load(project / "outputs/last.pt")["progress"]["epoch"] == 3
    assert all(value.dtype == torch.float32 for value in load(project / "outputs/best.pt")["model"].values())


def has_half(dtype: torch.dtype) -> bool:
    """Whether this machine's CPU has a recurrent layer in half precision; it depends on its instructions."""
    try:
        with torch.autocast("cpu", dtype):
            torch.nn.LSTM(3, 8)(torch.zeros(2, 1, 3))
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("amp", ["bf16", "fp16"])
def test_half_precision_that_a_device_has_not_is_said(tmp_path: Path, amp: str) -> None:
    project = make(tmp_path, **SEQUENCE)
    arguments = ("--amp", amp, "--device", "cpu", "--epochs", "1")
    if has_half({"bf16": torch.bfloat16, "fp16": torch.float16}[amp]):
        run(project, "train.py", *arguments)
    else:
        assert f"has no {amp}" in script_fails(project, "train.py", *arguments)
        assert not (project / "outputs").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own imports
def test_a_compiled_run_saves_what_a_plain_one_loads(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    run(project, "train.py", "--epochs", "1", "--compile")
    assert not any(name.startswith("_orig_mod") for name in load(project / "outputs/best.pt")["model"])
    assert "r2" in run(project, "eval.py")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TensorBoard's own imports
def test_tensorboard_events(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    run(project, "train.py", "--epochs", "1", "--tensorboard")
    assert list((project / "outputs/tensorboard").glob("events.*"))


def test_what_a_run_leaves(tmp_path: Path) -> None:
    project = make(tmp_path, **SEQUENCE)
    run(project, "train.py", "--epochs", "2")
    run(project, "eval.py")
    outputs = project / "outputs"
    found = {path.name for path in outputs.iterdir()}
    assert found == {
        "best.pt",
        "last.pt",
        "history.csv",
        "splits.csv",
        "curves.png",
        "metrics.json",
        "confusion_matrix.png",
    }
    metrics = json.loads((outputs / "metrics.json").read_text())
    assert metrics.keys() == {"loss", "accuracy", "f1", "roc_auc"}
    assert all(isinstance(value, float) for value in metrics.values())
    with (outputs / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["train_loss"]) > 0 for row in rows)
    for name in ("curves.png", "confusion_matrix.png"):
        assert (outputs / name).read_bytes().startswith(b"\x89PNG")


def test_scripts_run_from_anywhere(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    for script in ("train.py", "eval.py", "predict.py"):
        extra = ["--epochs", "1"] if script == "train.py" else []
        command = [sys.executable, str(project / script), *extra]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (project / "outputs/best.pt").is_file()


def test_eval_and_predict_without_a_checkpoint_say_what_to_run(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    for script in ("eval.py", "predict.py"):
        assert "train.py first" in script_fails(project, script)
    lesson = make(tmp_path, "lesson", **ROW, project={"profile": "lesson"})
    assert "train.py first" in script_fails(lesson, "eval.py")


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    assert "--device nonsense cannot be used" in script_fails(project, "train.py", "--device", "nonsense")


def test_the_last_batch_of_one_is_left_out_where_batchnorm_cannot_take_it(tmp_path: Path) -> None:
    answers = {**ROW, "model": {"layers": "linear(8) -> batchnorm -> relu"}, "data": {"samples": 91}}
    project = make(tmp_path, **answers, training={"batch_size": 16})  # 65 train samples: 4 batches and 1
    run(project, "train.py", "--epochs", "1")
    run(project, "train.py", "--epochs", "1", "--batch-size", "32")  # 2 batches and 1
    lesson = make(tmp_path, "lesson", **answers, training={"batch_size": 16}, project={"profile": "lesson"})
    run(lesson, "train.py", "--epochs", "1")


def test_the_checkpoint_carries_the_statistics_of_the_train_split(tmp_path: Path) -> None:
    project = make(tmp_path, data={"source": "sklearn:diabetes"})
    run(project, "train.py", "--epochs", "1")
    model = load(project / "outputs/best.pt")["model"]
    assert 140 < model["target_mean"].item() < 165  # the disease's progression, in its own units
    assert model["input_std"].shape == (10,) and (model["input_std"] > 0).all()
