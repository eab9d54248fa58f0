"""What the README shows comes from real runs; `python tests/test_readme.py` writes those parts again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from projects import ROOT
from torchgen_scaffold import Spec, generate
from torchgen_scaffold.cli import cli
from torchgen_scaffold.settings import SETTINGS

README = ROOT / "README.md"
MISFIT = 'plan --input-shape 1,8,8 --output-shape 10 --task multiclass --layers "conv(8, 3) -> maxpool(2) -> conv(8, 5)"'
DIGITS = {"name": "digits", "data": {"source": "sklearn:digits"}}


def part(text: str, name: str) -> str:
    """What stands between the marks of one part."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert found, name
    return found[1]


def model_part() -> str:
    model = generate(Spec.from_dict(DIGITS))["model.py"]
    start, end = model.index("        self.features"), model.index("\n\ndef make_loss")
    return f"```python\n{model[start:end].rstrip()}\n```\n"


def misfit_part() -> str:
    arguments = [quoted.strip('"') for quoted in re.findall(r'"[^"]*"|\S+', MISFIT)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    return f"```\n$ torchgen {MISFIT}\n{result.stdout}{result.stderr}```\n"


PARTS = {"model": model_part, "misfit": misfit_part}


def test_every_shown_part_is_what_a_run_gives() -> None:
    text = README.read_text(encoding="utf-8")
    for name, make in PARTS.items():
        assert part(text, name) == make(), name


def test_the_tree_names_every_file() -> None:
    tree = part(README.read_text(encoding="utf-8"), "tree")
    shown = set(re.findall(r"── (\S+)", tree))
    assert shown == {name for name in generate(Spec.from_dict(DIGITS)) if not name.startswith(".")}


def test_every_flag_and_picture_that_it_names_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    known = {setting.flag for setting in SETTINGS.values()}
    known |= {
        "--yes",
        "--set",
        "--config",
        "--json",
        "--svg",
        "--mermaid",
        "--verify",
        "--cov",
        "--lesson",
        "--roster",
    }
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= known
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / link).exists(), link


def test_the_first_command_ends_in_a_trained_network(tmp_path: Path) -> None:
    """The commands behind the installation, as they stand, with this environment's own torchgen."""
    command = part(README.read_text(encoding="utf-8"), "first command").strip("`\n")
    install, *steps = command.split(" && ")
    assert install == 'pip install ".[train]"'
    for step in steps:
        program, *arguments = step.split()
        started = ["-m", "torchgen_scaffold"] if program == "torchgen" else []
        done = subprocess.run(
            [sys.executable, *started, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    accuracy = re.search(r"accuracy\s+([0-9.]+)", done.stdout)
    assert accuracy and float(accuracy[1]) >= 0.95


def write_again() -> None:
    text = README.read_text(encoding="utf-8")
    for name, make in PARTS.items():
        start = text.index(f"<!-- {name} -->\n") + len(f"<!-- {name} -->\n")
        text = text[:start] + make() + text[text.index("<!-- end -->", start) :]
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_again()
