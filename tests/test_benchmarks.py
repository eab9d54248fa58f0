"""The benchmarks compare identical work, and say what they measured. How long anything takes is not looked at here."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from benchmarks import generate, memory, page, scale, start, train
from benchmarks.__main__ import BENCHMARKS, main, make_parser, typed
from benchmarks.cells import CELLS, MAP, Cell, answers_of, project_of, samples_for, train_rows
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.work import Clock, Task, in_order, load
from benchmarks.machine import installed, sentence
from benchmarks.many import answers, make
from benchmarks.plot import draw
from benchmarks.processes import ROOT, rounds_of, run
from benchmarks.report import Group, Report, Row, from_json
from benchmarks.table import amount, plain, ratio
from benchmarks.templates import NAME, as_template, files_of
from projects import inside
from torchgen_scaffold import Spec, plan

MACHINE: dict[str, str | int] = {
    "cpu": "Some CPU",
    "cores": 2,
    "system": "Linux",
    "python": "3.11",
    "torch": "2.13",
}
BARS = Group(
    "an epoch", "s", [Row("canonical", [2.0, 4.0, 3.0]), Row("torchgen", [1.5])], ["canonical", "tight"]
)
LINE = Group("against rows", "MiB", [Row("1", [200.0], 1), Row("10", [300.0, 500.0], 10)], ["1"], "rows")
REPORT = Report("train", "python -m benchmarks train", MACHINE, [BARS, LINE], ["a note"])


# What can be typed.


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_has_its_flags_and_the_common_ones(name: str) -> None:
    told = make_parser().parse_args([name, "--json", "--plot", "x.png"])
    assert told.json == "-"
    assert told.plot == Path("x.png")
    assert make_parser().parse_args([name, "--json", "x.json"]).json == "x.json"
    assert make_parser().parse_args([name]).json is None


def test_cells_and_contenders_go_by_name() -> None:
    told = make_parser().parse_args(["train", "--cells", "mlp,map", "--contenders", "tight,torchgen"])
    assert [cell.name for cell in told.cells] == ["mlp", *(cell.name for cell in MAP)]
    assert told.contenders == ["tight", "torchgen"]
    assert len(make_parser().parse_args(["train", "--cells", "all"]).cells) == len(CELLS)
    for flags in (["--cells", "mpl"], ["--contenders", "keras"], ["--device", "tpu"]):
        with pytest.raises(SystemExit):
            make_parser().parse_args(["train", *flags])


def test_the_command_that_is_told_says_nothing_of_where_results_went() -> None:
    assert (
        typed(["train", "--json", "a b.json", "--cells", "map"]) == "python -m benchmarks train --cells map"
    )
    assert typed(["start", "--json", "--rounds", "1"]) == "python -m benchmarks start --rounds 1"
    assert typed(["start", "--rounds", "1", "--plot=x.png"]) == "python -m benchmarks start --rounds 1"


# What comes out.


def test_medians_and_ratios() -> None:
    assert BARS.rows[0].median == 3.0
    assert BARS.ratios(BARS.rows[1]) == {"canonical": 0.5}  # tight was not measured
    assert amount(0.0123, "s") == "12.3 ms"
    assert amount(1234.5, "MiB") == "1,234 MiB"
    assert [ratio(value) for value in (0.054, 0.43, 12.34, 123.4)] == ["0.054 ×", "0.43 ×", "12.3 ×", "123 ×"]


def test_a_report_is_read_back_from_its_json() -> None:
    again = from_json(REPORT.to_json())
    assert again.to_json() == REPORT.to_json()
    row = json.loads(REPORT.to_json())["groups"][0]["rows"][1]
    assert row == {
        "name": "torchgen",
        "values": [1.5],
        "x": None,
        "median": 1.5,
        "ratios": {"canonical": 0.5},
    }


def test_the_table_has_the_machine_every_row_and_its_ratio() -> None:
    told = plain(REPORT)
    assert sentence(MACHINE) in told
    assert re.search(r"torchgen\s+1\.50 s\s+once\s+0\.50 ×", told)
    assert "÷ tight" not in told
    assert told.endswith("a note")


@pytest.mark.parametrize("groups", [[BARS], [BARS] * 3, [LINE] * 4, [BARS] * 12], ids=len)
def test_a_picture_is_a_png_as_wide_as_a_readme(groups: list[Group], tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    draw(Report("train", "x", MACHINE, groups), path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    assert 800 <= width <= 1200
    assert 150 <= height <= 1500


def test_each_round_has_everything_and_begins_elsewhere() -> None:
    assert list(rounds_of("ab", 2, "letters")) == [(0, "a"), (0, "b"), (1, "b"), (1, "a")]


# Runs, as small as they can be.


def measured(tmp_path: Path, *arguments: str) -> Report:
    """What `python -m benchmarks` wrote: JSON whose every row has values above zero, and a picture."""
    out, picture = tmp_path / "out.json", tmp_path / "out.png"
    main([*arguments, "--json", str(out), "--plot", str(picture)])
    report = from_json(out.read_text(encoding="utf-8"))
    assert report.name == arguments[0]
    assert set(report.machine) >= {"cpu", "cores", "python", "torch"}
    assert all(min(row.values) > 0 for group in report.groups for row in group.rows)
    assert picture.is_file()
    return report


def names(group: Group) -> list[str]:
    return [row.name for row in group.rows]


def test_generate(tmp_path: Path) -> None:
    report = measured(tmp_path, "generate", "--rounds", "1", "--count", "2", "--loops", "1")
    processes, loop = report.groups
    found = [maker for maker in generate.MAKERS if installed(maker)]
    assert names(processes)[2:] == ["torchgen --help", "torchgen plan", "torchgen new", *found]
    assert names(loop) == ["files merely written", "made through the Python API"]


def test_train(tmp_path: Path) -> None:
    few = ["--rounds", "1", "--epochs", "2", "--rows", "90"]
    report = measured(tmp_path, "train", "--cells", "mlp", "--contenders", "canonical,torchgen", *few)
    (group,) = report.groups
    assert names(group) == ["canonical", "torchgen"]
    assert [len(row.values) for row in group.rows] == [2, 2]  # without the one that warms up
    assert "90 rows in batches of 64, cpu" in group.title


def test_what_is_not_installed_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "installed", lambda distribution: None)
    monkeypatch.setattr(train, "epochs_of", lambda *arguments: ([3.0, 1.0], [0.0, 0.0]))
    report = measured(tmp_path, "train", "--cells", "linear-row", "--rounds", "1")
    assert names(report.groups[0]) == ["canonical", "tight", "torchgen"]
    assert "lightning, ignite, accelerate" in report.notes[0]


def test_start_ends_a_project_in_its_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def once(commands: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, list[float]]:
        run(commands[start.FIRST_STEP], folder)  # fails where no step is made
        assert not (folder / "outputs" / "best.pt").exists()  # which the first epoch would have written
        return {name: [1.0] * rounds for name in commands}

    monkeypatch.setattr(start, "interleaved", once)
    generator, project = measured(tmp_path, "start", "--rounds", "2").groups
    assert names(generator)[-1] == "torchgen new"
    assert names(project) == [start.TORCH, start.OPTIMIZER, start.FIRST_STEP]


def test_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "ROWS", [90, 10**9])
    monkeypatch.setattr(scale, "DEPTHS", [1, 3])
    monkeypatch.setattr(scale, "COUNTS", [1, 2])
    monkeypatch.setattr(scale, "epochs_of", lambda *arguments: ([3.0, 1.0], [0.0, 0.0]))
    report = measured(tmp_path, "scale", "--most", "1000", "--rounds", "1")
    sizes = [[row.x for row in group.rows] for group in report.groups]
    assert sizes == [[90], [90], scale.BATCHES, [1, 3], [1, 2]]
    assert [group.unit for group in report.groups] == ["s", "MiB", "s", "s", "s"]


def test_memory_is_told_as_ratios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory", lambda: {"train.py, images": (100.0, 150.0)})
    (group,) = measured(tmp_path, "memory").groups
    assert group.ratios(group.rows[1]) == {"the data": 1.5}


def test_class(tmp_path: Path) -> None:
    (group,) = measured(tmp_path, "class", "--counts", "2", "--rounds", "1").groups
    assert names(group) == ["files merely written", "torchgen kit --roster"]
    assert list(group.ratios(group.rows[1])) == ["files merely written"]


# Identical work.


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_every_cell_can_be_generated(cell: Cell) -> None:
    assert plan(Spec.from_dict(answers_of(cell, cell.rows))).layers
    assert train_rows(samples_for(cell.rows, cell.classes), cell.classes) == cell.rows


@pytest.fixture(params=["mlp", "cnn", "lstm", "gru-tokens"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project with 90 rows to train on, so that a batch of 32 leaves a smaller last one."""
    return project_of(CELLS[request.param], tmp_path, 90)


def losses(name: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The mean loss of each of two epochs, without shuffling."""
    monkeypatch.setattr(sys, "argv", sys.argv)
    clock = Clock()
    with inside(project), in_order():
        importlib.import_module(f"benchmarks.contenders.{name}").train(Task(project, "cpu", 32, 2), clock)
    assert len(clock.seconds) == 2
    return clock.losses


def test_all_that_need_torch_alone_come_to_the_same_loss(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = losses("canonical", small, monkeypatch)
    assert expected[1] < expected[0]
    for name in ("tight", "torchgen"):
        assert losses(name, small, monkeypatch) == pytest.approx(expected, rel=1e-4), name


@pytest.mark.parametrize(
    ("name", "module"),
    [("lightning", "pytorch_lightning"), ("ignite", "ignite"), ("accelerate", "accelerate")],
)
def test_the_libraries_come_to_the_same_loss(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed(CONTENDERS[name] or ""):
        pytest.importorskip(module)
    project = project_of(CELLS["mlp"], tmp_path, 90)
    expected = losses("canonical", project, monkeypatch)
    # In a process of its own: a library's warnings are not ours to forbid.
    _, found = train.epochs_of(name, project, "cpu", 32, 2, in_order=True)
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_contender_gets_as_many_rows_as_its_title_says(tmp_path: Path) -> None:
    project = project_of(CELLS["cnn"], tmp_path, 70)
    with inside(project):
        work = load(Task(project, "cpu", 32, 1))
    assert len(work.data) == 70
    assert work.lr == 0.001


# Identical files.


def test_a_template_gives_back_the_text_that_it_was_made_from(tmp_path: Path) -> None:
    hard = f'f"{{{{x}}}}" {{% raw %}} {{# no #}} {NAME}\n'
    files = {"hard.py": hard, **files_of(ROOT / "tests" / "golden" / "digits")}
    environment = jinja2.Environment(keep_trailing_newline=True)
    for name, text in files.items():
        assert environment.from_string(as_template(text, "name")).render(name=NAME) == text, name


def test_files_that_differ_are_no_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "run", lambda *arguments, **variables: "")
    with pytest.raises(RuntimeError, match=r"copier wrote something else than torchgen: train\.py"):
        generate.check({"train.py": "text"}, [], "copier", tmp_path)


def test_many_projects_are_different_ones(tmp_path: Path) -> None:
    told = [answers(number) for number in range(300)]
    assert len({json.dumps({**one, "name": ""}) for one in told}) == 300
    found = make(2, tmp_path)
    assert set(found) == {"made", "written"}
    assert files_of(tmp_path / "made") == files_of(tmp_path / "copied")


def test_every_kind_of_many_projects_is_a_plan() -> None:
    for number in range(20):
        assert plan(Spec.from_dict(answers(number))).layers


# The page.


def test_the_page_shows_the_runs_that_are_kept() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert text == page.filled(text), "python -m benchmarks.page"
    kept = {path.stem for path in page.FIGURES.glob("*.json")}
    assert kept <= set(re.findall(r"<!-- figures: ([\w-]+) -->", text))
    assert kept == {path.stem for path in page.FIGURES.glob("*.png")}


def test_a_kept_run_is_shown_with_its_command_machine_picture_and_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "FIGURES", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.PAGE.write_text("Before.\n\n<!-- figures: some -->\nold\n<!-- end -->\n\nAfter.\n", encoding="utf-8")
    (tmp_path / "some.json").write_text(REPORT.to_json(), encoding="utf-8")
    page.main()
    text = page.PAGE.read_text(encoding="utf-8")
    assert REPORT.command in text
    assert sentence(MACHINE) in text
    assert "(figures/some.png)" in text
    assert "| torchgen | 1.50 s | once | 0.50 × |" in text
    assert text.startswith("Before.") and text.endswith("After.\n") and "old" not in text
    assert (tmp_path / "some.png").is_file()


# The house's own rules.


def functions() -> Iterator[tuple[str, int]]:
    for path in sorted((ROOT / "benchmarks").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield path.name, len(text.splitlines()) - 260  # a module: about 250 lines
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1 - 45


def test_modules_and_functions_stay_small() -> None:
    assert not {name for name, over in functions() if over > 0}


def test_flags_refuse_with_their_names() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="mpl is none of main, map, all, mlp"):
        train.cells_named("mpl")
