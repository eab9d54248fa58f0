"""A kit's notebooks: valid, the same each time, run from top to bottom, and graded like the files."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest

from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.formatting import by_black
from torchgen_scaffold.kits import Kit, make_kit
from torchgen_scaffold.kits.cutting import flow_of, imports_of, with_marks, without_modules
from torchgen_scaffold.kits.notebook import notebooks
from torchgen_scaffold.kits.places import chosen_gaps
from torchgen_scaffold.kits.write import Wanted, planned, write_kit
from torchgen_scaffold.view.kit import Contents, KitView

PROJECTS: dict[str, dict[str, Any]] = {
    "digits": {"data": {"source": "sklearn:digits"}},
    "diabetes": {"data": {"source": "sklearn:diabetes"}},
    "sequence": {
        "input_shape": [12, 4],
        "output_shape": [3],
        "task": "multiclass",
        "model": {"preset": "lstm"},
    },
    "binary": {"input_shape": [6], "output_shape": [1], "task": "binary"},
}
MORE: dict[str, dict[str, Any]] = {
    "several": {"input_shape": [5], "output_shape": [3], "task": "multilabel"},
    "tokens": {"input_shape": [9], "output_shape": [2], "task": "multiclass", "model": {"vocab_size": 50}},
    "settings": {
        "input_shape": [1, 12, 12],
        "output_shape": [4],
        "task": "multiclass",
        "training": {"schedule": "onecycle", "clip_norm": 1.0, "patience": 3},
    },
}
# What nbgrader says of a cell's metadata (its documentation, "Cell metadata", schema version 3).
NBGRADER = {
    "type": "object",
    "properties": {
        "schema_version": {"const": 3},
        **{name: {"type": "boolean"} for name in ("grade", "locked", "solution", "task")},
        "grade_id": {"type": "string", "pattern": "^[a-zA-Z0-9_-]+$"},
        "points": {"type": "number", "minimum": 0},
    },
    "required": ["schema_version", "grade", "locked", "solution", "grade_id"],
    "additionalProperties": False,
    "if": {"properties": {"grade": {"const": True}}},
    "then": {"required": ["points"]},
    "else": {"not": {"required": ["points"]}},
}


@cache
def kit_of(name: str, level: int = 3) -> Kit:
    answers = {"name": name, **({**PROJECTS, **MORE}[name])}
    plan = planned(Wanted(answers, Path(), level), Path("kit"))
    return make_kit(plan, chosen_gaps(level), with_notebooks=True)


def book(files: Mapping[str, str], name: str) -> Any:
    return nbformat.reads(files[f"{name}.ipynb"], as_version=4)


def read(file: Path) -> Any:
    return nbformat.reads(file.read_text("utf-8"), as_version=4)


def code_of(files: Mapping[str, str], name: str) -> dict[str, str]:
    """{cell's id: its code}."""
    return {cell.id: cell.source for cell in book(files, name).cells if cell.cell_type == "code"}


# --- the format


@pytest.mark.parametrize("name", [*PROJECTS, *MORE])
@pytest.mark.parametrize("which", ["starter", "solution"])
def test_a_notebook_is_valid_and_written_as_nbformat_writes_it(name: str, which: str) -> None:
    text = kit_of(name).files[f"{which}/{name}.ipynb"]
    read = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(read)
    assert (read.nbformat, read.nbformat_minor) == (4, 5)
    assert nbformat.writes(read) + "\n" == text
    assert read.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", PROJECTS)
def test_a_notebook_is_the_same_each_time(name: str) -> None:
    again = make_kit(kit_of(name).plan, chosen_gaps(3), with_notebooks=True)
    assert again.files == kit_of(name).files


def test_without_the_flag_there_is_no_notebook() -> None:
    kit = make_kit(kit_of("digits").plan, chosen_gaps(3))
    assert not [name for name in kit.files if name.endswith(".ipynb")]


@pytest.mark.parametrize("name", [*PROJECTS, *MORE])
def test_cells_are_laid_out_by_black_and_nothing_of_a_command_line_is_left(name: str) -> None:
    cells = code_of(kit_of(name).solution, name)
    for source in cells.values():
        assert by_black(source) == source + "\n"
    whole = "\n".join(cells.values())
    assert "__file__" not in whole
    assert "argparse" not in whole
    assert "__name__ ==" not in whole
    assert not [line for line in whole.splitlines() if line.startswith(("from model", "import train"))]


# --- nbgrader


@pytest.mark.parametrize("name", PROJECTS)
@pytest.mark.parametrize("which", ["starter", "solution"])
def test_the_marks_are_those_of_nbgrader(name: str, which: str) -> None:
    marks = [
        cell.metadata.nbgrader
        for cell in book(getattr(kit_of(name), which), name).cells
        if "nbgrader" in cell.metadata
    ]
    for mark in marks:
        jsonschema.validate(mark, NBGRADER)
        assert not (mark["solution"] and mark["locked"]), "nbgrader would write over an answer"
    ids = [mark["grade_id"] for mark in marks]
    assert len(ids) == len(set(ids))
    assert any(mark["grade"] and mark["locked"] for mark in marks), "tests that give points"


@pytest.mark.parametrize("name", [*PROJECTS, *MORE])
def test_the_points_of_the_gaps_are_given_once(name: str) -> None:
    kit = kit_of(name)
    facts = json.loads(kit.grader["kit.json"])
    points = [cell.metadata.nbgrader.get("points", 0) for cell in marked(kit.starter, name)]
    assert sum(points) == sum(gap["points"] for gap in facts["gaps"])


def marked(files: Mapping[str, str], name: str) -> list[Any]:
    return [cell for cell in book(files, name).cells if "nbgrader" in cell.metadata]


def test_each_gap_has_a_cell_of_its_own_that_may_be_edited() -> None:
    kit = kit_of("digits")
    answers = [cell for cell in marked(kit.starter, "digits") if cell.metadata.nbgrader.solution]
    opened = [
        cell for cell in book(kit.starter, "digits").cells if "raise NotImplementedError" in cell.source
    ]
    assert answers == opened
    assert sum(cell.source.count("raise NotImplementedError") for cell in opened) == 12  # of ten gaps


@pytest.mark.parametrize("name", [*PROJECTS, *MORE])
def test_nbgrader_makes_the_starter_of_the_solution(name: str) -> None:
    """What lies between its marks is cut out by nbgrader; the rest is the starter's cell, but for the line that raises."""
    kit = kit_of(name)
    starter = {cell.id: cell.source for cell in marked(kit.starter, name)}
    for cell in marked(kit.solution, name):
        said = [line for line in starter[cell.id].splitlines() if "raise NotImplementedError" not in line]
        assert released(cell.source) == said


def released(source: str) -> list[str]:
    """The lines of a cell without its answers."""
    lines, answer = [], False
    for line in source.splitlines():
        if line.strip() == "### BEGIN SOLUTION":
            assert not answer, "marks do not nest"
            answer = True
        elif line.strip() == "### END SOLUTION":
            assert answer
            answer = False
        elif not answer:
            lines.append(line)
    assert not answer, "each mark is closed"
    return lines


@pytest.mark.parametrize("name", PROJECTS)
def test_a_starters_notebook_has_no_code_that_its_files_do_not_have(name: str) -> None:
    kit = kit_of(name)
    given = {
        line.strip()
        for file, text in kit.starter.items()
        if file.endswith(".py")
        for line in text.splitlines()
    }
    answers = {
        line.strip()
        for file in ("dataset.py", "model.py", "eval.py", "train.py")
        for line in kit.solution[file].splitlines()
    } - given
    assert len(answers) > 20
    told = {line.strip() for source in code_of(kit.starter, name).values() for line in source.splitlines()}
    assert not told & answers


# --- it follows the files


def test_the_run_is_the_main_of_the_script() -> None:
    script = '''
import argparse

def main() -> None:
    """Do it; then stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--log-every", default="é")
    settings = parser.parse_args()

    # As often as said.
    for epoch in range(settings.epochs):
        print("é", settings.log_every)
        # done
    print("Next: python eval.py")
'''
    said, flow = flow_of(script)
    assert said == "Do it; then stop."
    assert flow == (
        '# As often as said.\nfor epoch in range(EPOCHS):\n    print("é", "é")\n    # done\nprint("Next: Evaluate")'
    )


def test_a_script_without_main_runs_nothing() -> None:
    assert flow_of("SEED = 0\n") == ("", "")


def test_imports_are_gathered_in_the_order_of_a_file() -> None:
    texts = [
        "import torch\nfrom torch import nn\nfrom model import Model\n",
        "import train\nimport numpy as np\nfrom typing import Any, NamedTuple\nfrom torch import optim, nn\n",
    ]
    used = {"torch", "nn", "Any", "np", "Model", "train"}
    assert imports_of(texts, used, {"model", "train"}) == (
        "from typing import Any\n\nimport numpy as np\nimport torch\nfrom torch import nn"
    )


def test_modules_of_the_project_become_names() -> None:
    text = (
        "import sys\nimport train\n\ntrain.run(train, sys.argv)\n\n\n"
        'def test_it(patch):\n    patch.setattr("eval.PATH", train.PATH)\n    open("train.py")\n\n\n'
        "def test_split():\n    train, val = cut()\n    assert train.max() < val.min()\n"
    )
    assert without_modules(text, {"train", "eval"}).splitlines()[3:] == [
        "run(sys.modules[__name__], sys.argv)",
        *("", "", "def test_it(patch):", '    patch.setattr("__main__.PATH", PATH)', '    open("train.py")'),
        *("", "", "def test_split():", "    train, val = cut()", "    assert train.max() < val.min()"),
    ]


def test_answers_are_marked_where_the_starter_differs() -> None:
    solution = "def f():\n    a = 1\n    b = 2\n    return a\n\n\ndef g():\n    return 1\n"
    starter = "def f():\n    a = 1\n    # TODO b\n    raise X\n    return a\n\n\ndef g():\n    return 1\n"
    assert with_marks(starter, solution, ["f"]) == (
        "def f():\n    a = 1\n    # TODO b\n    ### BEGIN SOLUTION\n    b = 2\n    ### END SOLUTION\n    return a\n"
        "\n\ndef g():\n    return 1\n"
    )


def test_a_starter_with_mistakes_in_place_of_gaps_has_no_answer_cells() -> None:
    """nbgrader would cut out the very code that is to be mended."""
    kit = kit_of("digits")
    planted = {name: text.replace("optimizer.zero_grad()", "pass") for name, text in kit.solution.items()}
    planted["test_gaps.py"] = kit.starter["test_gaps.py"]
    starter, solution = notebooks(
        lambda places: KitView(kit.plan, Contents(dict(places), kit.solution)),
        kit.places,
        planted,
        kit.solution,
        None,
    )
    for text in (starter, solution):
        assert "BEGIN SOLUTION" not in text
        marks = [cell.metadata.nbgrader for cell in marked({"a.ipynb": text}, "a")]
        assert marks
        assert not [mark for mark in marks if mark.solution]


def test_two_things_of_one_name_are_refused() -> None:
    kit = kit_of("digits")
    files = {name: text for name, text in kit.starter.items() if name.endswith(".py")}
    clashing = {**files, "model.py": files["model.py"] + "\n\ndef statistics() -> None:\n    pass\n"}
    with pytest.raises(SpecError, match="two things called statistics"):
        notebooks(
            lambda places: KitView(kit.plan, Contents(dict(places), kit.solution)),
            kit.places,
            clashing,
            kit.solution,
            None,
        )


# --- it runs

# Warnings are errors; but ipykernel itself does, when it ends, what it warns of. Its debugger is not needed.
QUIET = {
    "PYTHONWARNINGS": "error,ignore::PendingDeprecationWarning",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "OMP_NUM_THREADS": "1",
}


def executed(folder: Path, notebook: Any, *, allow_errors: bool = False) -> dict[str, Any]:
    """{cell's id: the cell as it was run} of a notebook in a folder."""
    from nbclient import NotebookClient

    for cell in notebook.cells:
        if cell.id == "train-EPOCHS":
            cell.source += "\nEPOCHS = 2"
    client = NotebookClient(
        notebook, timeout=60, allow_errors=allow_errors, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, **QUIET})
    return {cell.id: cell for cell in notebook.cells}


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.parametrize("name", PROJECTS)
def test_a_solution_runs_from_top_to_bottom(name: str, tmp_path: Path) -> None:
    cells = executed(tmp_path, book(kit_of(name).solution, name))
    *_, said = printed(cells["tests-all"]).splitlines()
    assert re.fullmatch(r"(\d+) of \1 public tests passed; hidden tests run at grading\.", said)
    assert "epoch   2  train loss" in printed(cells["run-train-py"])
    assert printed(cells["run-eval-py"]).startswith("loss      0.") or name == "diabetes"
    assert ("rmse" if name == "diabetes" else "accuracy") in printed(cells["run-eval-py"])
    assert (tmp_path / "checkpoint.pt").is_file()


@pytest.mark.parametrize("level", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_starter_stops_at_its_first_gap_and_names_it(level: int, tmp_path: Path) -> None:
    """Definitions run; what calls a gap says which, and the summary of the tests runs all the same."""
    cells = executed(tmp_path, book(kit_of("digits", level).starter, "digits"), allow_errors=True)
    failed = {name: cell.outputs[-1].evalue for name, cell in cells.items() if failed_in(cell)}
    assert failed["run-train-py"] == {1: "gap 5: the loss", 3: "gap 10: the device"}[level]
    shown = {"show-dataset": "gap 1: tensors and dtypes", "show-model": "gap 3: the layers and their sizes"}
    assert shown.items() <= failed.items() if level == 3 else not shown.keys() & failed.keys()
    assert failed["tests-step"] == "no public test of this gap passes yet"
    *_, said = printed(cells["tests-all"]).splitlines()
    passed, ran = re.findall(r"\d+", said)
    assert int(passed) < int(ran)
    assert "NotImplementedError: gap " in printed(cells["tests-all"])
    tests = {name for name in cells if name.startswith("tests-")} - {"tests-all", "tests-helpers"}
    assert set(failed) <= {"run-train-py", "run-eval-py", *shown, *tests}


def failed_in(cell: Any) -> bool:
    return cell.cell_type == "code" and any(output.output_type == "error" for output in cell.outputs)


# --- it is graded


def graded(kit: Path, submission: Path) -> dict[str, Any]:
    """{test: its result} as the kit's own grader gives it."""
    results = submission / "results.json"
    command = [
        sys.executable,
        "-W",
        "error",
        str(kit / "grader/grade.py"),
        str(submission),
        "-o",
        str(results),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr
    return {test["name"]: test for test in json.loads(results.read_text("utf-8"))["tests"]}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit of the digits, with the gaps that have checks."""
    folder = tmp_path_factory.mktemp("class") / "kit"
    answers = {"name": "digits", "data": {"source": "sklearn:digits"}}
    write_kit(Wanted(answers, Path(), 2, "4,7", notebook=True), folder)
    return folder


def submission_of(folder: Path, text: str) -> Path:
    """A folder that holds one notebook, and nothing else."""
    folder.mkdir()
    (folder / "mine.ipynb").write_text(text, "utf-8")
    return folder


def test_the_solutions_notebook_gets_all_points_and_the_starters_none(kit: Path, tmp_path: Path) -> None:
    for which, share in (("solution", 1), ("starter", 0)):
        text = (kit / which / "digits.ipynb").read_text("utf-8")
        results = graded(kit, submission_of(tmp_path / which, text)).values()
        assert len(results) > 5
        for result in results:
            assert result["score"] == share * result["max_score"], result
            assert share or "is still open" in result["output"]


def test_a_notebook_is_graded_by_what_it_defines(kit: Path, tmp_path: Path) -> None:
    """With helpers, imports and constants of its own, magic lines, a second try further down, and runs that stop."""
    notebook = read(kit / "solution/digits.ipynb")
    cells = {cell.id: cell for cell in notebook.cells}
    later = cells["model-Model"].copy()
    cells["model-Model"].source = cells["model-Model"].source.replace("self.features(x)", "None")
    cells[
        "imports"
    ].source += (
        "\n\nHALF = 0.5\n\n\ndef given(model: Model, inputs: object) -> object:\n    return model(inputs)\n"
    )
    step = cells["train-train-epoch"]
    step.source = "%time\n!pip list\nimport math as maths\n\n" + step.source.replace(
        "= model(inputs)", "= given(model, inputs)"
    ).replace("+= loss.item() * len(inputs)", "+= loss.item() * len(inputs) * maths.ceil(HALF)")
    cells["run-train-py"].source = "raise SystemExit(1)"
    notebook.cells.append(later | {"id": "again"})
    results = graded(kit, submission_of(tmp_path / "own", json.dumps(notebook)))
    assert [result for result in results.values() if result["score"] < result["max_score"]] == []


# --- the grader's module, without running what it reads


@pytest.fixture(scope="module")
def grader(kit: Path) -> Iterator[Any]:
    """Its notebook.py and compose.py."""
    sys.path.insert(0, str(kit / "grader"))
    try:
        yield importlib.import_module("notebook"), importlib.import_module("compose")
    finally:
        sys.path.remove(str(kit / "grader"))
        for name in ("notebook", "compose"):
            sys.modules.pop(name, None)


def reference_of(kit: Path) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in (kit / "grader/reference").glob("*.py")}


def test_a_cell_that_is_no_python_costs_its_own_gap(kit: Path, grader: Any) -> None:
    read_by, compose = grader
    notebook = read(kit / "solution/digits.ipynb")
    for cell in notebook.cells:
        cell.source = cell.source.replace("optimizer.step()", "optimizer.step(")
    files = read_by.files_of(json.dumps(notebook), reference_of(kit))
    forward, step = json.loads((kit / "grader/kit.json").read_text("utf-8"))["gaps"]
    assert "self.features(x)" in compose.compose(reference_of(kit), files, forward)["model.py"]
    with pytest.raises(compose.Unusable, match=r"^train\.py, line \d+ is no Python: "):
        compose.compose(reference_of(kit), files, step)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"cells": [1]}',
        "[" * 100_000,
        '{"cells": [{"cell_type": "code", "source": [1]}]}',
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_notebook_gives_no_files(kit: Path, grader: Any, text: str) -> None:
    assert grader[0].files_of(text, reference_of(kit)) == {}


def test_what_is_no_definition_is_not_run_at_grading(kit: Path, grader: Any) -> None:
    text = (kit / "solution/digits.ipynb").read_text("utf-8")
    for name, file in grader[0].files_of(text, reference_of(kit)).items():
        compile(file, name, "exec", dont_inherit=True)
        for left_out in ("load_splits(SEED)", 'float("inf")', "show_model()", "passing("):
            assert left_out not in file
    assert set(grader[0].files_of(text, reference_of(kit))) == set(reference_of(kit))


def test_of_files_and_a_notebook_the_one_with_fewer_gaps_open_counts(
    kit: Path, grader: Any, tmp_path: Path
) -> None:
    """A starter has both, and a learner fills one."""
    for filled, left in (("digits.ipynb", ".py"), (".py", "digits.ipynb")):
        folder = tmp_path / filled.strip(".")
        folder.mkdir()
        for which, ending in (("solution", filled), ("starter", left)):
            for file in (kit / which).glob(f"*{ending}"):
                (folder / file.name).write_bytes(file.read_bytes())
        files = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
        counted = grader[0].submitted(files, reference_of(kit))
        assert "loss.backward()" in counted["train.py"]
        assert "self.features(x)" in counted["model.py"]
