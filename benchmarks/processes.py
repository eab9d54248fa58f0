"""Whole processes, timed from outside, as the person waits who types them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[1]
ROUND = (
    "{round}"  # in an argument: the number of the round, so that each round writes into a folder of its own
)

Thing = TypeVar("Thing")


def rounds_of(things: Sequence[Thing], rounds: int, what: str) -> Iterator[tuple[int, Thing]]:
    """(round, thing), all the things in each round; each round begins with another one.

    Side by side, so that a machine that slows down slows all of them; and turned, so that none always
    comes after the same neighbour. `what` is told on stderr with each round, because runs take minutes.
    """
    for number in range(rounds):
        print(f"{what}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        first = number % len(things)
        for thing in (*things[first:], *things[:first]):
            yield number, thing


def run(arguments: Sequence[str], folder: Path, **variables: str) -> str:
    """Run this Python with `arguments` in `folder`; returns what it printed.

    Raises RuntimeError with all of that where it fails.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(**variables: str) -> dict[str, str]:
    """This process's variables, with the checkout in reach from any folder, and those given on top."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, **variables}


def interleaved(
    commands: Mapping[str, Sequence[str]], folder: Path, rounds: int, **variables: str
) -> dict[str, list[float]]:
    """{name: seconds of each of its runs}: every command once a round, after one round that is not counted.

    That first round fills the disk's cache and writes the .pyc files, for all alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for arguments in commands.values():
        run([part.replace(ROUND, "first") for part in arguments], folder, **variables)
    for number, name in rounds_of(list(commands), rounds, "whole processes"):
        arguments = [part.replace(ROUND, str(number)) for part in commands[name]]
        begin = time.perf_counter()
        run(arguments, folder, **variables)
        seconds[name].append(time.perf_counter() - begin)
    return seconds
