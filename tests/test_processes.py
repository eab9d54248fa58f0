"""Several processes share a run: the same results as one, whatever their number, and no hang when one is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from projects import make
from test_training import load

ONE = [sys.executable]
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
# Without dropout and batch statistics, processes compute what one would, but for the order of sums.
ROW: dict[str, Any] = {
    "task": "multiclass",
    "input_shape": "6",
    "output_shape": "3",
    "data": {"samples": 220},  # 154, 33 and 33: the last of 5 batches has 26 samples, and val an odd number
    "training": {"batch_size": 32},
}


def train(launcher: Sequence[str], project: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run train.py, alone or by several processes, with one thread each."""
    return subprocess.run(
        [*launcher, "train.py", *flags],
        cwd=project,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )


def trained(
    launcher: Sequence[str], project: Path, output: str, *flags: str
) -> tuple[Any, pd.DataFrame, str]:
    """The last checkpoint and the history of a run that went well, and what it said."""
    done = train(launcher, project, "--output-dir", output, *flags)
    assert done.returncode == 0, done.stderr
    return load(project / output / "last.pt"), pd.read_csv(project / output / "history.csv"), done.stdout


def alike(one: tuple[Any, pd.DataFrame, str], other: tuple[Any, pd.DataFrame, str]) -> None:
    """The same weights and the same history, to float precision."""
    torch.testing.assert_close(one[0]["model"], other[0]["model"], rtol=1e-3, atol=1e-5)
    pd.testing.assert_frame_equal(one[1], other[1], rtol=1e-3, atol=1e-5)


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW, model={"hidden": [16]})
    alone = trained(ONE, project, "one", "--epochs", "4")
    both = trained(TWO, project, "two", "--epochs", "4")
    alike(alone, both)
    assert "2 processes share each batch" in both[2]
    assert both[2].count("epoch 4 ") == 1  # one of them speaks
    assert (project / "two/splits.csv").read_text() == (project / "one/splits.csv").read_text()
    # A run goes on with another number of processes, either way.
    trained(ONE, project, "mixed", "--epochs", "1")
    trained(TWO, project, "mixed", "--epochs", "3", "--resume")
    alike(alone, trained(ONE, project, "mixed", "--epochs", "4", "--resume"))


def test_a_step_of_several_batches_by_two_processes(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW, model={"hidden": [16]})
    alone = trained(ONE, project, "one", "--epochs", "2", "--batch-size", "64")
    alike(alone, trained(TWO, project, "two", "--epochs", "2", "--accumulate", "2"))


def test_dropout_batchnorm_and_an_odd_sample(tmp_path: Path) -> None:
    data = {"samples": 213}  # 151 train samples: one is left over in every epoch
    project = make(
        tmp_path,
        **{**ROW, "data": data},
        model={"layers": "linear(16) -> batchnorm -> relu -> dropout(0.2)"},
    )
    checkpoint, history, _ = trained(TWO, project, "two", "--epochs", "3", "--patience", "2")
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert all(value.isfinite().all() for value in checkpoint["model"].values())


def test_rows_of_a_stream_are_shared(tmp_path: Path) -> None:
    chance = torch.Generator().manual_seed(0)
    numbers = torch.randn(1500, 3, generator=chance)
    frame = pd.DataFrame(numbers.numpy(), columns=["a", "b", "c"])
    frame.assign(y=frame["a"] * 2 - frame["b"]).to_parquet(tmp_path / "d.parquet", row_group_size=200)
    project = make(tmp_path, data={"source": "d.parquet", "target": "y", "stream": True})
    alone = trained(ONE, project, "one", "--epochs", "2", "--batch-size", "50")
    both = trained(TWO, project, "two", "--epochs", "2", "--batch-size", "50")
    assert both[1]["val_loss"].iloc[-1] == pytest.approx(alone[1]["val_loss"].iloc[-1], rel=0.05)


def test_a_batch_that_cannot_be_shared(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    done = train(TWO, project, "--batch-size", "33")
    assert done.returncode == 1
    assert "--batch-size" in done.stderr and "2 processes" in done.stderr
    assert not (project / "outputs").exists()


def test_a_lost_process_ends_the_run_with_a_message(tmp_path: Path) -> None:
    project = make(tmp_path, **ROW)
    command = [*TWO, "train.py", "--epochs", "1000000"]
    started = subprocess.Popen(
        command,
        cwd=project,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert started.stdout is not None
    for line in started.stdout:
        if line.startswith("epoch 3 "):
            os.kill(children(started.pid)[-1], signal.SIGKILL)
            break
    said, _ = started.communicate(timeout=120)
    assert started.returncode == 1
    assert "Signal 9 (SIGKILL)" in said  # torchrun's own words, after which it ends the others
    done = load(project / "outputs/last.pt")["progress"]["epoch"]
    assert done >= 2
    trained(ONE, project, "outputs", "--epochs", str(done + 1), "--resume")


def children(parent: int) -> list[int]:
    """The processes that a process has started, in order; waits until there are two."""
    for _ in range(100):
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if len(found) >= 2:
            return [int(pid) for pid in found]
        time.sleep(0.1)
    raise AssertionError("torchrun started no processes")
