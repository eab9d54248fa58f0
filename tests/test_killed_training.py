"""A training run that is killed, and resumed: no checkpoint is ever unreadable, and the weights are those of a run that
nothing stopped, bit for bit on the CPU.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import often
from faulty import Faulty
from projects import make

# Between them: batch statistics, dropout, schedules that step by batch and by epoch or that
# read the loss, a last batch that is smaller, recurrent layers.
RUNS: dict[str, dict[str, Any]] = {
    "images": {
        "input_shape": [1, 8, 8],
        "output_shape": [10],
        "task": "multiclass",
        "model.preset": "cnn",
        "training.schedule": "onecycle",
    },
    "rows": {
        "input_shape": [12],
        "output_shape": [1],
        "task": "regression",
        "model.layers": "linear(32) -> batchnorm -> relu -> dropout(0.3)",
        "training.schedule": "plateau",
        "training.optimizer": "sgd",
        "training.batch_size": 48,
    },
    "steps": {
        "input_shape": [7, 3],
        "output_shape": [4],
        "task": "multiclass",
        "model.preset": "gru",
        "training.schedule": "cosine",
    },
}
EPOCHS = 3
LATE = ("torch", "torch.utils.data", "tqdm", "matplotlib.pyplot", "numpy")


def options(output: Path) -> list[str]:
    return ["--epochs", str(EPOCHS), "--device", "cpu", "--output-dir", str(output)]


def start(project: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    """A training run in a process of its own; it goes on from the last checkpoint, if there is one."""
    if (output / "last.pt").exists():
        more = ("--resume", *more)
    command = [sys.executable, str(project / "train.py"), *options(output), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def checkpoint(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


def readable(output: Path) -> None:
    """Every checkpoint can be read, whenever the run was stopped."""
    for path in output.glob("*.pt"):
        assert set(checkpoint(path)) >= {"model", "optimizer", "progress", "rows"}


def same(output: Path, whole: Path) -> None:
    """What was resumed equals what was not, to the bit."""
    for name in ("best.pt", "last.pt"):
        ours, theirs = checkpoint(output / name), checkpoint(whole / name)
        assert ours["model"].keys() == theirs["model"].keys()
        for key, tensor in theirs["model"].items():
            assert torch.equal(ours["model"][key], tensor), (name, key)
        assert ours["progress"] == theirs["progress"] and ours["rows"] == theirs["rows"]
    for name in ("history.csv", "splits.csv"):
        assert (output / name).read_bytes() == (whole / name).read_bytes()


@pytest.fixture(scope="module", params=RUNS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A project with a run in `whole` that nothing stopped, and how many seconds it took."""
    answers = nested(RUNS[request.param])
    project = make(tmp_path_factory.mktemp("killed"), **answers)
    started = time.perf_counter()
    child = start(project, project / "whole")
    printed, _ = child.communicate()
    assert child.returncode == 0, printed
    return project, time.perf_counter() - started


def nested(answers: dict[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} as {"a": {"b": 1}}."""
    tables: dict[str, Any] = {}
    for key, value in answers.items():
        table, _, name = key.rpartition(".")
        (tables.setdefault(table, {}) if table else tables)[name] = value
    return tables


def test_a_run_that_is_killed_at_random_moments_ends_as_if_nothing_had_been(
    trained: tuple[Path, float], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """30 runs with `--nightly`, 10 of each project; 3 otherwise. Each is killed twice."""
    project, seconds = trained
    moments = random.Random(project.name)
    for turn in range(often(request.config, nightly=10, otherwise=1)):
        output = tmp_path / str(turn)
        for _ in range(2):
            child = start(project, output)
            time.sleep(moments.uniform(0.3, 1) * seconds)  # the first third imports torch
            child.kill()
            child.communicate()
            readable(output)
        child = start(project, output)
        printed, _ = child.communicate()
        assert child.returncode == 0, printed
        same(output, project / "whole")


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    with Faulty(*LATE) as process:
        yield process


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_step_on_the_disk(
    trained: tuple[Path, float], faulty: Faulty, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Before each file that it opens, renames or makes. Without `--nightly`, every 12th."""
    project, _ = trained
    script = str(project / "train.py")
    for step in count(1, often(request.config, nightly=1, otherwise=12)):
        output = tmp_path / str(step)
        code = faulty("python", script, *options(output), home=output, at=step)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        readable(output)
        resume = ["--resume"] if (output / "last.pt").exists() else []
        assert faulty("python", script, *options(output), *resume, home=output) == 0
        same(output, project / "whole")
        assert not list(output.glob("*.new"))
    assert step > 4 * EPOCHS
