"""Names of projects and of their files."""

from __future__ import annotations

import keyword
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from torchgen_scaffold.names import (
    path_problem,
    project_name_problem,
    suggest_name,
    windows_clash,
    windows_problem,
)

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
        ("LPT0", "Windows", "my-LPT0"),
        ("COM¹", "look like 'COM1'", "my-COM1"),
        ("CONIN$", "has '$'", "CONIN"),
        ("con.txt", "has '.'", "con-txt"),
        ("aux ", "has ' '", "my-aux"),
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
        # git's folder by its short name, as a stream, and with signs that macOS does not see
        *["git~1/config", "GIT~1", ".git::$INDEX_ALLOCATION/x", ".g\u200cit/hooks/x", ".git . /x", ".git:x"],
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
    assert windows_clash(["Ångström", "a\u030angstro\u0308m", "x"]) == [("Ångström", "a\u030angstro\u0308m")]
    assert windows_clash(["data.", "data/x"]) == [("data.", "data")]
    assert windows_clash(["a ", "A", "b"]) == [("a ", "A")]
    assert windows_clash(["ΣΟΦΟΣ", "σοφος", "σοφοσ"]) == [("ΣΟΦΟΣ", "σοφος"), ("ΣΟΦΟΣ", "σοφοσ")]
    assert windows_clash(["a.b", "a b", "ab", "a..b"]) == []


@pytest.mark.parametrize(
    ("part", "why"),
    [
        *(
            (name, "device")
            for name in ("con", "NUL", "Aux", "prn", "com1", "LPT9", "COM0", "conin$", "CONOUT$")
        ),
        *(
            (name, "device")
            for name in ("con.txt", "NUL.tar.gz", "aux .py", "COM¹", "lpt².log", "com³", "Con.")
        ),
        *(
            (name, "no name on Windows")
            for name in ("a:b", "12:30.png", "what?", "a*", 'say "x"', "a<b", "a>b", "a|b")
        ),
        *((name, "no name on Windows") for name in ("a\tb", "a\nb", "\x01", "a\\b", "a/b")),
        *((name, "drops") for name in ("a.", "a ", "...", "a. ")),
        ("x" * 256, "255"),
        ("😀" * 128, "255"),  # two units each
    ],
)
def test_what_windows_cannot_hold(part: str, why: str) -> None:
    if part == "Con.":
        why = "drops"
    problem = windows_problem(part)
    assert problem is not None and why in problem and problem.isprintable()
    if "/" not in part and "\\" not in part and not re.match("[A-Za-z]:", part) and part != "...":
        assert path_problem(f"data/{part}/x", windows=True)
        assert path_problem(f"data/{part}/x", windows=False) is None


@pytest.mark.parametrize(
    "part",
    [
        *(
            "model.py",
            ".gitignore",
            "a b",
            "console",
            "com",
            "com10",
            "lpt",
            "nul_",
            "my.con",
            "auxiliary.txt",
            "con-1",
        ),
        *(
            "COM⁴",
            "größe.csv",
            "Привет",
            "a.b.c",
            "(x) [y] {z}",
            "a'b",
            "~",
            "$x",
            "x" * 255,
            "😀" * 127,
            " a",
            "-",
        ),
    ],
)
def test_what_windows_can_hold(part: str) -> None:
    assert windows_problem(part) is None
    assert path_problem(f"data/{part}", windows=True) is None


@thorough
@given(st.text(min_size=1, max_size=12))
def test_what_windows_takes_is_a_path_everywhere(part: str) -> None:
    if (
        part not in (".", "..")
        and windows_problem(part) is None
        and ".git" not in part.lower()
        and "~1" not in part
    ):
        assert path_problem(f"a/{part}", windows=True) == path_problem(f"a/{part}", windows=False)


@thorough
@given(st.lists(st.text(alphabet="aAéÉe\u0301ß./ ", min_size=1, max_size=5), max_size=4))
def test_paths_that_differ_by_case_alone_clash(paths: list[str]) -> None:
    """Whatever the paths, each and its upper case are one on some disk, unless they are the same text."""
    for path in paths:
        other = path.upper()
        if path != other and len(path) == len(other):
            assert windows_clash([path, other])


def test_every_file_of_a_project_can_be_on_windows() -> None:
    from torchgen_scaffold import Spec, generate

    for profile in ("standard", "lesson"):
        for ci in ("github", "gitlab"):
            answers = {
                "name": "made",
                "task": "binary",
                "input_shape": 3,
                "project": {"profile": profile, "ci": ci},
            }
            names = [*generate(Spec.from_dict(answers))]
            assert [path_problem(name, windows=True) for name in names] == [None] * len(names)
            assert windows_clash(names) == []
