"""The shell's TAB: the protocol that click speaks with bash, zsh and fish, and a real shell where there is one."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pexpect
import pytest
from click.shell_completion import BashComplete

from projects import ROOT
from torchgen_scaffold.cli import cli
from torchgen_scaffold.commands import COMMANDS
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where `torchgen` is this checkout's."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "torchgen"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m torchgen_scaffold "$@"\n')
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "torchgen"), "PYTHONUTF8": "1"}


def asked(environment: dict[str, str], shell: str, line: str) -> str:
    """What torchgen answers a shell whose line, with the cursor at its end, is this."""
    words = line.split(" ")
    typed = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "fish": {"COMP_WORDS": line, "COMP_CWORD": words[-1]},
    }[shell]
    done = subprocess.run(
        ["torchgen"],
        env={**environment, **typed, "_TORCHGEN_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def offered(environment: dict[str, str], shell: str, line: str) -> list[tuple[str, str]]:
    """The same as (type, word), whichever way the shell wants it."""
    answer = asked(environment, shell, line).splitlines()
    if shell == "zsh":  # a line each for the type, the word and its help
        return list(zip(answer[0::3], answer[1::3], strict=True))
    pairs = (line.partition(",") for line in answer)
    return [(kind, word.partition("\t")[0]) for kind, _, word in pairs]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_offered_commands_flags_words_and_paths(
    environment: dict[str, str], shell: str
) -> None:
    commands = offered(environment, shell, "torchgen ")
    assert {word for _, word in commands} == {*COMMANDS}
    flags = {word for _, word in offered(environment, shell, "torchgen plan --o")}
    assert flags == {"--output-shape", "--optimizer"}
    tasks = offered(environment, shell, "torchgen new --task ")
    assert tasks == [("plain", task) for task in TASKS]
    assert [kind for kind, _ in offered(environment, shell, "torchgen verify ")] == ["dir"]
    assert [kind for kind, _ in offered(environment, shell, "torchgen plan --config ")] == ["file"]


LINES = {
    "torchgen ver": ["plain,verify"],
    "torchgen new digits --task multic": ["plain,multiclass"],
    "torchgen new --task=multic": ["plain,multiclass"],
    "torchgen new --ci git": ["plain,github", "plain,gitlab"],
    "torchgen new --model x": [],
    "torchgen new --data sklearn:i": ["plain,sklearn:iris"],
    "torchgen new --data sy": ["plain,synthetic"],
    "torchgen new --data cs": ["plain,csv:"],
    "torchgen new --data houses": ["file,houses"],
    "torchgen new --output-dir ": ["dir,"],
    "torchgen new --set training.opt": ["plain,training.optimizer="],
    "torchgen new --set training.mom": ["plain,training.momentum="],
    "torchgen new --set training.optimizer=adam": ["plain,training.optimizer=adam", "plain,training.optimizer=adamw"],
    "torchgen new --set training.lr=": [],
    "torchgen new --set no.such=": [],
    "torchgen plan --svg ": ["file,"],
    "torchgen verify digits --python ": ["file,"],
    "torchgen verify digits --junit ": ["file,"],
    "torchgen schema --out": ["plain,--output"],
    "torchgen schema --output ": ["file,"],
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_what_is_offered(environment: dict[str, str], line: str) -> None:
    assert asked(environment, "bash", line).split() == LINES[line]


def test_every_flag_with_a_list_of_words_offers_them() -> None:
    """In this process, through the same objects that the protocol asks."""
    for key, setting in SETTINGS.items():
        words = getattr(setting.kind, "options", None)
        if setting.flag and words:
            complete = BashComplete(cli, {}, "torchgen", "_TORCHGEN_COMPLETE")
            found = complete.get_completions(["new", setting.flag], "")
            assert [item.value for item in found] == [*words], key


def commands_of(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with what is typed for it."""
    for name, line in group.commands.items():
        own = importlib.import_module(f"torchgen_scaffold.commands.{name}").command if not path else line
        if isinstance(own, click.Group):
            yield from commands_of(own, (*path, name))
        else:
            yield (*path, name), own


def test_every_folder_and_file_is_the_shells_own() -> None:
    """Whichever command takes it: what the help calls DIR, FILE or PATH."""
    kinds = {"DIR": "dir", "FILE": "file", "PATH": "file"}
    seen = []
    for path, command in commands_of(cli):
        for param in command.params:
            kind = "dir" if param.name == "output_dir" else kinds.get(param.metavar or "")
            if kind:
                complete = BashComplete(cli, {}, "torchgen", "_TORCHGEN_COMPLETE")
                flag = [param.opts[-1]] if isinstance(param, click.Option) else []
                found = complete.get_completions([*path, *flag], "x")
                assert [item.type for item in found] == [kind], (path, param.name)
                seen.append(param.name)
    assert {"directory", "config", "svg", "output_dir", "python"} <= {*seen}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_a_shell_names_the_command(environment: dict[str, str], shell: str) -> None:
    script = source_of(environment, shell)
    assert "torchgen" in script and f"{shell}_complete" in script


def source_of(environment: dict[str, str], shell: str) -> str:
    done = subprocess.run(
        ["torchgen"],
        env={**environment, "_TORCHGEN_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_is_here_takes_its_script(environment: dict[str, str], shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    begin = "autoload -U compinit; compinit -u; " if shell == "zsh" else ""
    script = begin + source_of(environment, shell)
    done = subprocess.run([shell, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def bash(environment: dict[str, str], tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    """A bash at a terminal, set up by the line that the docs give."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    setup = next(line for line in page.splitlines() if "bash_source" in line)
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits.csv").touch()
    quiet = {**environment, "TERM": "dumb", "PS1": "$ ", "INPUTRC": "/dev/null"}
    child = pexpect.spawn("bash", ["--norc", "-i"], cwd=tmp_path, env=quiet, encoding="utf-8", timeout=30)
    child.sendline("bind 'set enable-bracketed-paste off'")
    child.sendline(setup)
    child.sendline("echo rea''dy")
    child.expect_exact("ready\r\n")
    yield child
    child.close(force=True)


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_a_real_bash_completes(bash: pexpect.spawn[str]) -> None:
    for typed, rest in (
        ("torchgen ver\t", "ify "),
        ("torchgen plan --opti\t", "mizer "),
        ("torchgen new --task multic\t", "lass "),
        ("torchgen verify di\t", "gits/"),  # the folder, and not the file beside it
        ("torchgen plan --config digits.\t", "csv "),
    ):
        bash.send(typed)
        bash.expect_exact(typed.rstrip("\t") + rest)
        bash.sendcontrol("u")
        bash.send("\n")
