"""The CI workflows of generated projects: valid by the published schemas, and their commands run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from projects import ROOT
from torchgen_scaffold import Spec, generate, plan
from torchgen_scaffold.cli import cli
from torchgen_scaffold.create import create
from torchgen_scaffold.settings import CI_SYSTEMS, PROFILES

FILES = {"github": ".github/workflows/train.yml", "gitlab": ".gitlab-ci.yml"}
GOLDEN = ROOT / "tests" / "golden"
MADE: dict[str, Any] = {
    "name": "made",
    "task": "multiclass",
    "input_shape": 4,
    "output_shape": 3,
    "data": {"samples": 200},
}


def with_data(golden: str, source: str) -> dict[str, Any]:
    """A golden project whose recorded facts are those of another source."""
    answers = tomllib.loads((GOLDEN / golden / "torchgen.toml").read_text(encoding="utf-8"))
    return {**answers, "data": {**answers["data"], "source": source}}


SOURCES: dict[str, dict[str, Any]] = {
    "made": MADE,
    "bundled": {"name": "digits", "data": {"source": "sklearn:digits"}},
    "outside": with_data("houses", "csv:../houses.csv"),
    "inside": with_data("houses", "csv:data/houses.csv"),
    "hub": with_data("opinions", "hf:someone/opinions"),
}
COMBINATIONS = [(source, profile, ci) for source in SOURCES for profile in PROFILES for ci in FILES]


def answers_of(source: str, profile: str, ci: str) -> dict[str, Any]:
    answers = SOURCES[source]
    training = {**answers.get("training", {})}
    return {**answers, "training": training, "project": {"profile": profile, "ci": ci}}


def files_of(source: str, profile: str, ci: str) -> dict[str, str]:
    home = ROOT / "project"  # where paths of the recorded sources start; nothing is read or written there
    return generate(Spec.from_dict(answers_of(source, profile, ci), base=home, home=home))


@pytest.fixture(scope="module")
def workflows() -> Mapping[tuple[str, str, str], str]:
    return {made: files_of(*made)[FILES[made[2]]] for made in COMBINATIONS}


def commands_in(ci: str, workflow: str) -> tuple[dict[str, str], list[str]]:
    """The variables and the commands of a workflow, in order."""
    parsed = yaml.safe_load(workflow)
    if ci == "gitlab":
        return parsed["train"]["variables"], parsed["train"]["script"]
    steps = parsed["jobs"]["train"]["steps"]
    return parsed["env"], [step["run"] for step in steps if "run" in step]


# What they are.


@pytest.mark.parametrize("ci", FILES)
def test_every_workflow_is_valid_by_the_published_schema(
    ci: str, workflows: Mapping[tuple[str, str, str], str], tmp_path: Path
) -> None:
    for number, (made, text) in enumerate(workflows.items()):
        if made[2] == ci:
            (tmp_path / f"{number}.yml").write_text(text, encoding="utf-8")
    schema = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}[ci]
    found = sorted(map(str, tmp_path.iterdir()))
    assert len(found) == len(COMBINATIONS) / 2
    done = checked("--builtin-schema", schema, *found)
    assert done.returncode == 0, done.stdout
    (tmp_path / "bad.yml").write_text("jobs: 3\ntrain: 3\n", encoding="utf-8")
    assert checked("--builtin-schema", schema, str(tmp_path / "bad.yml")).returncode == 1


def checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_project_without_ci_has_none() -> None:
    assert {*CI_SYSTEMS} == {"none", *FILES}
    assert not {*FILES.values()} & {*files_of("made", "standard", "none")}


def test_the_github_workflow_can_read_alone_and_ends(workflows: Mapping[tuple[str, str, str], str]) -> None:
    parsed = yaml.safe_load(workflows["made", "standard", "github"])
    assert parsed["permissions"] == {"contents": "read"}
    assert parsed["concurrency"]["cancel-in-progress"] is True
    assert parsed["concurrency"]["group"] == "${{ github.workflow }}-${{ github.ref }}"
    assert parsed["jobs"]["train"]["timeout-minutes"] <= 60
    used = [step["uses"] for step in parsed["jobs"]["train"]["steps"] if "uses" in step]
    # The majors that run on Node 24: what came before is deprecated.
    assert used == ["actions/checkout@v7", "actions/setup-python@v7", "actions/upload-artifact@v7"]


def test_gitlab_shows_failed_tests(workflows: Mapping[tuple[str, str, str], str]) -> None:
    train = yaml.safe_load(workflows["made", "lesson", "gitlab"])["train"]
    report = train["artifacts"]["reports"]["junit"]
    assert train["artifacts"]["when"] == "always"
    assert any(f"--junitxml={report} " in line for line in train["script"])


@pytest.mark.parametrize(("source", "profile", "ci"), COMBINATIONS)
def test_where_data_is_not_in_the_project_the_workflow_and_the_readme_say_so(
    source: str, profile: str, ci: str
) -> None:
    files = files_of(source, profile, ci)
    text, readme = files[FILES[ci]], files["README.md"]
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{FILES[ci]}` |"))
    assert ("no part of this folder" in text) == ("outside the project" in row) == (source == "outside")
    assert ("HF_TOKEN" in text) == (source == "hub")


@pytest.mark.parametrize("ci", CI_SYSTEMS)
def test_a_note_says_that_ci_needs_data_from_outside(ci: str) -> None:
    home = ROOT / "project"
    for source in SOURCES:
        spec = Spec.from_dict(answers_of(source, "standard", ci), base=home, home=home)
        noted = any("workflow sees the project's folder alone" in note for note in plan(spec).notes)
        assert noted == (source == "outside" and ci != "none"), source


def test_copied_data_needs_no_note(tmp_path: Path) -> None:
    """--ci with a file of one's own: what is said, and that --copy-data answers it."""
    rows = "\n".join(f"{number},{number % 7},{'yes' if number % 2 else 'no'}" for number in range(60))
    (tmp_path / "houses.csv").write_text(f"a,b,sold\n{rows}\n", encoding="utf-8")
    command = ["new", "--data", str(tmp_path / "houses.csv"), "--target", "sold", "--ci", "github", "-y"]
    told = CliRunner().invoke(cli, [*command, "-o", str(tmp_path / "one")])
    quiet = CliRunner().invoke(cli, [*command, "--copy-data", "-o", str(tmp_path / "two")])
    assert told.exit_code == quiet.exit_code == 0
    assert "--copy-data" in told.stderr and "workflow" in told.stderr
    assert "workflow" not in quiet.stderr
    workflow = (tmp_path / "two" / "houses" / FILES["github"]).read_text(encoding="utf-8")
    assert "no part of this folder" not in workflow


# What they do: the commands, as they are written, one after the other as a runner has them.


def run_workflow(project: Path, ci: str, programs: Path, *, install: bool) -> None:
    variables, commands = commands_in(ci, (project / FILES[ci]).read_text(encoding="utf-8"))
    assert commands[0].startswith("pip install ")
    environment = environment_of(variables, project, programs)
    for command in commands if install else commands[1:]:
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=project, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def environment_of(variables: Mapping[str, str], project: Path, programs: Path) -> dict[str, str]:
    """What a runner sets: the workflow's variables, with its own folder, and the Python that it was told to have."""
    own = {name: text.replace("$CI_PROJECT_DIR", str(project)) for name, text in variables.items()}
    # The index is reached over the internet, which a test must not need; the packages are those of any index.
    assert own.pop("PIP_EXTRA_INDEX_URL").startswith("https://download.pytorch.org/")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return {**kept, **own, "PATH": path, "OMP_NUM_THREADS": "1"}


def artifacts_of(project: Path, ci: str) -> Iterator[str]:
    """The paths that the workflow keeps."""
    parsed = yaml.safe_load((project / FILES[ci]).read_text(encoding="utf-8"))
    if ci == "gitlab":
        yield from [*parsed["train"]["artifacts"]["paths"], parsed["train"]["artifacts"]["reports"]["junit"]]
    else:
        yield from parsed["jobs"]["train"]["steps"][-1]["with"]["path"].split()


@pytest.mark.parametrize(("profile", "ci"), [("standard", "github"), ("lesson", "gitlab")])
def test_the_commands_run_and_make_what_is_kept(tmp_path: Path, profile: str, ci: str) -> None:
    answers = {**MADE, "project": {"profile": profile, "ci": ci}}
    project = create(answers, base=tmp_path, output_dir=tmp_path).path
    run_workflow(project, ci, Path(sys.executable).parent, install=False)
    for kept in artifacts_of(project, ci):
        assert [*project.glob(kept)], kept


def test_a_failing_test_stops_the_commands(tmp_path: Path) -> None:
    answers = {**MADE, "project": {"profile": "lesson", "ci": "gitlab"}}
    project = create(answers, base=tmp_path, output_dir=tmp_path).path
    text = (project / "test_project.py").read_text(encoding="utf-8")
    (project / "test_project.py").write_text(
        re.sub(r"(?m)^def test_(.*)$", r"def test_\1\n    assert False", text, count=1), encoding="utf-8"
    )
    with pytest.raises(AssertionError, match="pytest"):
        run_workflow(project, "gitlab", Path(sys.executable).parent, install=False)
    assert 'failures="1"' in (project / "report.xml").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "ci"), [("standard", "gitlab"), ("lesson", "github")])
def test_the_commands_run_in_a_fresh_environment(tmp_path: Path, profile: str, ci: str) -> None:
    """The first of them, too: what requirements.txt names is all that the others need."""
    answers = {**MADE, "project": {"profile": profile, "ci": ci}}
    project = create(answers, base=tmp_path, output_dir=tmp_path).path
    venv.create(tmp_path / "venv", with_pip=True)
    run_workflow(project, ci, tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin"), install=True)
