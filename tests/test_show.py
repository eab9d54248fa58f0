"""The layer table, the errors and the other texts for people: what they say, and on what they say it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from torchgen_scaffold import show
from torchgen_scaffold.catalogue import catalogue
from torchgen_scaffold.create import Made
from torchgen_scaffold.errors import LayerError, Problem, SpecError
from torchgen_scaffold.layers.base import Axes, Shape, Signal, Traced
from torchgen_scaffold.network import Block, Network
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.spec import Data, Model, Project, Spec, Training
from torchgen_scaffold.verify import Step
from torchgen_scaffold.wording import amount, call_text, plan_rows

IMAGE = (1, 8, 8)
LAYERS = (
    Traced(
        "conv(32, 3, padding=1)",
        "Conv2d",
        {"in_channels": 1, "out_channels": 32, "kernel_size": 3, "padding": 1},
        IMAGE,
        (32, 8, 8),
        320,
        18_432,
        formula="(8 + 2*1 - 1*(3-1) - 1)//1 + 1 = 8",
    ),
    Traced("relu", "ReLU", {}, (32, 8, 8), (32, 8, 8), why="negative numbers become 0"),
    Traced("maxpool(2)", "MaxPool2d", {"kernel_size": 2}, (32, 8, 8), (32, 4, 4), formula="8//2 = 4"),
    Traced("flatten", "Flatten", {}, (32, 4, 4), (512,), formula="32 * 4 * 4 = 512"),
    Traced(
        "linear(10)",
        "Linear",
        {"in_features": 512, "out_features": 10},
        (512,),
        (10,),
        5130,
        5120,
        name="head",
    ),
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def planned(
    layers: tuple[Traced, ...] = LAYERS,
    input_shape: Shape = IMAGE,
    axes: Axes = "map",
    task: str = "multiclass",
    loss: str = "cross_entropy",
    schedule: str = "none",
    source: Data | None = None,
) -> Plan:
    spec = Spec(
        "digits",
        task,
        input_shape,
        layers[-1].out_shape,
        Model(None, (), Signal(input_shape, axes), vocab_size=100 if axes == "tokens" else None),
        source or Data("sklearn", "digits", 1797),
        Training(loss, "adam", schedule, 50, 64, 0.001, 0, 1.0, 0),
        Project(),
    )
    return Plan(spec, Network(tuple(Block(layer.name, (layer,)) for layer in layers)))


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make stdout a terminal. No fixture: pytest's own capture would take stdout back before the test starts."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return stream


def test_the_table_is_the_one_of_the_design(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_plan(planned())
    assert capsys.readouterr().out == (
        "  layer                     output  params  why\n"
        "  input                     1×8×8           1 channel of 8×8\n"
        "  Conv2d(32, 3, padding=1)  32×8×8     320  (8 + 2·1 − 3)//1 + 1 = 8\n"
        "  ReLU · MaxPool2d(2)       32×4×4       0  8//2 = 4\n"
        "  Flatten                   512          0  32·4·4 = 512\n"
        "  Linear(10)                10       5,130  logits; CrossEntropyLoss applies softmax\n"
        "                                     5,450  23,552 multiply-adds\n"
        "\n"
        "  data  sklearn:digits: 1,259 train · 269 val · 269 test\n"
        "  loss  CrossEntropyLoss · Adam, lr 0.001 · 50 epochs of 64\n"
    )


@pytest.mark.parametrize(
    ("task", "loss", "says"),
    [
        ("multiclass", "cross_entropy", "logits; CrossEntropyLoss applies softmax"),
        ("multilabel", "bce_with_logits", "logits; BCEWithLogitsLoss applies sigmoid"),
        ("regression", "huber", "predictions"),
    ],
)
def test_the_head_says_what_it_returns(task: str, loss: str, says: str) -> None:
    assert plan_rows(planned(task=task, loss=loss))[-2].why == says


@pytest.mark.parametrize(
    ("shape", "axes", "says"),
    [
        ((30,), "features", "30 numbers"),
        ((50, 8), "sequence", "50 steps of 8 numbers"),
        ((3, 200), "map", "3 channels of 200"),
        ((50,), "tokens", "50 token ids below 100"),
    ],
)
def test_the_first_row_says_how_the_input_is_read(shape: Shape, axes: Axes, says: str) -> None:
    assert plan_rows(planned(input_shape=shape, axes=axes))[0] == (
        "input",
        "×".join(map(str, shape)),
        "",
        says,
        "",
    )


def test_rows_are_shared_by_layers_without_parameters_alone() -> None:
    flat = (64,)
    norm = Traced("batchnorm", "BatchNorm1d", {"num_features": 64}, flat, flat, 128)
    relu, drop = Traced("relu", "ReLU", {}, flat, flat), Traced("dropout", "Dropout", {"p": 0.2}, flat, flat)
    names = [row.layer for row in plan_rows(planned((norm, relu, drop, norm, *[relu] * 6)))[1:-1]]
    assert names == [
        "BatchNorm1d",
        "ReLU · Dropout(0.2)",
        "BatchNorm1d",
        "ReLU · ReLU · ReLU · ReLU",
        "ReLU · ReLU",
    ]


def test_two_layers_that_change_the_shape_have_rows_of_their_own() -> None:
    pools = [Traced("", "MaxPool1d", {"kernel_size": 2}, (4, 16 // n), (4, 8 // n)) for n in (1, 2)]
    assert [row.output for row in plan_rows(planned(tuple(pools)))[1:-1]] == ["4×8", "4×4"]


@pytest.mark.parametrize(
    ("kind", "args", "text"),
    [
        ("Conv2d", {"in_channels": 1, "out_channels": 8, "kernel_size": (3, 5)}, "Conv2d(8, (3, 5))"),
        (
            "Conv1d",
            {"in_channels": 1, "out_channels": 8, "kernel_size": 3, "padding": "same"},
            "Conv1d(8, 3, padding='same')",
        ),
        (
            "LSTM",
            {"input_size": 8, "hidden_size": 64, "batch_first": True, "bidirectional": True},
            "LSTM(64, bidirectional=True)",
        ),
        ("GroupNorm", {"num_groups": 4, "num_channels": 8}, "GroupNorm(4)"),
        ("LayerNorm", {"normalized_shape": (8, 8)}, "LayerNorm"),
        ("Unflatten", {"dim": 1, "unflattened_size": (2, 5)}, "Unflatten((2, 5))"),
        ("Linear", {"in_features": 8, "out_features": 4, "bias": False}, "Linear(4, bias=False)"),
    ],
)
def test_layers_are_written_without_their_input_size(kind: str, args: dict[str, object], text: str) -> None:
    assert call_text(Traced("", kind, args, (8,), (8,))) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("(28 + 2*0 - 1*(3-1) - 1)//1 + 1 = 26", "(28 − 3)//1 + 1 = 26"),
        ("(28 + 2*3 - 1*(11-1) - 1)//2 + 1 = 12", "(28 + 2·3 − 11)//2 + 1 = 12"),
        ("(28 + 2*1 - 2*(3-1) - 1)//1 + 1 = 26", "(28 + 2·1 − 2·(3−1) − 1)//1 + 1 = 26"),
        ("(8-1)*2 - 2*1 + 1*(4-1) + 0 + 1 = 16", "(8−1)·2 − 2·1 + 1·(4−1) + 0 + 1 = 16"),
        ("32 * 5 * 5 = 800", "32·5·5 = 800"),
    ],
)
def test_formulas_leave_out_what_says_nothing(formula: str, shown: str) -> None:
    layer = Traced("conv", "Conv2d", {}, (1, 28), (1, 26), formula=formula, why="not this")
    assert plan_rows(planned((layer,)))[1].why == shown


def test_an_operation_is_its_name_alone() -> None:
    assert (
        call_text(Traced("", "LastStep", {"bidirectional": True}, (5, 8), (8,), form="operation"))
        == "LastStep"
    )


@pytest.mark.parametrize(
    ("macs", "text"),
    [(0, "0"), (99_999, "99,999"), (320_000, "0.32 M"), (2_880_000_000, "2.88 G"), (4 * 10**12, "4.00 T")],
)
def test_amounts(macs: int, text: str) -> None:
    assert amount(macs) == f"{text} multiply-adds"


def test_a_schedule_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_plan(planned(schedule="cosine"))
    assert "Adam, lr 0.001, CosineAnnealingLR" in capsys.readouterr().out


def test_a_long_line_stays_whole_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    layer = Traced("", "Linear", {"out_features": 10}, (8,), (10,), 90, why="because " * 60)
    show.show_plan(planned((layer,)))
    assert ("because " * 60).rstrip() in capsys.readouterr().out


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    show.show_plan(planned())
    assert "\x1b[" in terminal.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv(name, value)
    show.show_plan(planned())
    show.show_catalogue(catalogue())
    show.show_step(Step("tests", True, 1.0, "ok"))
    assert "Linear" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize("columns", [30, 50, 70, 80, 200])
def test_a_narrow_terminal_loses_no_layer_and_no_shape(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    show.show_plan(planned())
    table = terminal.getvalue().partition("\n\n")[0]
    for text in ("Conv2d(32, 3, padding=1)  32×8×8", "ReLU · MaxPool2d(2)", "Linear(10)", "5,450  23,552"):
        assert text in table
    if columns >= 70:
        assert max(map(len, table.splitlines())) <= columns
        assert "softmax" in table


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_an_encoding_without_the_signs_is_no_crash(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    show.show_plan(planned(source=Data("csv", "häuser\u4e2d.csv", 1000)))
    show.show_step(Step("tests", True, 1.0, "10 passed"))
    text = raw.getvalue().decode(encoding)
    assert "Conv2d(32, 3, padding=1)  32x8x8" in text
    assert "(8 + 2*1 - 3)//1 + 1 = 8" in text
    assert "ReLU | MaxPool2d(2)" in text
    assert "\\u4e2d" in text
    assert "+ tests" in text


def test_every_problem_is_shown_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_error(SpecError([Problem("lr is 0", "it must move", "Give --lr 0.001"), Problem("no name")]))
    captured = capsys.readouterr()
    assert captured.err == "Error: lr is 0\n  it must move\n  Give --lr 0.001\n\nError: no name\n"
    assert captured.out == ""


def test_hostile_text_is_shown_and_not_acted_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "x\x1b[2J\r\u202e\ud800\nError: forged"
    show.show_error(SpecError(Problem(hostile, hostile, hostile)))
    show.show_layers_up_to(
        LayerError(Problem("no", hostile), index=0, item=hostile, layers=(), in_shape=(3,))
    )
    show.show_plan(planned(source=Data("csv", hostile, 1000)))
    show.show_step(Step("train", False, 1.0, f"\x1b[31mred\x1b[0m \a{hostile}"))
    captured = capsys.readouterr()
    for char in "\x1b\r\u202e\ud800\a":
        assert char not in captured.err + captured.out
    assert captured.err.count("\n") == 3


def test_the_table_stops_at_the_layer_that_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(
        "layer 4, conv(8, 5), does not fit its 4×4 input", "a 5×5 kernel does not fit a 4×4 map"
    )
    show.show_layers_up_to(
        LayerError(problem, index=3, item="conv(8, 5)", layers=LAYERS[:3], in_shape=(1, 8, 8))
    )
    assert capsys.readouterr().out == (
        "  input                   1×8×8\n"
        "  conv(32, 3, padding=1)  32×8×8  (8 + 2·1 − 3)//1 + 1 = 8\n"
        "  relu                    32×8×8  negative numbers become 0\n"
        "  maxpool(2)              32×4×4  8//2 = 4\n"
        "  conv(8, 5)              ✗       a 5×5 kernel does not fit a 4×4 map\n"
    )


def test_the_first_layer_can_be_the_one(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_layers_up_to(
        LayerError(Problem("it does not fit"), index=0, item="conv(8, 5)", layers=(), in_shape=(1, 3, 3))
    )
    assert capsys.readouterr().out == "  input       1×3×3\n  conv(8, 5)  ✗      it does not fit\n"


@pytest.mark.parametrize(
    ("path", "place"), [("digits", "./digits"), ("../digits", "../digits"), ("/tmp/digits", "/tmp/digits")]
)
def test_what_was_made_and_what_comes_next(capsys: pytest.CaptureFixture[str], path: str, place: str) -> None:
    show.show_made(Made(Path(path), ["a.py", "b.py"], planned()), dry_run=False)
    out = capsys.readouterr().out
    assert "Conv2d" in out
    assert out.endswith(
        f"\n  2 files in {place}\n  Next:  cd {path} && pip install -r requirements.txt && python train.py\n"
    )


def test_a_dry_run_lists_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_made(Made(Path("digits"), ["a.py"], planned()), dry_run=True)
    assert capsys.readouterr().out.endswith(
        "\n  1 file would be written to ./digits; nothing was:\n    a.py\n"
    )


def test_a_path_that_no_shell_line_holds_is_no_crash(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_made(Made(Path("a\nb"), ["a.py"], planned()), dry_run=False)
    assert "in ./a\\nb\n  Next:  in that folder, pip install" in capsys.readouterr().out


def test_the_catalogue_has_a_line_for_everything(capsys: pytest.CaptureFixture[str]) -> None:
    tables = catalogue()
    show.show_catalogue(tables)
    lines = capsys.readouterr().out.splitlines()
    for heading, rows in tables.items():
        assert heading in lines
        for row in rows:
            assert any(row["summary"] in line for line in lines), row
            assert any(row["name"] in line for line in lines), row
            for key, about in row.get("settings", {}).items():
                assert any(line.split() == [key, *about.split()] for line in lines)


def test_the_catalogue_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    show.show_catalogue(catalogue())
    assert max(map(len, terminal.getvalue().splitlines())) <= 80


def test_an_empty_catalogue_is_no_crash(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_catalogue({"layers": []})
    assert capsys.readouterr().out == "layers\n"


def test_steps(capsys: pytest.CaptureFixture[str]) -> None:
    show.show_step(Step("tests", True, 3.21, "10 passed"))
    show.show_step(Step("train", False, 12.0, "Traceback:\n\n\x1b[31m  boom\x1b[0m"))
    show.show_step(Step("eval", True, 0.0, ""))
    assert capsys.readouterr().out == (
        "✓ tests      3.2 s  10 passed\n✗ train     12.0 s\n    Traceback:\n\n      boom\n✓ eval       0.0 s\n"
    )


@pytest.mark.parametrize(
    "answers",
    [
        {"input_shape": "1,28,28", "output_shape": 10, "task": "multiclass", "model": {"preset": "cnn"}},
        {
            "input_shape": "50,8",
            "output_shape": 1,
            "task": "binary",
            "model": {"preset": "lstm", "bidirectional": True},
        },
        {
            "input_shape": "50",
            "output_shape": [2, 3],
            "task": "regression",
            "model": {"preset": "mean", "vocab_size": 9},
        },
    ],
)
def test_real_plans(capsys: pytest.CaptureFixture[str], answers: dict[str, object]) -> None:
    made = plan(Spec.from_dict({"name": "network", **answers}))
    show.show_plan(made)
    out = capsys.readouterr().out
    for layer in made.layers:
        assert call_text(layer) in out
    assert f"{made.params:,}" in out
