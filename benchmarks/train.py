"""How long an epoch of a generated project takes, beside other ways to write the same loop.

Every contender is given the same network, data, batch size and optimizer, and its own process. All of them run in each
round, one after the other; each does an epoch that is not counted and then some that are. See `contenders/`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cells import CELLS, MAIN, MAP, Cell, project_of
from benchmarks.contenders import CONTENDERS
from benchmarks.machine import installed
from benchmarks.processes import rounds_of, run
from benchmarks.report import Group, Row

HELP = "epoch times of a generated project, beside other ways to write the loop"
SETS = {"main": MAIN, "map": MAP, "all": (*MAIN, *MAP)}
AGAINST = ("canonical", "tight")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--cells", type=cells_named, default=MAIN, help=f"{', '.join([*SETS, *CELLS])}")
    parser.add_argument(
        "--contenders", type=contenders_named, default=[*CONTENDERS], help=",".join(CONTENDERS)
    )
    parser.add_argument("--rounds", type=int, default=5, help="processes of each contender")
    parser.add_argument("--epochs", type=int, default=3, help="timed epochs in each process")
    parser.add_argument("--rows", type=int, help="rows of every cell, instead of its own")


def cells_named(text: str) -> Sequence[Cell]:
    """Names of cells and of sets of them, with commas between."""
    found: list[Cell] = []
    for name in text.split(","):
        if name not in SETS and name not in CELLS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join([*SETS, *CELLS])}")
        found += SETS.get(name) or [CELLS[name]]
    return found


def contenders_named(text: str) -> list[str]:
    """Names of contenders, with commas between."""
    names = text.split(",")
    for name in names:
        if name not in CONTENDERS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(CONTENDERS)}")
    return names


def measure(told: argparse.Namespace) -> tuple[list[Group], list[str]]:
    """A group for each cell, and a line for what could not be measured."""
    missing = [name for name in told.contenders if (needs := CONTENDERS[name]) and not installed(needs)]
    present = [name for name in told.contenders if name not in missing]
    with tempfile.TemporaryDirectory() as folder:
        groups = [measure_cell(cell, present, told, Path(folder)) for cell in told.cells]
    notes = [versions(present)] if versions(present) else []
    if missing:
        notes.append(f'Left out, because not installed: {", ".join(missing)}. pip install ".[bench]"')
    return groups, notes


def measure_cell(cell: Cell, names: Sequence[str], told: argparse.Namespace, folder: Path) -> Group:
    """Seconds per epoch of each contender on one cell."""
    rows, batch = told.rows or cell.rows_on(told.device), cell.batch_on(told.device)
    project = project_of(cell, folder, rows)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _, name in rounds_of(names, told.rounds, cell.what):
        seconds[name] += epochs_of(name, project, told.device, batch, 1 + told.epochs)[0][
            1:
        ]  # the first warms up
    measured = [Row(name, values) for name, values in seconds.items()]
    title = f"{cell.what}, an epoch of {rows:,} rows in batches of {batch}, {told.device}"
    return Group(title, "s", measured, AGAINST)


def epochs_of(
    name: str, project: Path, device: str, batch_size: int, epochs: int, *, in_order: bool = False
) -> tuple[list[float], list[float]]:
    """Seconds and mean loss of each epoch of one contender, in a process of its own."""
    out = project.parent / f"{project.name}-{name}.json"
    numbers = ["--device", device, "--batch-size", str(batch_size), "--epochs", str(epochs)]
    command = ["-m", "benchmarks.contenders", name, str(project), "--out", str(out), *numbers]
    run([*command, *(["--in-order"] if in_order else [])], project)
    found = json.loads(out.read_text(encoding="utf-8"))
    return found["seconds"], found["losses"]


def versions(names: Sequence[str]) -> str:
    """Which libraries were measured."""
    needed = [needs for name in names if (needs := CONTENDERS[name])]
    return f"With {', '.join(f'{needs} {installed(needs)}' for needs in needed)}." if needed else ""
