"""Coverage-guided fuzzing of the parsers that take foreign text: `python tests/fuzz.py shapes --seconds 60`.

It starts from tests/corpus/ and runs until the time is up or something is found. Inputs that reach new code are kept in
`--found` (a temporary folder unless given); one that breaks a parser is written there too, as `crash-…`. `--replay`
needs no atheris: it runs the corpus and the monsters once, and prints a line of JSON for each, with the seconds of CPU
that it took.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

CORPUS = Path(__file__).parent / "corpus"
GOLDEN = Path(__file__).parent / "golden"
NOWHERE = Path("/nowhere")  # where relative paths of a fuzzed file start
LONGEST = {
    "shapes": 4096,
    "layers": 600,
    "toml": 2048,
    "matrix": 2048,
}  # bytes of an input; longer ones are monsters
SECONDS = 1.0  # of CPU: the most that one input may take

# A target yields between the pieces of its work that a person waits for one at a time.
Target = Callable[[bytes], Iterator[None]]


def targets() -> dict[str, Target]:
    """The parsers as functions of bytes: each comes to its end, whatever the bytes, or has found a bug.

    A target lets pass what a parser refuses as it promises to: ValueError of `parse_shape`, SpecError elsewhere, each
    with what to type instead. What was accepted must hold: written down and read again, it is the same.
    """
    from torchgen_scaffold import Spec, SpecError, plan
    from torchgen_scaffold.answers.words import parse_toml
    from torchgen_scaffold.layers.base import Signal
    from torchgen_scaffold.layers.text import parse_layers
    from torchgen_scaffold.layers.trace import trace
    from torchgen_scaffold.matrix.cells import cells_of
    from torchgen_scaffold.matrix.read import read_matrix
    from torchgen_scaffold.shapes import parse_shape, show_sizes

    signals = (
        Signal((3, 32, 32), "map"),
        Signal((2, 9), "map"),
        Signal((1, 4, 5, 6), "map"),
        Signal((12, 8), "sequence"),
        Signal((7, 5), "sequence", padded=True),
        Signal((16,), "features"),
        Signal((10,), "tokens"),
    )

    def refused(error: SpecError) -> None:
        assert error.problems
        assert all(problem.what and problem.instead for problem in error.problems), str(error)

    def shapes(data: bytes) -> Iterator[None]:
        try:
            shape = parse_shape(text_of(data))
        except ValueError as error:
            assert len(str(error)) < 200
            return
        yield
        assert parse_shape(show_sizes(shape)) == parse_shape(list(shape)) == shape

    def layers(data: bytes) -> Iterator[None]:
        try:
            calls = parse_layers(text_of(data))
        except SpecError as error:
            refused(error)
            return
        yield
        assert parse_layers([str(call) for call in calls]) == calls
        for signal in signals:
            yield
            try:
                trace(calls, signal, vocab_size=50 if signal.axes == "tokens" else None)
            except SpecError as error:
                refused(error)

    def toml(data: bytes) -> Iterator[None]:
        project = NOWHERE / "project"
        try:
            spec = Spec.from_dict(parse_toml(data, "torchgen.toml"), base=project, home=project)
        except SpecError as error:
            refused(error)
            return
        yield
        assert Spec.from_dict(tomllib.loads(spec.to_toml()), base=project, home=project) == spec
        yield
        plan(spec).to_dict()

    def matrix(data: bytes) -> Iterator[None]:
        try:
            cells = cells_of(read_matrix(parse_toml(data, "matrix.toml"), "matrix"))
        except SpecError as error:
            refused(error)
            return
        yield
        assert cells and len({cell.name for cell in cells}) == len(cells)

    return {"shapes": shapes, "layers": layers, "toml": without_files(toml), "matrix": matrix}


def text_of(data: bytes) -> str:
    """Bytes as Python gives them to a program on its command line: what is no UTF-8 is half of a character."""
    return data.decode("utf-8", "surrogateescape")


def without_files(target: Target) -> Target:
    """The target with its data out of reach: no fuzzed value decides which file is opened, or which machine is asked.

    Facts that a file records are taken as ever; those that would have to be read are refused, as where data is missing.
    """
    from torchgen_scaffold.sources import SOURCES, Facts, Request, Source
    from torchgen_scaffold.sources.base import refuse

    def read_facts(source: Source, place: str, request: Request) -> Facts | None:
        if source.name == "synthetic":
            return source.facts(place, request)
        raise refuse("it is not here", "no file is read", "Record its facts.")

    def recognised(path: Path) -> str | None:
        return next((name for name, source in SOURCES.items() if path.suffix.lower() in source.endings), None)

    def guarded(data: bytes) -> Iterator[None]:
        with (
            mock.patch("torchgen_scaffold.answers.data.read_facts", read_facts),
            mock.patch("torchgen_scaffold.answers.data.recognised", recognised),
            mock.patch(
                "torchgen_scaffold.answers.names_in", lambda folder: []
            ),  # every folder of templates will do
        ):
            yield from target(data)

    return guarded


class Guard:
    """While a target runs, nothing may open a file, list a folder, start a process or ask another machine.

    Imports are free: they read what is installed, whatever the input.
    """

    forbidden = (
        "open",
        "os.listdir",
        "os.scandir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "socket.",
        "subprocess.",
    )

    def __init__(self) -> None:
        from torchgen_scaffold.plugins import template_folders

        self.on = False
        template_folders()  # what is installed is looked for once a process, whatever the input
        sys.addaudithook(self.audit)

    def audit(self, event: str, details: tuple[Any, ...]) -> None:
        if self.on and event.startswith(self.forbidden) and not importing():
            raise AssertionError(f"{event} {details!r}")

    def run(self, target: Target, data: bytes) -> float:
        """The seconds of CPU that the longest piece of its work took."""
        longest, pieces, more = 0.0, target(data), True
        self.on = True
        try:
            while more:
                started = time.process_time()
                more = next(pieces, pieces) is None
                longest = max(longest, time.process_time() - started)
        finally:
            self.on = False
        return longest


def importing() -> bool:
    """Whether the caller's callers are an import."""
    frame = sys._getframe(1)
    while frame := frame.f_back:  # type: ignore[assignment]
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
    return False


def replay(name: str) -> None:
    """Run the corpus and the monsters of a target once; one that takes too long gets two more tries.

    What loops or allocates without end ends the process.
    """
    import resource

    from monsters import MONSTERS

    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))  # seconds
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))  # bytes; Python and the package take a tenth of it
    guard, target = Guard(), targets()[name]
    stored = {path.name: path.read_bytes() for path in sorted((CORPUS / name).iterdir())}
    for title, data in (stored | MONSTERS[name]).items():
        found, taken = "", 0.0
        try:
            taken = guard.run(target, data)
            for _ in range(2):
                taken = min(taken, guard.run(target, data)) if taken > SECONDS else taken
        except Exception as error:  # whatever it is, it is what we look for
            found = f"{type(error).__name__}: {error}"[:500]
        print(json.dumps({"name": title, "seconds": round(taken, 3), "found": found}), flush=True)


def fuzz(name: str, seconds: int, found: Path, seed: int) -> None:
    """Run atheris on a target. It ends the process by itself, with 0 where nothing was found."""
    import atheris

    with atheris.instrument_imports(include=["torchgen_scaffold"]):
        # What is imported late is imported here, so that it counts.
        for module in ("answers", "plan", "sources.table.columns"):
            importlib.import_module(f"torchgen_scaffold.{module}")
        target = targets()[name]
    guard = Guard()
    from mutating import Change, dictionary

    changes = {"layers": Change.of_layers, "toml": Change.of_toml, "matrix": Change.of_toml}

    def other(data: bytes, size: int, seed: int) -> bytes:
        changed = changes[name](Change(seed), data, size) if seed % 4 else None
        return atheris.Mutate(data, size) if changed is None else changed

    def one(data: bytes) -> None:
        taken = guard.run(target, data)
        assert taken < SECONDS, f"{taken:.1f} s of CPU"

    words = found / "words"
    lines = {f'"{word.replace(chr(34), chr(92) + chr(34))}"' for word in dictionary()}
    words.write_text("\n".join(sorted(lines)) + "\n", "utf-8")
    new, seeds = found / "new", found / "seeds"
    for folder in (new, seeds):
        folder.mkdir(exist_ok=True)
    if name == "toml":
        for path in GOLDEN.glob("*/torchgen.toml"):
            (seeds / path.parent.name).write_bytes(path.read_bytes())
    flags = [
        f"-max_total_time={seconds}",
        f"-dict={words}",
        f"-max_len={LONGEST[name]}",
        f"-seed={seed}",
    ]
    flags += ["-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={found}/", "-print_final_stats=1"]
    given = {"custom_mutator": other} if name in changes else {}
    atheris.Setup([sys.argv[0], *flags, *map(str, (new, CORPUS / name, seeds))], one, **given)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("target", choices=tuple(LONGEST))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, help="where inputs that reach new code are kept")
    parser.add_argument("--replay", action="store_true", help="run the corpus and the monsters once")
    asked = parser.parse_args()
    if asked.replay:
        replay(asked.target)
        return
    found = asked.found or Path(tempfile.mkdtemp(prefix="torchgen-fuzz-"))
    found.mkdir(parents=True, exist_ok=True)
    print(f"found inputs are kept in {found}", file=sys.stderr)
    fuzz(asked.target, asked.seconds, found, asked.seed)


if __name__ == "__main__":
    main()
