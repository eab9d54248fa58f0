"""Formatted text is what black makes of it, and an ordinary project never needs black to be so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import black
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from projects import ROOT
from test_golden import PROJECTS
from test_map import ROWS
from torchgen_scaffold import Spec, formatting, plan
from torchgen_scaffold.answers import read_toml
from torchgen_scaffold.folding import fold
from torchgen_scaffold.formatting import formatted
from torchgen_scaffold.render import files_of, render
from torchgen_scaffold.sources.table.columns import Column, width_of

# Templates whose layout still is black's to mend.
LEFT_TO_BLACK: set[str] = set()


def by_black(text: str) -> str:
    return black.format_str(text, mode=black.Mode())


def specs() -> Iterator[Any]:
    """Every row of the map and every golden project, in both profiles."""
    for number, row in enumerate(ROWS):
        for profile in ("standard", "lesson"):
            answers = {"name": "row", **row, "project": {"profile": profile}}
            yield pytest.param(Spec.from_dict(answers), id=f"row{number}-{profile}")
    for project in PROJECTS:
        for profile in ("standard", "lesson"):
            answers = read_toml(project / "torchgen.toml")
            answers["project"] = {**answers["project"], "profile": profile}
            spec = Spec.from_dict(answers, base=project.parent, home=project)
            yield pytest.param(spec, id=f"{project.name}-{profile}")


def rendered(spec: Spec) -> Iterator[tuple[str, str, str]]:
    """(path, template, text) of each Python file as its template gives it."""
    planned = plan(spec)
    templates = files_of(planned)
    for path, text in render(planned).items():
        if path.endswith(".py"):
            yield path, templates[path], text


_SEEN: dict[str, str] = {}  # black takes a tenth of a second a file, and many are the same


@pytest.mark.parametrize("spec", list(specs()))
def test_the_ordinary_needs_no_black(spec: Spec) -> None:
    for path, template, text in rendered(spec):
        folded = fold(text)
        assert folded is not None or template in LEFT_TO_BLACK, path
        wanted = _SEEN.get(text) or _SEEN.setdefault(text, by_black(text))
        assert formatted(path, text) == wanted, path


# Text from outside: names that are long, wide, quoted, or look like code.

NAMES = st.text(
    st.one_of(
        st.sampled_from("abcxyz'\"\\`#{}[]()<>,.:;=%$é漢字🙂\u0301\u200b\u202e\xa0"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=60,
).filter(lambda name: name.strip() == name and len(name.splitlines()) == 1)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Answers for a table whose columns, classes and file have names of every kind."""
    names = draw(st.lists(NAMES, min_size=3, max_size=9, unique=True))
    others = ["number", "number gaps", "category 3", "boolean yes", "date ISO8601", "text 9 40"]
    kinds = ["number", *(draw(st.sampled_from(others)) for _ in names[2:])]
    columns = [Column.parse(name, kind) for name, kind in zip(names[1:], kinds, strict=True)]
    classes = draw(st.lists(NAMES, min_size=3, max_size=9, unique=True))
    return {
        "name": "odd",
        "task": "multiclass",
        "input_shape": [width_of(columns)],
        "output_shape": [len(classes)],
        "data": {
            "source": f"csv:{draw(st.sampled_from(['a', 'long' * 20, '漢字' * 12]))}.csv",
            "target": [names[0]],
            "columns": names[1:],
            "kinds": kinds,
            "classes": classes,
            "counts": [20] * len(classes),
            "samples": 20 * len(classes),
        },
        "project": {"profile": draw(st.sampled_from(["standard", "lesson"]))},
    }


@effort(max_examples=40)
@given(tables())
def test_names_from_outside_are_laid_out_by_black(answers: dict[str, Any]) -> None:
    for path, _, text in rendered(Spec.from_dict(answers)):
        if path in ("dataset.py", "predict.py"):  # where such names are
            assert formatted(path, text) == by_black(text)


@effort(max_examples=40)
@given(tables())
def test_text_from_outside_reaches_one_python_file(answers: dict[str, Any]) -> None:
    """That is why formatted() compiles dataset.py, and no other."""
    data = answers["data"]
    plain = {
        "source": "csv:a.csv",
        "target": ["y"],
        "columns": [f"column_{number}" for number, _ in enumerate(data["columns"])],
        "classes": [f"class_{number}" for number, _ in enumerate(data["classes"])],
    }
    here, there = (Spec.from_dict({**answers, "data": {**data, **other}}) for other in ({}, plain))
    differ = [
        path
        for (path, _, text), (_, _, twin) in zip(rendered(here), rendered(there), strict=True)
        if text != twin
    ]
    assert set(differ) <= {"dataset.py"}


# Lines of code of the shapes that are folded, against black.

WORDS = st.sampled_from(["x", "nn", "model", "optimizer", "train_loader", "a_name_of_twenty_six_xs"])
DOTTED = st.lists(WORDS, min_size=1, max_size=4).map(".".join)
STRINGS = st.text("ab ,'()[]{}#:=\\f", max_size=40).map(lambda text: '"' + repr(text)[1:-1] + '"')
VALUES = st.recursive(
    st.one_of(DOTTED, st.integers(0, 10**6).map(str), STRINGS.filter(lambda text: "\\'" not in text)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.builds(lambda name, items: f"{name}({', '.join(items)})", DOTTED, st.lists(inner, max_size=2)),
        st.builds(lambda one, other: f"{one} * {other}", DOTTED, DOTTED),
    ),
    max_leaves=4,
)
ITEMS = st.lists(
    st.one_of(
        VALUES,
        st.builds(lambda name, value: f"{name}={value}", WORDS, VALUES),
        st.builds(lambda stars, value: f"{stars}{value}", st.sampled_from(["*", "**"]), DOTTED),
    ),
    min_size=1,
    max_size=9,
)
PLAIN = st.lists(st.one_of(VALUES, DOTTED.map(lambda name: f"*{name}")), min_size=1, max_size=9)
PARAMETERS = st.lists(
    st.builds(
        lambda name, number, kind: f"{name}_{number}: {kind}",
        WORDS,
        st.integers(0, 10**6),
        st.sampled_from(["int", "dict[str, int] = {}", "int | None = None", "tuple[tuple[int, ...], str]"]),
    ),
    min_size=1,
    max_size=6,
    unique=True,
)
RETURNS = st.sampled_from(
    ["", " -> None", " -> dict[str, float | None]", " -> tuple[list[str], torch.Tensor]"]
)
ENDS = st.sampled_from(["", " from error"])
TARGETS = st.sampled_from(
    ["", "return ", "x = ", "self.layer = ", "rows, targets = ", "a: dict[str, int] = "]
)
CODE = st.one_of(
    st.builds(lambda start, name, items: f"{start}{name}({', '.join(items)})", TARGETS, DOTTED, ITEMS),
    st.builds(lambda start, items: f"{start}[{', '.join(items)}]", TARGETS.filter(bool), PLAIN),
    st.builds(
        lambda start, items: start + "{" + ", ".join(f'"k": {item}' for item in items) + "}",
        TARGETS.filter(bool),
        st.lists(VALUES, min_size=1, max_size=9),
    ),
    st.builds(
        lambda start, value, names, where: f"{start}[{value} for {names} in {where}]",
        TARGETS.filter(bool),
        VALUES,
        st.sampled_from(["x", "x, y"]),
        DOTTED,
    ),
    st.builds(lambda name, items, end: f"raise {name}({', '.join(items)}){end}", DOTTED, ITEMS, ENDS),
    st.builds(lambda name, items: f"for x, y in {name}({', '.join(items)}):\nPASS", DOTTED, ITEMS),
    st.builds(lambda items, returns: f"def f({', '.join(items)}){returns}:\nPASS", PARAMETERS, RETURNS),
    st.lists(WORDS, min_size=1, max_size=9).map(lambda names: f"from {names[0]} import {', '.join(names)}"),
)
ELEMENTS = st.one_of(
    st.builds(lambda name, items: f"{name}({', '.join(items)}),", DOTTED, ITEMS),
    st.builds(lambda name, items: f'"key": {name}({", ".join(items)}),', DOTTED, ITEMS),
)


@effort(max_examples=600)
@given(st.integers(0, 3), CODE)
def test_a_line_is_folded_as_black_folds_it(depth: int, code: str) -> None:
    starts = ["def f():", "    if x:", "        while y:"][:depth]
    if code.startswith("def "):  # elsewhere black wants an empty line around it
        starts, depth = (["class C:"], 1) if depth else ([], 0)
    indent = " " * 4 * depth
    lines = [f"{indent}{line}".replace("PASS", "    pass") for line in code.split("\n")]
    agree("\n".join([*starts, *lines, ""]))


@effort(max_examples=300)
@given(st.integers(0, 1), ELEMENTS)
def test_an_item_is_folded_as_black_folds_it(depth: int, code: str) -> None:
    opening, closing = ("{", "}") if code.startswith('"') else ("(", ")")
    indent = " " * 4 * depth
    start = f"{indent}x = {'call' if opening == '(' else ''}{opening}"
    agree("\n".join([*["def f():"][:depth], start, f"{indent}    {code}", f"{indent}{closing}", ""]))


def agree(text: str) -> None:
    """Where it folds a text at all, it folds it as black does."""
    try:
        wanted = by_black(text)
    except ValueError:  # a keyword after which a value stands by place
        return
    folded = fold(text)
    if folded is not None and any(len(line) > 88 for line in text.splitlines()):
        assert folded == wanted


@pytest.mark.parametrize(
    "code",
    [
        f"x = {'a' * 90}",
        f"x = call({'a' * 90})",
        f"x = call({'a' * 40}, {'b' * 40})  # why",
        f"x = first({'a' * 40}).then({'b' * 40})",
        f"x = [{'a' * 40} for {'b' * 20} in {'c' * 90}]",
        f"x = call(*{'a' * 60}, {'b' * 40})",
        f"x = call('{'漢' * 50}', 1)",
        f"assert call({'a' * 40}, {'b' * 40})",
        f"def call({'a' * 90}) -> None:",
        f'"""{"a" * 80}\n{"b" * 90}"""',
    ],
)
def test_what_it_does_not_know_is_left_to_black(code: str) -> None:
    assert fold(code) is None


@pytest.mark.parametrize(
    "text", [f"# {'a' * 90}\n", f'"""{"a" * 90}"""\n', f'"""a\n\n{"b" * 90}\n"""\n', "x = '漢字'\n"]
)
def test_what_black_leaves_alone_stays(text: str) -> None:
    assert fold(text) == text


# What is really called and loaded.


def test_a_text_is_formatted_once_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def by_black(text: str) -> str:
        texts.append(text)
        return text

    monkeypatch.setattr(formatting, "by_black", by_black)
    for _ in range(3):
        formatted("a.py", f"only_here = {'a' * 90}\n")
    assert len(texts) == 1


def test_what_does_not_compile_is_never_written() -> None:
    with pytest.raises(SyntaxError):
        formatted("dataset.py", "x = (\n")


NO_BLACK = """
import sys
from torchgen_scaffold.cli import cli
sys.modules["black"] = None  # importing it fails
cli(sys.argv[1:], prog_name="torchgen")
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--data", "sklearn:digits"],
        ["--input-shape", "1,28,28", "--output-shape", "10", "--task", "multiclass"],
        ["--data", "sklearn:diabetes", "--profile", "lesson"],
    ],
)
def test_new_writes_an_ordinary_project_without_black(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_BLACK, "new", "plain", *arguments, "--yes"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "torchgen")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
