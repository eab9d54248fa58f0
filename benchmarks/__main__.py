"""Measure torchgen: `python -m benchmarks WHAT`, and `python -m benchmarks WHAT --help` for what can be chosen.

Whatever is compared runs in one go, interleaved; what is told is the median, and its ratio to the others. Machines differ,
ratios less.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import classes, generate, memory, scale, start, train
from benchmarks.machine import machine
from benchmarks.report import Group, Report
from benchmarks.table import plain


@dataclass(frozen=True)
class Benchmark:
    """A subcommand: its help, the flags that it alone has, and what it measures: groups of rows, and remarks."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace], tuple[list[Group], list[str]]]


BENCHMARKS = {
    "generate": Benchmark(generate.HELP, generate.add_arguments, generate.measure),
    "train": Benchmark(train.HELP, train.add_arguments, train.measure),
    "start": Benchmark(start.HELP, start.add_arguments, start.measure),
    "scale": Benchmark(scale.HELP, scale.add_arguments, scale.measure),
    "memory": Benchmark(memory.HELP, memory.add_arguments, memory.measure),
    "class": Benchmark(classes.HELP, classes.add_arguments, classes.measure),
}


def make_parser() -> argparse.ArgumentParser:
    """A subcommand for each benchmark; what all of them share stands behind its name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure torchgen.")
    commands = parser.add_subparsers(dest="what", required=True)
    for name, benchmark in BENCHMARKS.items():
        command = commands.add_parser(name, help=benchmark.help, description=benchmark.help)
        benchmark.add_arguments(command)
        command.add_argument("--json", nargs="?", const="-", metavar="FILE", help="JSON instead of a table")
        command.add_argument("--plot", type=Path, metavar="FILE.png", help="draw it too; needs matplotlib")
    return parser


def typed(arguments: Sequence[str]) -> str:
    """The command as a reader would type it again: without where its results went."""
    kept, skip = [], False
    for this, after in zip(arguments, [*arguments[1:], ""], strict=True):
        goes = this.partition("=")[0] in ("--json", "--plot")
        if not goes and not skip:
            kept.append(this)
        skip = goes and "=" not in this and not after.startswith("-")
    return shlex.join(["python", "-m", "benchmarks", *kept])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print a table or one JSON document, and draw."""
    arguments = sys.argv[1:] if arguments is None else arguments
    told = make_parser().parse_args(arguments)
    groups, notes = BENCHMARKS[told.what].measure(told)
    facts = machine(gpu=getattr(told, "device", "cpu") == "cuda")
    report = Report(told.what, typed(arguments), facts, groups, notes)
    if told.json is None:
        print(plain(report))
    elif told.json == "-":
        print(report.to_json())
    else:
        Path(told.json).write_text(report.to_json() + "\n", encoding="utf-8")
    if told.plot:
        from benchmarks.plot import draw

        draw(report, told.plot)


if __name__ == "__main__":
    main()
