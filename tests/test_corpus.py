"""What fuzzing starts from, what it has found, and monsters: no error but the promised ones, none over a second of CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import fuzz
from conftest import often
from monsters import MONSTERS
from mutating import Change, dictionary
from torchgen_scaffold import Spec, SpecError, generate
from torchgen_scaffold.answers.words import MOST_BYTES, parse_toml, read_toml

FUZZ = Path(fuzz.__file__)


def untraced() -> dict[str, str]:
    """The environment without coverage, which takes several times as long as the code that it counts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@pytest.mark.parametrize("target", sorted(MONSTERS))
def test_corpus_and_monsters_end_within_a_second_and_raise_only_what_is_promised(target: str) -> None:
    command = [sys.executable, str(FUZZ), target, "--replay"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=untraced())
    assert run.returncode == 0, run.stdout[-500:] + run.stderr[-2000:]
    told = [json.loads(line) for line in run.stdout.splitlines()]
    assert {one["name"] for one in told} == {path.name for path in (fuzz.CORPUS / target).iterdir()} | {
        *MONSTERS[target]
    }
    assert [one for one in told if one["found"] or one["seconds"] > fuzz.SECONDS] == []


def test_corpus_is_small_and_telling() -> None:
    files = [path for path in fuzz.CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == {*MONSTERS}
    assert all(path.stat().st_size <= 4096 for path in files), "a larger one is a row of monsters.py"
    assert all("-" in path.name or path.name.isalpha() for path in files), "a name says what is in it"


# The harness itself: what it would find, and what it keeps fuzzed values from.


def test_guard_finds_a_file_that_is_opened_and_a_machine_that_is_asked() -> None:
    command = [
        sys.executable,
        "-c",
        "import os, socket, sys\n"
        f"sys.path.insert(0, {str(FUZZ.parent)!r})\n"
        "from fuzz import Guard\n"
        "guard = Guard()\n"
        "def listing(data):\n    yield\n    os.listdir('.')\n"
        "def reading(data):\n    yield\n    open('/etc/hostname')\n"
        "def asking(data):\n    yield\n    socket.create_connection(('127.0.0.1', 9))\n"
        "def importing(data):\n    yield\n    import wave\n"
        "for target in (listing, reading, asking, importing):\n"
        "    try:\n        guard.run(target, b'')\n        print(target.__name__, 'passed')\n"
        "    except AssertionError as error:\n        print(target.__name__, 'found')\n",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=untraced())
    assert run.stdout.splitlines() == [
        "listing found",
        "reading found",
        "asking found",
        "importing passed",
    ], run.stderr


def test_guard_measures_the_longest_piece_in_cpu() -> None:
    def target(data: bytes) -> Iterator[None]:
        for _ in range(3):
            yield
            sum(range(1_000_000))

    started = time.process_time()
    longest = fuzz.Guard().run(target, b"")
    assert 0 < longest < 0.8 * (time.process_time() - started)


def test_dictionary_holds_every_layer_key_and_word() -> None:
    words = {*dictionary()}
    assert {"conv", "padding_mode=", "class_weights", "[training]", "weight_decay", "csv:PATH", "->"} <= words


def test_changes_keep_a_file_toml_come_from_their_seed_and_are_often_valid() -> None:
    golden = [path.read_bytes() for path in sorted(fuzz.GOLDEN.glob("*/torchgen.toml"))]
    made = [Change(seed).of_toml(golden[seed % len(golden)], 4096) for seed in range(300)]
    assert made == [Change(seed).of_toml(golden[seed % len(golden)], 4096) for seed in range(300)]
    files = [data for data in made if data is not None]
    assert len(files) > 250 and len({*files}) > 250
    assert all(parse_toml(data, "torchgen.toml") for data in files)
    target = fuzz.targets()["toml"]
    passed = sum(bool([*target(data)]) for data in files)  # what is refused has no second piece
    assert 10 < passed < 290
    assert Change(1).of_toml(b"= 3", 4096) is None
    assert Change(1).of_toml(golden[0], 10) is None


def test_changed_layers_come_from_their_seed_and_are_often_read() -> None:
    lists = [path.read_bytes() for path in sorted((fuzz.CORPUS / "layers").iterdir())]
    made = [Change(seed).of_layers(lists[seed % len(lists)], 1024) for seed in range(200)]
    assert made == [Change(seed).of_layers(lists[seed % len(lists)], 1024) for seed in range(200)]
    target = fuzz.targets()["layers"]
    assert 20 < sum(bool([*target(data)]) for data in made if data) < 180
    assert Change(1).of_layers(b"relu" * 100, 10) is None


def test_a_changed_file_that_is_accepted_becomes_a_project(request: pytest.FixtureRequest) -> None:
    golden = [path.read_bytes() for path in sorted(fuzz.GOLDEN.glob("*/torchgen.toml"))]
    made = []

    def generated(data: bytes) -> Iterator[None]:
        home = fuzz.NOWHERE / "project"
        try:
            spec = Spec.from_dict(parse_toml(data, "torchgen.toml"), base=home, home=home)
        except SpecError:
            return
        if not spec.project.templates:  # theirs are out of reach here
            made.append(generate(spec))
        yield

    for seed in range(often(request.config, nightly=20_000, otherwise=300)):
        data = Change(seed).of_toml(golden[seed % len(golden)], 4096)
        assert data is not None
        assert len([*fuzz.without_files(generated)(data)]) <= 1
    assert len(made) > 40


# What fuzzing and the monsters have led to.


def test_a_key_of_many_dots_is_refused_and_a_text_of_many_is_not() -> None:
    with pytest.raises(SpecError, match="a key has more than 8 dots"):
        parse_toml(b"name = 'x'\n" + b".".join([b"a"] * 10) + b" = 1", "torchgen.toml")
    with pytest.raises(SpecError, match="more than 8 dots"):
        parse_toml(b'x = {"a" . ' + b".".join([b'"b"'] * 10) + b" = 1}", "torchgen.toml")
    dots = ".".join(["a"] * 100)
    content = f'a.b.c = 1\nb = \'{dots}\'  # {dots}\nc = "\\"{dots}"\nd = \'\'\'\n{dots}\'\'\'\ne = """\n\\"""{dots}"""\n'
    tables = parse_toml(content.encode(), "torchgen.toml")
    assert (tables["b"], tables["d"], tables["e"]) == (dots, dots, f'"""{dots}')


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * MOST_BYTES + b"\n")
    with pytest.raises(SpecError, match="more than 16 MiB"):
        read_toml(large)
    os.truncate(large, MOST_BYTES)
    assert read_toml(large) == {}
    with pytest.raises(SpecError, match="more than 16 MiB"):
        read_toml(Path("/dev/zero"))
