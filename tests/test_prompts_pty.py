"""`torchgen new` in a real terminal, and where there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

import torchgen_scaffold

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a matter of Unix")

UP, DOWN, CTRL_C, CTRL_D, CLEAR = "\x1b[A", "\x1b[B", "\x03", "\x04", "\x15"
ENOUGH = 120  # seconds: more than the slowest machine needs, since a question that never comes is the failure
MADE = ["toy", "--data", "synthetic", "--input-shape", "1,8,8", "--output-shape", "3", "--task", "multiclass"]
NEW = ["-m", "torchgen_scaffold", "new"]

Terminal = Callable[..., "pexpect.spawn[str]"]


def environment(**more: str) -> dict[str, str]:
    """The package of this checkout, plain text, and no question about where the cursor is."""
    source = str(Path(torchgen_scaffold.__file__).parent.parent)
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return {
        **inherited,
        "PYTHONPATH": source,
        "NO_COLOR": "1",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "TERM": "xterm",
        **more,
    }


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Start `torchgen new` in a terminal in `tmp_path`."""
    children: list[pexpect.spawn[str]] = []

    def start(*arguments: str, **more: str) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            sys.executable,
            [*NEW, *arguments],
            cwd=str(tmp_path),
            env=environment(**more),
            encoding="utf-8",
            dimensions=(40, 120),
            timeout=ENOUGH,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def answer(child: pexpect.spawn[str], question: str, keys: str) -> None:
    """Wait for a question, and type."""
    child.expect_exact(question)
    child.send(keys)


def exit_code(child: pexpect.spawn[str]) -> int | None:
    """Wait for the end; no traceback may be in it."""
    child.expect(pexpect.EOF)
    assert "Traceback" not in str(child.before)
    child.close()
    code: int | None = child.exitstatus
    return code


def test_digits_from_the_first_question_to_the_project(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal()
    answer(child, "Project name", "digits\r")
    answer(child, "a file or folder", DOWN + "\r")
    answer(child, "linnerud", "\r")
    child.expect_exact("digits: 1,797 grey images")
    child.expect_exact("input (1, 8, 8), output (10), multiclass")
    answer(child, "write my own layers", "\r")
    child.expect_exact("Linear(10)")
    answer(child, "Write it to ./digits?", "\r")
    child.expect_exact("cd digits && pip install -r requirements.txt && python train.py")
    assert exit_code(child) == 0
    assert {"model.py", "dataset.py", "train.py", "eval.py", "torchgen.toml"} <= {
        path.name for path in (tmp_path / "digits").iterdir()
    }


def test_a_mistake_in_own_layers_is_corrected_where_it_was_made(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal(*MADE)
    answer(child, "write my own layers", UP + "\r")
    answer(child, "Layers", "conv(8, 3) -> maxpool(2) -> conv(8, 5)")
    answer(child, "layer 3, conv(8, 5), does not fit its 3×3 input", "\r" + "\x7f\x7f" + "3)" + "\r")
    answer(child, "Write it to ./toy?", "\r")
    assert exit_code(child) == 0
    assert '"conv(8, 3)", "maxpool(2)", "conv(8, 3)"' in (tmp_path / "toy" / "torchgen.toml").read_text()


def test_a_terminal_that_says_where_its_cursor_is_shows_what_would_fit(terminal: Terminal) -> None:
    child = terminal(*MADE, PROMPT_TOOLKIT_NO_CPR="")
    answer(child, "\x1b[6n", "\x1b[1;1R")
    answer(child, "write my own layers", UP + "\r")
    answer(child, "\x1b[6n", "\x1b[5;1R")
    answer(child, "Layers", "conv(8, 9)")
    child.expect_exact("does not fit its 8×8 input")
    child.expect_exact("Use a kernel of at most 8")
    child.send(CTRL_C)
    assert exit_code(child) == 130


def test_something_is_changed_and_then_it_is_written(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal(*MADE, "--model", "mlp")
    answer(child, "Write it to ./toy?", DOWN + "\r")
    answer(child, "leave it as it is", "\r")  # the name, which is first
    answer(child, "Project name", CLEAR + "other\r")
    answer(child, "Write it to ./other?", DOWN + "\r")
    answer(child, "leave it as it is", DOWN * 3 + "\r")
    answer(child, "a volume", UP * 1 + "\r")
    answer(child, "how many numbers", "12\r")
    child.expect_exact("12 numbers")
    answer(child, "Write it to ./other?", "\r")
    assert exit_code(child) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert "input_shape = [12]" in (tmp_path / "other" / "torchgen.toml").read_text()


STEPS = [("Project name", "toy\r"), ("a file or folder", "\r"), ("multilabel", "\r"), ("a volume", "\r")]
STEPS += [
    ("how many numbers", "\r"),
    ("one target", "\r"),
    ("write my own layers", "\r"),
    ("Write it to", ""),
]


@pytest.mark.parametrize("asked", range(len(STEPS)), ids=[question for question, _ in STEPS])
def test_ctrl_c_writes_nothing_at_any_question(terminal: Terminal, tmp_path: Path, asked: int) -> None:
    child = terminal()
    for question, keys in STEPS[:asked]:
        answer(child, question, keys)
    answer(child, STEPS[asked][0], CTRL_C)
    child.expect_exact("nothing was written")
    assert exit_code(child) == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("steps", [0, 1], ids=["a typed line", "a menu"])
def test_an_interrupt_that_no_key_sent_stops_it_too(terminal: Terminal, tmp_path: Path, steps: int) -> None:
    child = terminal()
    for question, keys in STEPS[:steps]:
        answer(child, question, keys)
    child.expect_exact(STEPS[steps][0])
    child.kill(signal.SIGINT)
    assert exit_code(child) == 130
    assert not list(tmp_path.iterdir())


def test_cancel_and_the_end_of_the_input_write_nothing(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal(*MADE, "--model", "mlp")
    answer(child, "Write it to ./toy?", UP + "\r")
    assert exit_code(child) == 130
    child = terminal()
    answer(child, "Project name", CTRL_D)
    assert exit_code(child) == 130
    assert not list(tmp_path.iterdir())


def test_wrong_flags_are_refused_before_the_first_question(terminal: Terminal) -> None:
    child = terminal("--task", "multiclas", "--epochs", "0", "--layers", "conv(8")
    child.expect(pexpect.EOF)
    for words in (
        "Did you mean multiclass?",
        "--epochs (training.epochs) cannot be",
        "'conv(8', cannot be read",
    ):
        assert words in str(child.before)
    assert "Project name" not in str(child.before)
    child.close()
    assert child.exitstatus == 2


def test_yes_asks_nothing_in_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal("--yes", "--data", "sklearn:iris")
    assert exit_code(child) == 0
    assert (tmp_path / "iris" / "model.py").is_file()


# Where there is no terminal, nothing is asked and nothing waits.


def piped(
    tmp_path: Path, *arguments: str, stdin: int | None = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *NEW, *arguments],
        stdin=stdin,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=ENOUGH,
    )


def test_yes_never_waits_for_a_pipe_that_says_nothing(tmp_path: Path) -> None:
    silent, open_end = os.pipe()  # open and empty: reading from it would wait for ever
    try:
        done = piped(tmp_path, "--yes", "--data", "sklearn:digits", stdin=silent)
    finally:
        os.close(silent)
        os.close(open_end)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "digits" / "model.py").is_file()


@pytest.mark.parametrize("arguments", [[], ["--yes"], ["--json"]], ids=["no flags", "--yes", "--json"])
def test_without_a_terminal_every_missing_flag_is_named_at_once(tmp_path: Path, arguments: list[str]) -> None:
    done = piped(tmp_path, *arguments)
    assert done.returncode == 2
    assert not done.stdout
    for missing in ("torchgen new NAME", "--task", "--input-shape"):
        assert missing in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_terminal_that_is_only_read_from_is_none(terminal: Terminal, tmp_path: Path) -> None:
    """With stdout in a file nobody would see the questions."""
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f'"{sys.executable}" {" ".join(NEW)} > out.txt; echo "exit $?"'],
        cwd=str(tmp_path),
        env=environment(),
        encoding="utf-8",
        timeout=ENOUGH,
    )
    child.expect_exact("input_shape is missing")
    child.expect_exact("exit 2")
    child.expect(pexpect.EOF)
    child.close()
