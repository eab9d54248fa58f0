"""Text from outside never becomes code: whatever it holds, only constants of the output differ.

Every field that takes outside text gets hostile strings. Each generated Python file must have the syntax tree of its
harmless twin but for constants; TOML and YAML must parse back to the same values; Markdown must keep its tables; every
path must resolve inside the project. Nothing is mocked. What cannot stand somewhere is refused with a SpecError.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from torchgen_scaffold import Spec, SpecError, TorchgenError, generate, plan
from torchgen_scaffold.create import create
from torchgen_scaffold.layers.text import parse_layers
from torchgen_scaffold.names import project_name_problem
from torchgen_scaffold.render import render

HOSTILE = [
    "'",
    '"',
    "'''",
    '"""',
    "\\",
    "\\\\",
    "\\'",
    '\\"',
    "a\\",
    "\\N{BULLET}",
    "\\x41\\u0041",
    '"""\nimport os\n"""',
    "'); import os; ('",
    "\n",
    "\r",
    "\r\n",
    "a\nb = 1",
    "\nimport os\n",
    "\x0b\x0c\x1c\x85\u2028\u2029",
    "\0",
    "\x1b[31m",
    "\x7f",
    "\t",
    " ",
    "{}",
    "{0}",
    "{{ 7*7 }}",
    "{{ plan.__class__ }}",
    "{% raw %}",
    "{% endraw %}{{ 1 }}",
    "{# comment #}",
    "{% include 'x' %}",
    "${{ secrets.TOKEN }}",
    "$x$",
    "$(rm -rf .)",
    "`id`",
    "``",
    "%s%(x)s",
    "f'{x}'",
    "# type: ignore",
    "# noqa",
    "# fmt: off",
    "# -*- coding: utf-7 -*-",
    "#!",
    "|",
    "a | b || c",
    "</script><script>alert(1)</script>",
    "<!-- -->",
    "[x](javascript:1)",
    "![x](y)",
    "- a: b",
    "&anchor *alias !!python/object:os.system",
    "? : , [ ] { }",
    "---",
    "...",
    "yes",
    "null",
    "~",
    "=",
    "[table]",
    "a = 1",
    "\u202e\u2066x\u2069",
    "\u200b\ufeff\u00ad",
    "é\u0301 日本 😀",
    "ﬁ",
    "\ud800",
    "\udcff",
    "\ud83d\ude00",
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\x",
    "CON",
    ".git/hooks/x",
    "-rf",
    "--help",
    "__import__('os').system('true')",
    "x" * 4000,
    "y" * 5000,
    "|" * 500,
    "1",
    "01",
    "--2",
    "1e999",
    "nan",
]

any_text = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE[:80]), min_size=2, max_size=4).map("".join),
    st.text(min_size=1, max_size=30),
    st.text("\\\"'{}%#\n|`$<&*-: \u202e", min_size=1, max_size=20),
)


class Blank(ast.NodeTransformer):
    """A tree without its constants; what a list of names holds is nothing but their number."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(type(node.value).__name__)


def shape_of(text: str) -> str:
    return ast.dump(Blank().visit(ast.parse(text)))


def comments_of(text: str) -> list[str]:
    """The comments, in which nothing from outside has a place."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def table_rows(text: str) -> list[int]:
    """The number of cells of every table row: a pipe is a border unless it is escaped."""
    return [
        len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.lstrip().startswith("|")
    ]


def structure(value: object) -> object:
    """A YAML or TOML value without its texts."""
    if isinstance(value, dict):
        return {key: structure(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [structure(inner) for inner in value]
    return type(value).__name__


def rendered(spec: Spec) -> dict[str, str]:
    """The files as the templates give them: black moves white space only, and takes most of the time."""
    return render(plan(spec))


def check(spec: Spec, harmless: Mapping[str, str], files: Mapping[str, str] | None = None) -> None:
    """Nothing but constants of these files differs from the harmless ones."""
    files = files or rendered(spec)
    assert list(files) == list(harmless)
    root = Path("/nowhere/project")
    for path, text in files.items():
        assert (root / path).resolve().is_relative_to(root)
        text.encode("utf-8")
        if path.endswith(".py"):
            assert shape_of(text) == shape_of(harmless[path]), path
            assert comments_of(text) == comments_of(harmless[path]), path
        elif path.endswith(".toml"):
            assert tomllib.loads(text) == tomllib.loads(spec.to_toml())
            home = Path(spec.name)
            assert Spec.from_dict(tomllib.loads(text), base=home, home=home).to_dict() == spec.to_dict()
        elif path.endswith(".yml"):
            assert structure(yaml.safe_load(text)) == structure(yaml.safe_load(harmless[path]))
        elif path.endswith(".md"):
            assert table_rows(text) == table_rows(harmless[path])
            assert len(text.splitlines()) == len(harmless[path].splitlines())
        else:
            assert text == harmless[path], path


def answers_of(source: str, **changes: Any) -> dict[str, Any]:
    """A complete torchgen.toml with recorded facts, so that no file is needed."""
    data: dict[str, Any] = {"source": source, "samples": 50}
    base: dict[str, Any] = {"name": "project", "task": "multiclass", "output_shape": [3]}
    if source.startswith("csv"):
        data |= {
            "columns": ["a", "b"],
            "target": ["kind"],
            "classes": ["x", "y", "z"],
            "counts": [20, 20, 10],
        }
        base["input_shape"] = [2]
    elif source.startswith("images"):
        data |= {"classes": ["x", "y", "z"], "counts": [20, 20, 10]}
        base["input_shape"] = [1, 8, 8]
    else:
        data |= {"classes": ["x", "y", "z"], "counts": [20, 20, 10]}
        base["input_shape"] = [5]
    task = changes.pop("task", None)
    if task:
        base["task"] = task
    if task == "regression":
        base["output_shape"] = [1]
        data.pop("classes"), data.pop("counts")
    if task == "multilabel":
        base["output_shape"] = [3]
        data["target"] = ["x", "y", "z"]
    project = {"profile": changes.pop("profile", "standard"), "ci": changes.pop("ci", "github")}
    return {**base, "data": data | changes, "project": project}


Put = Callable[[str], dict[str, Any]]
FIELDS: dict[str, Put] = {
    "csv path": lambda text: answers_of(f"csv:{text}"),
    "npz path": lambda text: answers_of(f"npz:{text}", ci="gitlab"),
    "images path": lambda text: answers_of(f"images:{text}", profile="lesson"),
    "csv column": lambda text: answers_of("csv:d.csv", columns=["a", text]),
    "csv target": lambda text: answers_of("csv:d.csv", target=[text]),
    "csv regression target": lambda text: answers_of("csv:d.csv", task="regression", target=[text]),
    "csv labels": lambda text: answers_of(
        "csv:d.csv", task="multilabel", target=["x", "y", text], classes=["x", "y", text], profile="lesson"
    ),
    "csv class": lambda text: answers_of(
        "csv:d.csv", classes=["x", text, "z"], profile="lesson", ci="gitlab"
    ),
    "npz class": lambda text: answers_of("npz:d.npz", classes=["x", text, "z"]),
    "images class": lambda text: answers_of("images:d", classes=["x", text, "z"]),
    "all at once": lambda text: answers_of(
        f"csv:{text}", columns=["a", text], target=[text + "t"], classes=[text, "y", text + "c"]
    ),
}


@pytest.fixture(scope="module")
def harmless() -> dict[str, dict[str, str]]:
    return {field: rendered(Spec.from_dict(put("harmless"))) for field, put in FIELDS.items()}


def check_field(field: str, text: str, harmless: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether the text was taken; it must be harmless then, and a SpecError otherwise."""
    try:
        spec = Spec.from_dict(FIELDS[field](text))
    except SpecError as error:
        assert all(problem.instead for problem in error.problems)
        return False
    check(spec, harmless[field])
    return True


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_strings(field: str, harmless: dict[str, dict[str, str]]) -> None:
    strings = HOSTILE if field in ("csv path", "csv column", "npz class") else HOSTILE[1::2]
    taken = [text for text in strings if check_field(field, text, harmless)]
    assert len(taken) > len(strings) * 0.8, "nearly everything is text like any other"


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_strings_as_they_are_formatted(field: str, harmless: dict[str, dict[str, str]]) -> None:
    text = "".join(text for text in HOSTILE if not re.search("[\ud800-\udfff\0]", text) and len(text) < 100)
    spec = Spec.from_dict(FIELDS[field](text))
    files = generate(spec)
    check(spec, harmless[field], files)
    wanted = [spec.data.place, *spec.data.columns, *spec.data.classes, *spec.data.target]
    constants = {
        node.value for node in ast.walk(ast.parse(files["dataset.py"])) if isinstance(node, ast.Constant)
    }
    assert set(wanted) <= constants


@settings(max_examples=100)
@example("csv path", "a\nb")
@given(st.sampled_from(sorted(FIELDS)), any_text)
def test_any_text(harmless: dict[str, dict[str, str]], field: str, text: str) -> None:
    check_field(field, text, harmless)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("text", ["\ud800", "a\udcff", "y" * 5000])
def test_what_no_file_can_hold_is_refused(field: str, text: str) -> None:
    with pytest.raises(SpecError):
        Spec.from_dict(FIELDS[field](text))


@pytest.mark.parametrize("field", ["csv path", "npz path", "images path"])
def test_no_path_has_a_nul(field: str) -> None:
    with pytest.raises(SpecError, match="no NUL"):
        Spec.from_dict(FIELDS[field]("a\0b"))


# --- names and layers take no free text at all


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_a_plain_word(text: str) -> None:
    if project_name_problem(text) is None:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text)
    else:
        with pytest.raises(SpecError):
            Spec.from_dict({**answers_of("npz:d.npz"), "name": text})


LAYER_TEXTS = [
    *HOSTILE,
    *(f"conv(8, {text})" for text in HOSTILE),
    *(f"conv(8, 3, padding_mode={text!r})" for text in HOSTILE),
    *(f"{text} -> relu" for text in HOSTILE),
    "conv(8, __import__('os').system('true'))",
    "conv(8, [3 for x in (1,)][0])",
    "conv(*[8, 3])",
    "conv(**{'kernel_size': 3})",
    "conv(8, 3)(1)",
    "conv(8, 3) if 1 else 2",
    "conv(8, 3); import os",
    "conv(8, 3) # comment",
    "conv(8, 3)\n# noqa",
    "conv(8, (lambda: 3)())",
    "conv(" + "(" * 400 + ")",
    "conv(8, " + "-" * 400 + "3)",
    "conv(8, 3j)",
    "conv(8, b'x')",
    "conv(8, ...)",
    "conv(8, f'{1}')",
    "relu.__class__",
]


@pytest.mark.parametrize("number", range(len(LAYER_TEXTS)))
def test_layers_are_literals(number: int) -> None:
    text = LAYER_TEXTS[number]
    try:
        spec = Spec.from_dict({**answers_of("images:d"), "model": {"layers": text}})
    except SpecError as error:
        str(error).encode("utf-8", "backslashreplace")
        return
    # What was taken says the same when it is written out again: no text of the person's is left in it.
    again = " -> ".join(str(call) for call in spec.model.layers)
    assert parse_layers(again) == spec.model.layers
    assert re.fullmatch(r"[a-z0-9_(), .='>\-]*", again, re.IGNORECASE)
    model = rendered(spec)["model.py"]
    names = {node.id for node in ast.walk(ast.parse(model)) if isinstance(node, ast.Name)}
    assert not names & {"os", "__import__", "eval", "exec"}


# --- through real files


def names_for_files() -> list[str]:
    """Strings that this disk can hold as the name of a folder."""
    plain = [
        text
        for text in HOSTILE
        if "\0" not in text and "/" not in text and len(text.encode("utf-8", "replace")) < 200
    ]
    return [text for text in plain if text not in (".", "..", "...") and not text.startswith(".")]


def test_hostile_class_folders(tmp_path: Path) -> None:
    taken = 0
    twin = rendered(Spec.from_dict(answers_of("images:d")))
    for number, text in enumerate(names_for_files()):
        folder = tmp_path / str(number) / "d"
        for name in ("x", "z", text):
            try:
                (folder / name).mkdir(parents=True, exist_ok=True)
            except (OSError, ValueError):
                break
            for index in range(4 if name != text else 5):
                Image.new("L", (8, 8)).save(folder / name / f"{index}.png")
        else:
            answers = {"name": "project", "data": {"source": "images:d"}, "project": {"ci": "github"}}
            try:
                spec = Spec.from_dict(answers, base=folder.parent)
            except SpecError as error:
                assert "surrogate" in str(error)
                continue
            assert text in spec.data.classes
            files = rendered(spec)
            tree = ast.parse(files["dataset.py"])
            (classes,) = (
                ast.literal_eval(node.value)
                for node in tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CLASSES"
            )
            assert tuple(classes) == spec.data.classes
            assert shape_of(files["dataset.py"]) == shape_of(twin["dataset.py"])
            taken += 1
    assert taken > 40


def csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def test_hostile_csv_files(tmp_path: Path) -> None:
    twin = None
    for text in ["harmless", *HOSTILE]:
        if re.search("[\ud800-\udfff\0]", text):
            continue
        lines = [f"a,{csv_cell(text)},{csv_cell(text + 't')}"]
        lines += [f"{n},{n % 7},{csv_cell(['x', 'y', text + 'c'][n % 3])}" for n in range(30)]
        (tmp_path / "d.csv").write_text("\n".join(lines), "utf-8", newline="")
        answers = {
            "name": "project",
            "data": {"source": "csv:d.csv", "target": [text + "t"]},
            "project": {"ci": "gitlab"},
        }
        try:
            spec = Spec.from_dict(answers, base=tmp_path)
        except SpecError as error:
            assert text.strip() == "" or len(text) > 4000, error
            continue
        assert (text.strip() or "Unnamed: 1") in spec.data.columns
        assert (text + "t").strip() in spec.data.target
        assert (text + "c").strip() in spec.data.classes
        twin = twin or rendered(spec)
        check(spec, twin)


def test_hostile_npz_labels(tmp_path: Path, harmless: dict[str, dict[str, str]]) -> None:
    for text in HOSTILE:
        if "\0" in text:  # numpy pads its strings with NULs
            continue
        labels = np.array([text, "other", "third"] * 10)
        np.savez(tmp_path / "d.npz", X=np.zeros((30, 5)), y=labels)
        answers = {"name": "project", "data": {"source": "npz:d.npz"}, "project": {"ci": "github"}}
        try:
            spec = Spec.from_dict(answers, base=tmp_path)
        except SpecError as error:
            assert "class cannot be called" in str(error)
            continue
        assert set(spec.data.classes) == {text, "other", "third"}
        check(spec, harmless["npz class"])


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\0" not in text][::2])
def test_hostile_output_directories(tmp_path: Path, text: str) -> None:
    """The folder of the project is anybody's text; the files land in it or nowhere."""
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / text.lstrip("/").replace("..", "__")
    (tmp_path / "d.csv").write_text("a,b\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(20)))
    answers = {"name": "project", "data": {"source": "csv:d.csv", "target": "b"}}
    before = sorted(path.name for path in tmp_path.iterdir())
    try:
        made = create(answers, base=tmp_path, output_dir=output)
    except TorchgenError as error:
        assert error.exit_code == 2
        assert not any((tmp_path / "out").rglob("*.py"))
    else:
        assert all((made.path / name).resolve().is_relative_to(made.path.resolve()) for name in made.files)
        assert (made.path / made.plan.spec.data.place).is_file()
        if text.isprintable():
            assert made.to_dict()["next"][0].startswith("cd ")
        for name in made.files:
            if name.endswith(".py"):
                ast.parse((made.path / name).read_text("utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
