"""Names of projects and of their files."""

from __future__ import annotations

import keyword
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from torchgen_scaffold.names import path_problem, project_name_problem, suggest_name, windows_clash

thorough = settings(derandomize=True, deadline=None, max_examples=300, database=None)
TAKEN = [*keyword.kwlist, *keyword.softkwlist, *sorted(sys.stdlib_module_names), "torch", "con", "lpt9"]
NAMES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(TAKEN),
    st.text(alphabet="aZ09-_./\\: ~é\n\0\ud800", max_size=80),
)


@pytest.mark.parametrize("name", ["digits", "a", "my-json", "Iris_2", "x" * 64, "model", "test-project"])
def test_plain_names_pass(name: str) -> None:
    assert project_name_problem(name) is None
    assert suggest_name(name) == name


@pytest.mark.parametrize(
    ("name", "why", "suggestion"),
    [
        ("", "empty", "my-project"),
        ("1st", "starts with '1'", "my-1st"),
        ("-x", "starts with '-'", "x"),
        ("my project", "has ' '", "my-project"),
        ("a.b", "has '.'", "a-b"),
        ("a\n", r"has '\n'", "a"),
        ("a\0b", r"has '\x00'", "a-b"),
        ("x" * 65, "65 characters", "x" * 64),
        ("json", "standard library", "my-json"),
        ("Json", "standard library", "my-Json"),
        ("imp", "standard library", "my-imp"),  # gone from Python 3.12 on
        ("annotationlib", "standard library", "my-annotationlib"),  # there from 3.14 on
        ("class", "Python language", "my-class"),
        ("None", "Python language", "my-None"),
        ("match", "Python language", "my-match"),
        ("type", "Python language", "my-type"),
        ("torch", "package", "my-torch"),
        ("torchgen-scaffold", "package", "my-torchgen-scaffold"),
        ("scikit-learn", "package", "my-scikit-learn"),
        ("NUL", "Windows", "my-NUL"),
        ("com1", "Windows", "my-com1"),
        ("__init__", "double underscores", "init"),
        ("ﬁt", "look like 'fit'", "fit"),
        ("\uff54orch", "look like 'torch'", "my-torch"),
        ("größe", "other than ASCII", "gro-e"),
        ("Привет", "other than ASCII", "my-project"),
        ("é", "other than ASCII", "e"),
    ],
)
def test_other_names_are_refused_with_one_that_passes(name: str, why: str, suggestion: str) -> None:
    problem = project_name_problem(name)
    assert problem is not None
    assert why in problem.why
    assert f"Try '{suggestion}'" in problem.instead
    assert problem.key == "name"


@pytest.mark.parametrize("name", ["../x", "a/b", "/tmp/x", "C:\\x", "c:x", "a\\b", ".", "..", "~", "x/"])
def test_a_path_is_told_about_the_output_directory(name: str) -> None:
    problem = project_name_problem(name)
    assert problem is not None
    assert "path" in problem.why
    match = re.fullmatch(r".*: torchgen new (\S+) -o DIR", problem.instead)
    assert match and project_name_problem(match[1]) is None


@thorough
@given(NAMES)
@example("a" * 64 + "/json")
@example("my-" + "-" * 80)
def test_every_suggestion_passes_and_every_message_prints(name: str) -> None:
    assert project_name_problem(suggest_name(name)) is None
    problem = project_name_problem(name)
    if problem is None:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name)
    else:
        assert problem.what and problem.why and problem.instead
        assert "".join((problem.what, problem.why, problem.instead)).isprintable()


@pytest.mark.parametrize("name", TAKEN)
def test_every_taken_name_has_a_suggestion_that_passes(name: str) -> None:
    assert project_name_problem(name) is not None
    assert project_name_problem(suggest_name(name)) is None


@pytest.mark.parametrize(
    "path", ["a.py", "a/b.py", ".github/workflows/ci.yml", ".gitignore", "a b/ü.csv", "..a"]
)
def test_paths_inside_a_project(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    "path",
    [
        *["", "/a", "../a", "a/../../b", "a//b", "a/", "./a", ".", "a\\b", "..\\a", "C:/a", "c:a", "a\0"],
        *[".git/hooks/pre-commit", ".GIT/config", "a/.git/x", ".git", ".git./config", "\ud800"],
    ],
)
def test_paths_that_are_not(path: str) -> None:
    assert path_problem(path)


def test_names_that_are_one_on_other_disks() -> None:
    assert windows_clash(["model.py", "train.py", "a/x", "a/y", "b/x"]) == []
    assert windows_clash(["model.py", "Model.py", "MODEL.py"]) == [
        ("model.py", "Model.py"),
        ("model.py", "MODEL.py"),
    ]
    assert windows_clash(["a/x", "A/y", "A/z"]) == [("a", "A")]
    assert windows_clash(["data", "Data/x"]) == [("data", "Data")]
    assert windows_clash(["\xe9.csv", "e\u0301.csv"]) == [("\xe9.csv", "e\u0301.csv")]
