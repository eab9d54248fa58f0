"""docs/pipelines.md: its CI jobs are valid by the published schemas, and their commands run as the jobs write them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from projects import ROOT
from test_docs import DOCS, Shell, blocks_of

PAGE = DOCS / "pipelines.md"
EXAMPLE = DOCS / "examples" / "templates.toml"
MARK = re.compile(r"<!-- pipeline: (\S+) -->")
JOBS = {found[1]: block.text for block in blocks_of(PAGE) if (found := MARK.fullmatch(block.mark))}
TINY = (
    'model = ["linear", "mlp"]\nprofile = "lesson"\n'
    'task = "binary"\ninput_shape = 4\n[data]\nsamples = 60\n'
)


def commands_of(schema: str) -> list[str]:
    """The torchgen commands of a job, as it writes them."""
    job = yaml.safe_load(JOBS[schema])["jobs" if "github" in schema else "templates"]
    lines = (
        [step.get("run", "") for step in job["templates"]["steps"]] if "github" in schema else job["script"]
    )
    return [line for line in lines if line.startswith("torchgen ")]


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "vendor.gitlab-ci"])
def test_a_job_is_valid_by_the_published_schema(tmp_path: Path, schema: str) -> None:
    file = tmp_path / "job.yml"
    file.write_text(JOBS[schema], encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text(JOBS[schema].replace("templates:\n", "templates: 3\n", 1).partition("3\n")[0] + "3\n")
    assert subprocess.run(check, capture_output=True, check=False).returncode == 1  # the check sees something


def test_the_commands_of_the_jobs_run_and_write_what_the_jobs_upload(tmp_path: Path) -> None:
    """Two small cells, verified with a real Python."""
    (command,) = commands_of("vendor.gitlab-ci")
    assert commands_of("vendor.github-workflows") == [command]
    shell = Shell(tmp_path / "work", ROOT / "torchgen")
    shell.folder.mkdir()
    (shell.folder / "templates.toml").write_text(TINY)
    done = shell.run(command)
    assert done.returncode == 0, done.stdout
    assert "2 of 2 cells verified" in done.stdout
    job = yaml.safe_load(JOBS["vendor.gitlab-ci"])["templates"]
    kept = [shell.folder / path for path in job["artifacts"]["paths"]]
    assert all(path.exists() for path in kept)
    suite = ElementTree.parse(shell.folder / job["artifacts"]["reports"]["junit"]).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("8", "0")


def test_the_example_is_the_one_on_the_page() -> None:
    assert EXAMPLE.read_text("utf-8") in [block.text for block in blocks_of(PAGE)]


@pytest.mark.slow
def test_the_example_is_verified(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "work", ROOT / "torchgen")
    shell.folder.mkdir()
    done = shell.run(f'torchgen matrix "{EXAMPLE}" -o cells --verify')
    assert done.returncode == 0, done.stdout
