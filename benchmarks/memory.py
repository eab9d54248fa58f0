"""The most memory that generating and training take on data, and on ten times as much of it.

Each command is a process of its own, whose peak the operating system tells (resident memory, libraries included).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import environment
from benchmarks.report import Group, Row

HELP = "the most memory that generating and training take on data, and on ten times as much"

TIMES = 10
ROWS, COLUMNS, PIECE = 100_000, 20, 50_000
IMAGES, SIDE = 300, 64
MIB = 2**20
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def peak(arguments: list[str], folder: Path) -> float:
    """The peak of one process, in MiB. Raises RuntimeError with what it printed where it fails."""
    command = [sys.executable, *arguments]
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=printed, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise RuntimeError(printed.read().decode(errors="replace"))
    return usage.ru_maxrss * UNIT / MIB


def write_table(path: Path, rows: int) -> None:
    """A Parquet file of numbers, and a target that follows from the first of them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = np.random.default_rng(0)
    writer = None
    for _ in range(rows // PIECE):
        numbers = {f"x{column}": chance.normal(size=PIECE) for column in range(COLUMNS)}
        table = pa.table({**numbers, "y": numbers["x0"] * 3 + chance.normal(size=PIECE)})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def write_images(folder: Path, count: int) -> None:
    """Pictures of two classes."""
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    for number in range(count):
        kind = folder / "ab"[number % 2]
        kind.mkdir(parents=True, exist_ok=True)
        pixels = chance.integers(0, 100, (SIDE, SIDE, 3)).astype(np.uint8) + 100 * (number % 2)
        Image.fromarray(pixels).save(kind / f"{number}.png")


def memory() -> dict[str, tuple[float, float]]:
    """{what: (MiB on some data, MiB on ten times as much)}."""
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for times in (1, TIMES):
            write_table(folder / f"table{times}.parquet", ROWS * times)
            write_images(folder / f"images{times}", IMAGES * times)
        for what, data, more in (
            ("Parquet, streamed", "table{}.parquet", ["--target", "y", "--set", "data.stream=true"]),
            ("Parquet, loaded", "table{}.parquet", ["--target", "y", "--set", "data.stream=false"]),
            ("images", "images{}", []),
        ):
            peaks = []
            for times in (1, TIMES):
                project = f"{what.partition(',')[0].lower()}-{len(found)}-{times}"
                command = ["-m", "torchgen_scaffold", "new", project, "--yes", "--batch-size", "256"]
                made = peak([*command, "--data", data.format(times), *more], folder)
                peaks.append((made, peak(["train.py", "--epochs", "1"], folder / project)))
            (new, train), (new_times, train_times) = peaks
            found[f"torchgen new, {what}"] = new, new_times
            found[f"train.py, {what}"] = train, train_times
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing can be chosen."""


def measure(told: argparse.Namespace) -> tuple[list[Group], list[str]]:
    """A group for each command: its peak on the data, and on ten times as much."""
    some, more = "the data", f"{TIMES} times as much"
    return [
        Group(what, "MiB", [Row(some, [once]), Row(more, [times])], [some])
        for what, (once, times) in memory().items()
    ], []
