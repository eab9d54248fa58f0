"""How long torchgen takes to start, and how long a generated project takes to its first step.

Whole processes, beside a bare Python and `import torch`. Making an optimizer imports torch._dynamo, which costs about as much again
as torch itself and is nobody's to save; so both are shown, and what a project adds on top of them is seen.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.processes import ROUND, interleaved, run
from benchmarks.report import Group, Row

HELP = "whole processes, from nothing to done; a project's train.py to its first step"

DIGITS = ["--data", "sklearn:digits"]
# Made data: what a library needs that reads a person's data is that person's choice.
SHAPES = ["--input-shape", "1,8,8", "--output-shape", "10", "--task", "multiclass"]
TORCH = "import torch"
OPTIMIZER = "import torch, make an optimizer"
# All three end at once, as the driver below does: to take torch down again is no part of a start.
IMPORT_TORCH = "import torch, os; os._exit(0)"
MAKE_OPTIMIZER = "import torch, os; torch.optim.Adam([torch.zeros(1, requires_grad=True)]); os._exit(0)"
FIRST_STEP = "train.py to its first step"
# The process ends inside of the first step of any optimizer. A train.py that makes none is a failure.
DRIVER = """
import os, runpy, sys
from torch.optim.optimizer import register_optimizer_step_post_hook
register_optimizer_step_post_hook(lambda *_: os._exit(0))
sys.argv = ["train.py", "--device", "cpu"]
runpy.run_path("train.py", run_name="__main__")
raise SystemExit("train.py made no step")
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--rounds", type=int, default=7, help="processes of each command")


def measure(told: argparse.Namespace) -> tuple[list[Group], list[str]]:
    """The generator's own commands; then torch's imports and a project's first step."""
    torchgen = ["-m", "torchgen_scaffold"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run([*torchgen, "new", "made", *SHAPES, "--yes", "-o", name], folder)
        commands = {
            "python": ["-c", "pass"],
            "import click": ["-c", "import click"],
            "torchgen --help": [*torchgen, "--help"],
            "torchgen plan": [*torchgen, "plan", *DIGITS],
            "torchgen new": [*torchgen, "new", "digits", *DIGITS, "--yes", "-o", f"{name}/{ROUND}"],
            TORCH: ["-c", IMPORT_TORCH],
            OPTIMIZER: ["-c", MAKE_OPTIMIZER],
            FIRST_STEP: ["-c", DRIVER],
        }
        seconds = interleaved(commands, folder / "made", told.rounds)
    rows = [Row(name, values) for name, values in seconds.items()]
    return [
        Group("The generator, whole processes", "s", rows[:5], ["python"]),
        Group("A generated project, whole processes", "s", rows[5:], [TORCH, OPTIMIZER]),
    ], []
