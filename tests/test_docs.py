"""The pages of docs/ say what is so: commands and code in them are run, excerpts are looked up, every name has its place.

`python tests/test_docs.py` writes again what the commands of the pages print.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt

from packages import EXAMPLE, installed
from projects import ROOT
from torchgen_scaffold.answers.words import row_settings
from torchgen_scaffold.cli import cli
from torchgen_scaffold.commands import COMMANDS
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.sources.sklearn import SETS
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
NAMES = [page.name for page in PAGES]
QUICK = re.compile(
    "torchgen (new |plan |options|check |update |templates |matrix .*--dry-run)"
)  # to train is for other tests
FILE = re.compile(r"<!-- file: (\S+) -->")  # a block that the commands after it find under this name


WITH_PLUGIN = "<!-- with: tests/plugin -->"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the comment right above it, and where its text begins."""

    language: str
    text: str
    mark: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    blocks, mark = [], ""
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map:
            blocks.append(Block(token.info, token.content, mark, token.map[0] + 1))
        mark = token.content.strip() if token.type == "html_block" else ""
    return blocks


# Commands: the torchgen of this checkout, or a copy of it that a page's diffs have changed.


@dataclass(frozen=True)
class Shell:
    """An empty folder in which the commands of one page are run, and the torchgen that they call."""

    folder: Path
    source: Path

    def run(self, command: str, mark: str = "") -> subprocess.CompletedProcess[str]:
        """Run a line of the page; stdout has what a terminal would show. The mark of its block may ask for the plug-in."""
        program = self.folder.parent / "bin" / "torchgen"
        if not program.exists():
            program.parent.mkdir()
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m torchgen_scaffold "$@"\n')
            program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        found = [str(self.source), *([str(self.plugin())] if mark == WITH_PLUGIN else [])]
        environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(found), "PYTHONUTF8": "1"}
        environment.pop("COVERAGE_PROCESS_CONFIG", None)  # the lines of a patched copy are not the package's
        return subprocess.run(
            ["sh", "-c", f"({command}) 2>&1 </dev/null"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def plugin(self) -> Path:
        """Where the example package is, installed when it is first asked for."""
        site = self.folder.parent / "site"
        return site if site.is_dir() else installed(self.folder.parent)

    def patch(self, diff: str) -> None:
        subprocess.run(["git", "apply", "-"], cwd=self.source.parent, input=diff, text=True, check=True)


def shell_for(page: Path, folder: Path) -> Shell:
    (folder / "work").mkdir()
    source = ROOT / "torchgen"
    if any(block.language == "diff" for block in blocks_of(page)):
        source = Path(shutil.copytree(source, folder / "copy" / "torchgen"))
        shutil.copytree(ROOT / "templates", folder / "copy" / "templates")
    return Shell(folder / "work", source)


def commands_in(text: str) -> Iterator[tuple[str, str]]:
    """Each `$ command` of a console block, over as many lines as its backslashes say, and the output under it."""
    for found in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n?)*)", text, flags=re.MULTILINE):
        yield found[1], found[2].rstrip("\n")


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_code_run(name: str, tmp_path: Path) -> None:
    """In the page's order: files are written, diffs applied, code that is marked runs, commands print what is shown."""
    page = DOCS / name
    shell = shell_for(page, tmp_path)
    for block in blocks_of(page):
        where = f"{name}:{block.line}"
        if block.language == "diff":
            shell.patch(block.text)
        elif file := FILE.fullmatch(block.mark):
            (shell.folder / file[1]).write_text(block.text, encoding="utf-8")
        elif block.mark == "<!-- runs -->":
            script = shell.folder / "page_block.py"
            script.write_text(block.text, encoding="utf-8")
            done = shell.run(f'"{sys.executable}" page_block.py')
            assert done.returncode == 0, f"{where}\n{done.stdout}"
            script.unlink()
        elif block.language == "console":
            for command, output in commands_in(block.text):
                if not QUICK.match(command):
                    continue
                done = shell.run(command, block.mark)
                assert done.returncode in ((0, 2) if output else (0,)), f"{where}\n{done.stdout}"
                assert not output or output == plain(done.stdout), f"{where}: python tests/test_docs.py"


def plain(printed: str) -> str:
    return "\n".join(line.rstrip() for line in printed.rstrip("\n").splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_code_compiles_and_excerpts_are_there(name: str) -> None:
    for block in blocks_of(DOCS / name):
        where = f"{name}:{block.line}"
        if example := re.fullmatch(r"<!-- plugin: (\S+) -->", block.mark):
            assert block.text in (EXAMPLE / example[1]).read_text("utf-8"), f"{where} is not in {example[1]}"
        if block.language != "python":
            continue
        excerpt = re.fullmatch(r"<!-- in: (\S+) -->", block.mark)
        if excerpt:
            project = (ROOT / "tests" / "golden" / excerpt[1]).read_text(encoding="utf-8")
            assert flat(block.text) in flat(project), f"{where} is not in {excerpt[1]}"
        else:
            compile(block.text, where, "exec")


def flat(code: str) -> str:
    """The lines without their indentation, so that the inside of a function can be shown."""
    return "\n".join(line.strip() for line in code.strip().splitlines())


def test_the_pages_hold_together_as_a_site(tmp_path: Path) -> None:
    """mkdocs in strict mode: every page in the menu, every link and every anchor there."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tutorial" / "index.html").is_file()


# Every name has its place.


def page_text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("models.md", [*PRESETS, *LAYERS]),
        ("tasks.md", [*TASKS, *LOSSES]),
        ("training.md", [*OPTIMIZERS, *SCHEDULES]),
        ("data.md", [source.name for source in SOURCES.values()] + list(SETS)),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_every_choice_is_on_its_page(page: str, names: list[str]) -> None:
    text = page_text(page)
    missing = [name for name in names if not re.search(rf"`[^`\n]*\b{re.escape(name)}\b[^`\n]*`", text)]
    assert not missing


def test_every_setting_is_on_the_page_of_its_table() -> None:
    page_of = {"model": "models.md", "data": "data.md", "training": "training.md"}
    text = {table: page_text(page) for table, page in page_of.items()}
    text["training"] += page_text("tasks.md")  # where the settings of the losses are
    missing = []
    for key in [*SETTINGS, *row_settings()]:
        table, _, name = key.rpartition(".")
        if table in text and not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text[table]):
            missing.append(key)
    assert not missing


def test_the_pitfalls_name_tests_that_generated_projects_have() -> None:
    named = set(re.findall(r"`(test_[a-z_]+)`", page_text("pitfalls.md")))
    project = (ROOT / "tests/golden/digits/test_project.py").read_text(encoding="utf-8")
    assert named and named <= set(re.findall(r"def (test_[a-z_]+)", project))


def help_of(name: str) -> str:
    """What `torchgen NAME --help` prints, 100 columns wide; the group's own for "torchgen"."""
    group = click.Context(cli, info_name="torchgen", terminal_width=100, **cli.context_settings)
    if name == "torchgen":
        return cli.get_help(group)
    _, command, _ = cli.resolve_command(group, [name])
    assert command is not None
    return command.get_help(click.Context(command, parent=group, info_name=name))


def with_help(text: str) -> str:
    """The command line's page with the help between its marks as it is now."""

    def block(mark: re.Match[str]) -> str:
        return f"<!-- help: {mark[1]} -->\n```\n{help_of(mark[1])}\n```\n<!-- end -->"

    return re.sub(r"<!-- help: (\w+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


def test_the_command_line_is_as_its_help_says() -> None:
    text = page_text("cli.md")
    assert text == with_help(text), "python tests/test_docs.py"
    assert re.findall(r"<!-- help: (\w+) -->", text) == ["torchgen", *COMMANDS]


# Write the pages again.


def write_again() -> None:
    """Put what the commands print now under each of them that shows something."""
    command_line = DOCS / "cli.md"
    command_line.write_text(with_help(page_text("cli.md")), encoding="utf-8")
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            shell = shell_for(page, Path(folder))
            text = page.read_text(encoding="utf-8")
            for block in blocks_of(page):
                if block.language == "diff":
                    shell.patch(block.text)
                elif file := FILE.fullmatch(block.mark):
                    (shell.folder / file[1]).write_text(block.text, encoding="utf-8")
                elif block.mark == "<!-- runs -->":
                    (shell.folder / "page_block.py").write_text(block.text, encoding="utf-8")
                    shell.run(f'"{sys.executable}" page_block.py')
                elif block.language == "console":
                    text = text.replace(block.text, printed_again(block, shell), 1)
            page.write_text(text, encoding="utf-8")


def printed_again(block: Block, shell: Shell) -> str:
    lines = []
    for command, output in commands_in(block.text):
        printed = plain(shell.run(command, block.mark).stdout) if QUICK.match(command) else output
        lines += [f"$ {command}", *([printed] if output else [])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_again()
