"""Templates of somebody else's: they go before torchgen's file by file, in a sandbox, and what breaks is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from projects import make
from test_golden import PROJECTS
from torchgen_scaffold import Spec, SpecError, generate
from torchgen_scaffold.answers.words import read_toml
from torchgen_scaffold.cli import cli
from torchgen_scaffold.overlay import own_names, own_templates

SIZES: dict[str, Any] = {"input_shape": [4], "output_shape": [3], "task": "multiclass"}
FLAGS = ["--input-shape", "4", "--output-shape", "3", "--task", "multiclass", "--yes"]


def torchgen(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(cli, [*map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def put(folder: Path, **files: str) -> Path:
    """A folder with these templates: `common__README_md` is common/README.md.jinja."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/").replace("_", ".") + ".jinja")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def generated(folder: Path, **answers: Any) -> dict[str, str]:
    return generate(Spec.from_dict({"name": "p", **SIZES, **answers, "project": {"templates": str(folder)}}))


# What goes before what.


def test_an_exported_copy_makes_the_same_projects(tmp_path: Path) -> None:
    assert torchgen("templates", "export", tmp_path / "own").exit_code == 0
    for golden in PROJECTS:
        answers = read_toml(golden / "torchgen.toml")
        answers["project"]["templates"] = str(tmp_path / "own")
        made = generate(Spec.from_dict(answers, base=golden, home=golden))
        for path in golden.rglob("*"):
            name = path.relative_to(golden).as_posix()
            if path.is_file() and "__pycache__" not in name and name != "torchgen.toml":
                assert made[name] == path.read_text(encoding="utf-8"), name


def test_a_file_goes_before_torchgens_and_the_others_stay(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "house",
        common__README_md="# {{ plan.name }}, ours\n{% include 'parts/team.jinja' %}\n",
        parts__team="By the team, seed {{ plan.seed }}.",
    )
    made = generated(folder)
    assert made["README.md"] == "# p, ours\nBy the team, seed 0.\n"
    plain = generate(Spec.from_dict({"name": "p", **SIZES}))
    assert {name for name in made if made[name] != plain[name]} == {"README.md", "torchgen.toml"}


def test_what_is_under_extra_becomes_a_file_of_the_project(tmp_path: Path) -> None:
    folder = put(tmp_path / "house", extra__Makefile="train:\n\tpython train.py  # {{ plan.name }}\n")
    put(folder, extra__tools__more_py='x = {"a" :   1}\n')
    (folder / "extra" / "notes {{ plan }}.txt").write_text("{{ plan.name }} stays\n")
    made = generated(folder)
    assert made["Makefile"] == "train:\n\tpython train.py  # p\n"
    assert made["tools/more.py"] == 'x = {"a": 1}\n', "black lays out what is Python"
    assert made["notes {{ plan }}.txt"] == "{{ plan.name }} stays\n"


def test_it_is_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed, it is relative to where it was typed; in a file, to the file; in the project, to the project."""
    put(tmp_path / "house", common__README_md="ours\n")
    monkeypatch.chdir(tmp_path)
    assert torchgen("new", "p", *FLAGS, "--templates", "house").exit_code == 0
    answers = tmp_path / "p" / "torchgen.toml"
    assert 'templates = "../house"' in answers.read_text()
    assert torchgen("check", "p").exit_code == 0
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    again = torchgen("new", "--config", "../p/torchgen.toml", "--yes", "--data", "sklearn:iris")
    assert again.exit_code == 0, again.stderr
    assert (tmp_path / "deep" / "p" / "README.md").read_text() == "ours\n"
    assert 'templates = "../../house"' in (tmp_path / "deep" / "p" / "torchgen.toml").read_text()
    put(tmp_path / "house", common__README_md="newer\n")
    assert torchgen("check", "../p").exit_code == 1
    assert torchgen("update", "../p").exit_code == 0
    assert (tmp_path / "p" / "README.md").read_text() == "newer\n"
    put(tmp_path / "deep" / "other", common__README_md="another\n")
    assert torchgen("update", "../p", "--templates", "other").exit_code == 0
    assert (tmp_path / "p" / "README.md").read_text() == "another\n"
    assert 'templates = "../deep/other"' in answers.read_text()
    assert torchgen("check", tmp_path / "p").exit_code == 0


def test_torchgens_own_text_is_not_looked_for_in_the_folder(tmp_path: Path) -> None:
    assert "templates" not in Spec.from_dict({"name": "p", **SIZES}).to_dict()["project"]
    listed = torchgen("templates", "list").stdout.split()
    assert listed == list(own_names()) and "common/model.py.jinja" in listed
    assert all((own_templates() / name).is_file() for name in listed)


# What is refused, with nothing written.


def refused(tmp_path: Path, folder: Path) -> str:
    result = torchgen("new", "p", *FLAGS, "-o", tmp_path / "out", "--templates", folder)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.stderr and not (tmp_path / "out").exists()
    return result.stderr


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("common__README_md", "a\n{% if %}\n", 2, "Expected an expression"),
        ("common__README_md", "a\n{{ plan.name | shout }}\n", 2, "No filter named 'shout'"),
        ("common__README_md", "a\n\n{{ plan.nmae }}\n", 3, "has no attribute 'nmae'"),
        ("common__README_md", "{{ nothing }}\n", 1, "'nothing' is undefined"),
        ("common__README_md", "{{ plan.samples / 0 }}\n", 1, "division by zero"),
        ("common__README_md", "a\n{{ 'text' ~ 'more' }}\n", 2, "passed no escape"),
        ("common__README_md", "{% include 'parts/none.jinja' %}\n", 1, "parts/none.jinja"),
        ("common__README_md", "{% include 'parts/inner.jinja' %}\n", 4, "'inner' is undefined"),
        ("parts__statistics_py", "{{ 1 / 0 }}\n", 1, "division by zero"),
        ("extra__x_md", "a\nb\n{{ plan.name.foo }}\n", 3, "has no attribute 'foo'"),
    ],
)
def test_what_breaks_is_named_with_its_file_and_line(
    tmp_path: Path, name: str, text: str, line: int, why: str
) -> None:
    folder = put(tmp_path / "house", **{name: text, "parts__inner": "\n\n\n{{ inner }}"})
    said = refused(tmp_path, folder)
    assert why in said and f", line {line}, cannot be used" in said
    broken = "parts/inner" if line == 4 else name.replace("__", "/").replace("_", ".")
    assert f"{folder / broken}" in said


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ plan._spec }}",
        "{{ plan._plan.spec.data.original }}",
        "{{ plan['_spec'] }}",
        "{{ plan | attr('_spec') }}",
        "{{ plan.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ '{0.__class__}'.format(plan) }}",
        "{% set x = plan.__dict__ %}{{ x }}",
        "{% do plan.split_sizes.append(1) %}",
        "{% include '/etc/hostname' %}",
        "{% include '../secret' %}",
        "{% include 'parts/../../secret' %}",
        "{% import 'os' as os %}",
        "{% for i in range(10**9) %}{% endfor %}",
    ],
)
def test_a_template_reaches_nothing_but_what_it_is_given(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text("what nobody may see")
    said = refused(tmp_path, put(tmp_path / "house", common__README_md=text))
    assert "cannot be used" in said and "nobody" not in said


def test_output_that_is_no_python_is_named(tmp_path: Path) -> None:
    folder = put(tmp_path / "house", common__model_py="x = 1\ny = (\n")
    said = refused(tmp_path, folder)
    assert f"{folder / 'common/model.py.jinja'} makes a model.py that is no Python" in said
    assert "model.py, line 2: '(' was never closed" in said


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "no file ends in .jinja"),
        ({"common__modle_py": "x"}, "Did you mean common/model.py.jinja?"),
        ({"readme": "x"}, "takes the place of no template"),
        ({"extra__train_py": "x = 1\n"}, "extra/train.py.jinja would be train.py"),
        ({"extra__torchgen_toml": "x = 1\n"}, "extra/torchgen.toml.jinja would be torchgen.toml"),
    ],
)
def test_a_folder_that_would_do_nothing_or_harm_is_refused(
    tmp_path: Path, files: dict[str, str], why: str
) -> None:
    (tmp_path / "house").mkdir()
    assert why in refused(tmp_path, put(tmp_path / "house", **files))


def test_no_folder_a_link_out_of_it_and_bytes_are_refused(tmp_path: Path) -> None:
    assert "it is not a folder" in refused(tmp_path, tmp_path / "none")
    folder = put(tmp_path / "house", common__README_md="ours\n")
    (tmp_path / "secret").write_text("secret")
    (folder / "extra").mkdir()
    (folder / "extra" / "mine.txt").symlink_to(tmp_path / "secret")
    assert "leads out of" in refused(tmp_path, folder)
    (folder / "extra" / "mine.txt").unlink()
    (folder / "parts").mkdir()
    for link, target in (("parts/link", tmp_path), ("parts/plain", tmp_path / "secret"), ("up", "..")):
        (folder / link).symlink_to(target)
        assert "leads out of" in refused(tmp_path, folder), link
        (folder / link).unlink()
    (folder / "extra" / "mine.bin").write_bytes(b"\xff\xfe")
    assert "mine.bin cannot be used" in refused(tmp_path, folder)


def test_a_whole_disk_and_a_folder_that_cannot_be_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "File name too long" in refused(tmp_path, tmp_path / ("a" * 300))
    folder = put(tmp_path / "house", common__README_md="ours\n")
    monkeypatch.setattr("torchgen_scaffold.overlay.MOST_PATHS", 200)
    assert "README.md" in generated(folder)
    (folder / "parts").mkdir()
    for number in range(200):
        (folder / "parts" / str(number)).touch()
    assert "more than 200 files and folders are in it" in refused(tmp_path, folder)


def test_a_link_that_appears_later_is_not_followed(tmp_path: Path) -> None:
    """The folder is checked with the answers, and each template again when it is read."""
    text = "{% include 'parts/link/secret.jinja' ignore missing %}{% include 'parts/plain' ignore missing %}ours\n"
    folder = put(tmp_path / "house", common__README_md=text)
    put(tmp_path / "away", secret="what nobody may see")
    spec = Spec.from_dict({"name": "p", **SIZES, "project": {"templates": str(folder)}})
    (folder / "parts").mkdir()
    (folder / "parts" / "link").symlink_to(tmp_path / "away")
    (folder / "parts" / "plain").write_text("what nobody may see")
    with pytest.raises(SpecError, match="leads out"):
        generate(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torchgen_scaffold.render.names_in", lambda folder: ["common/README.md.jinja"])
        assert generate(spec)["README.md"] == "ours\n"


def test_a_path_that_no_disk_takes_is_refused(tmp_path: Path) -> None:
    folder = put(tmp_path / "house", common__README_md="ours\n")
    (folder / "extra" / ".git").mkdir(parents=True)
    (folder / "extra" / ".git" / "hooks").write_text("x\n")
    said = refused(tmp_path, folder)
    assert ".git/hooks" in said


def test_a_project_whose_templates_are_gone_says_so(tmp_path: Path) -> None:
    folder = put(tmp_path / "house", common__README_md="ours\n")
    project = make(tmp_path, **SIZES, project={"templates": "house"})
    folder.rename(tmp_path / "moved")
    result = torchgen("check", project, "--json")
    assert result.exit_code == 2 and "it is not a folder" in result.stderr and result.stdout == ""
    with pytest.raises(SpecError, match="not a folder"):
        Spec.from_toml(project / "torchgen.toml")


def test_an_export_is_whole_or_refused(tmp_path: Path) -> None:
    assert torchgen("templates", "export", tmp_path / "own").exit_code == 0
    (tmp_path / "own" / "mine.txt").write_text("mine\n")
    again = torchgen("templates", "export", tmp_path / "own")
    assert again.exit_code == 2 and "In the way" in again.stderr
    assert torchgen("templates", "export", tmp_path / "own", "--force").exit_code == 0
    assert (tmp_path / "own" / "mine.txt").read_text() == "mine\n"
    assert json.loads(
        torchgen("new", "p", *FLAGS, "--templates", tmp_path / "own", "-o", tmp_path, "--json").stdout
    )
