"""How long the generator takes, beside cookiecutter and copier that make the same files from templates of their own.

The templates are made here, from a project of torchgen, so that all three write the same text; what they write is
compared before anything is timed. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.machine import installed
from benchmarks.processes import ROUND, interleaved, run
from benchmarks.report import Group, Row
from benchmarks.templates import NAME, files_of, write_cookiecutter, write_copier

HELP = "torchgen's commands beside cookiecutter and copier; many projects in one process"

TORCHGEN = ["-m", "torchgen_scaffold"]
SHAPES = ["--input-shape", "1,8,8", "--output-shape", "10", "--task", "multiclass"]
MAKERS = ("cookiecutter", "copier")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--rounds", type=int, default=11, help="processes of each command")
    parser.add_argument("--count", type=int, default=300, help="projects in one process")
    parser.add_argument("--loops", type=int, default=3, help="processes that make that many")


def measure(told: argparse.Namespace) -> tuple[list[Group], list[str]]:
    """Whole processes; then milliseconds for one of many projects."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands, count = commands_in(folder)
        seconds = interleaved(
            commands, folder, told.rounds, COOKIECUTTER_CONFIG=str(folder / "cookiecutter.yaml")
        )
        loop = measure_loop(told.count, told.loops, folder)
    rows = [Row(what, values) for what, values in seconds.items()]
    title = f"Whole processes; new, cookiecutter and copier write the same {count} files"
    found = [maker for maker in MAKERS if installed(maker)]
    notes = [f"With {', '.join(f'{maker} {installed(maker)}' for maker in found)}."] if found else []
    if len(found) < len(MAKERS):
        left = ", ".join(maker for maker in MAKERS if maker not in found)
        notes.append(f'Left out, because not installed: {left}. pip install ".[bench]"')
    return [Group(title, "s", rows, [*found, "import click", "python"]), loop], notes


def commands_in(folder: Path) -> tuple[dict[str, list[str]], int]:
    """{name: arguments of Python}, and how many files a project has. Raises RuntimeError where the files differ."""
    new = [*TORCHGEN, "new", NAME, *SHAPES, "--yes", "-o"]
    commands = {
        "python": ["-c", "pass"],
        "import click": ["-c", "import click"],
        "torchgen --help": [*TORCHGEN, "--help"],
        "torchgen plan": [*TORCHGEN, "plan", *SHAPES],
        "torchgen new": [*new, str(folder / f"torchgen-{ROUND}")],
    }
    run([*new, str(folder / "torchgen-model")], folder)
    files = files_of(folder / "torchgen-model" / NAME)
    if installed("cookiecutter"):
        template, out = write_cookiecutter(files, folder), folder / f"cookiecutter-{ROUND}"
        commands["cookiecutter"] = ["-m", "cookiecutter", str(template), "--no-input", "-o", str(out)]
    if installed("copier"):
        template, out = write_copier(files, folder), folder / f"copier-{ROUND}" / NAME
        commands["copier"] = ["-m", "copier", "copy", "--defaults", "--quiet", str(template), str(out)]
    for maker in filter(commands.__contains__, MAKERS):
        check(files, commands[maker], maker, folder)
    return commands, len(files)


def check(files: dict[str, str], command: list[str], maker: str, folder: Path) -> None:
    """Run the command once: it must write what torchgen wrote."""
    arguments = [part.replace(ROUND, "model") for part in command]
    run(arguments, folder, COOKIECUTTER_CONFIG=str(folder / "cookiecutter.yaml"))
    theirs = files_of(folder / f"{maker}-model" / NAME)
    differing = sorted(name for name in {*files, *theirs} if files.get(name) != theirs.get(name))
    if differing:
        raise RuntimeError(f"{maker} wrote something else than torchgen: {', '.join(differing)}")


def measure_loop(count: int, loops: int, folder: Path) -> Group:
    """Milliseconds a project, of `count` different ones in one process, beside the writing of their files."""
    made, written = [], []
    for number in range(loops):
        place = folder / f"many-{number}"
        place.mkdir()
        seconds = json.loads(run(["-m", "benchmarks.many", str(count), str(place)], folder))
        made.append(seconds["made"] / count * 1000)
        written.append(seconds["written"] / count * 1000)
    rows = [Row("files merely written", written), Row("made through the Python API", made)]
    return Group(f"One project of {count} in one process", "ms", rows, [rows[0].name])
