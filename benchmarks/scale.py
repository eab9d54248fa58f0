"""How cost grows: with the rows of the data, the batch size, the depth of a network, the number of projects."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cells import Cell, project_of
from benchmarks.memory import peak
from benchmarks.processes import interleaved, rounds_of, run
from benchmarks.report import Group, Row
from benchmarks.train import epochs_of

HELP = "how time and memory grow with rows, batch size, depth, number of projects"

CELL = Cell("rows", "MLP 20-128-64-3", "20", {"preset": "mlp", "hidden": [128, 64]}, 0, 1024)
ROWS = [10**power for power in range(3, 8)]
BATCHES = [16, 64, 256, 1024, 4096]
BATCHED_ROWS = 50_000
DEPTHS = [1, 10, 100, 1_000]
COUNTS = [1, 10, 100, 300]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--most", type=int, default=max(ROWS), help="no more rows than this")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each size")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), help="some of the parts")


def measure(told: argparse.Namespace) -> tuple[list[Group], list[str]]:
    """A group for each thing that can grow."""
    with tempfile.TemporaryDirectory() as folder:
        groups = [group for part in told.only for group in PARTS[part](told, Path(folder))]
    return groups, []


def by_rows(told: argparse.Namespace, folder: Path) -> list[Group]:
    """One epoch and the process's peak, libraries included, for each number of rows in the train split."""
    sizes = [rows for rows in ROWS if rows <= told.most]
    projects = {rows: project_of(CELL, made(folder / f"rows-{rows}"), rows) for rows in sizes}
    seconds: dict[int, list[float]] = {rows: [] for rows in sizes}
    peaks: dict[int, list[float]] = {rows: [] for rows in sizes}
    for _, rows in rounds_of(sizes, told.rounds, "rows"):
        out = projects[rows].parent / "epochs.json"
        numbers = ["--device", told.device, "--batch-size", str(CELL.batch_size), "--epochs", "2"]
        command = [
            "-m",
            "benchmarks.contenders",
            "torchgen",
            str(projects[rows]),
            "--out",
            str(out),
            *numbers,
        ]
        peaks[rows].append(peak(command, folder))
        seconds[rows].append(json.loads(out.read_text(encoding="utf-8"))["seconds"][1])  # the first warms up
    what = f"{CELL.what}, batches of {CELL.batch_size:,}, {told.device}"
    return [
        growing(f"An epoch against rows: {what}", "s", "rows", seconds),
        growing(f"Peak memory of train.py against rows: {what}", "MiB", "rows", peaks),
    ]


def by_batch(told: argparse.Namespace, folder: Path) -> list[Group]:
    """One epoch for each batch size."""
    rows = min(BATCHED_ROWS, told.most)
    project = project_of(CELL, made(folder / "batches"), rows)
    seconds: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    for _, batch in rounds_of(BATCHES, told.rounds, "batch size"):
        seconds[batch] += epochs_of("torchgen", project, told.device, batch, 2)[0][1:]
    title = f"An epoch against batch size: {CELL.what}, {rows:,} rows, {told.device}"
    return [growing(title, "s", "batch size", seconds)]


def by_depth(told: argparse.Namespace, folder: Path) -> list[Group]:
    """`torchgen plan`, a whole process, for each number of layers."""
    commands = {}
    for depth in DEPTHS:
        layers = " -> ".join(["linear(16)"] * depth)
        shapes = ["--input-shape", "20", "--output-shape", "3", "--task", "multiclass"]
        commands[str(depth)] = ["-m", "torchgen_scaffold", "plan", *shapes, "--layers", layers]
    seconds = {int(depth): values for depth, values in interleaved(commands, folder, told.rounds).items()}
    return [growing("torchgen plan against layers, whole processes", "s", "layers", seconds)]


def by_count(told: argparse.Namespace, folder: Path) -> list[Group]:
    """Projects made in one process, for each number of them; Python's start is not in it, imports are."""
    seconds: dict[int, list[float]] = {count: [] for count in COUNTS}
    for number, count in rounds_of(COUNTS, told.rounds, "projects"):
        place = made(folder / f"many-{count}-{number}")
        found = json.loads(run(["-m", "benchmarks.many", str(count), str(place)], folder))
        seconds[count].append(found["made"])
    return [growing("Making projects in one process against their number", "s", "projects", seconds)]


def growing(title: str, unit: str, axis: str, values: dict[int, list[float]]) -> Group:
    """A row for each size, compared with the smallest."""
    rows = [Row(f"{size:,}", found, size) for size, found in values.items()]
    return Group(title, unit, rows, [rows[0].name], axis)


def made(folder: Path) -> Path:
    """The folder, which was not there before."""
    folder.mkdir()
    return folder


Part = Callable[[argparse.Namespace, Path], Sequence[Group]]
PARTS: dict[str, Part] = {"rows": by_rows, "batch": by_batch, "depth": by_depth, "projects": by_count}
