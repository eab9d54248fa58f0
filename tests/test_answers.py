"""Answers to Spec: every key, every default, every refusal; and torchgen.toml as the Spec's exact text."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torchgen_scaffold import LayerError, Spec, SpecError, generate, plan
from torchgen_scaffold.answers.merge import merge, parse_set
from torchgen_scaffold.answers.training import usual_batch_size, usual_epochs
from torchgen_scaffold.answers.words import read_toml, row_settings
from torchgen_scaffold.errors import Problem
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.records import replace
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

BASE: dict[str, Any] = {"name": "demo", "task": "multiclass", "input_shape": "1,8,8", "output_shape": "10"}
DIGITS: dict[str, Any] = {"name": "digits", "data": {"source": "sklearn:digits"}}


def spec_of(**answers: Any) -> Spec:
    return Spec.from_dict({**BASE, **answers})


def problems_of(answers: Mapping[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        Spec.from_dict(answers)
    assert caught.value.problems
    return caught.value.problems


def problem_of(**answers: Any) -> Problem:
    """The only problem: anything more would be an echo of it."""
    (problem,) = problems_of({**BASE, **answers})
    return problem


def again(spec: Spec) -> Spec:
    """The Spec that its torchgen.toml gives, read where Spec.from_toml would find it: in the project's folder."""
    home = Path(spec.name)
    back = Spec.from_dict(tomllib.loads(spec.to_toml()), base=home, home=home)
    # Where the data was read from is no part of torchgen.toml.
    return replace(back, data=replace(back.data, original=spec.data.original))


# --- defaults


def test_the_shortest_spec_is_complete() -> None:
    spec = spec_of()
    assert (spec.input_shape, spec.output_shape) == ((1, 8, 8), (10,))
    assert spec.model.preset == "cnn"
    assert (spec.data.source, spec.data.samples, spec.data.test_samples) == ("synthetic", 1000, 0)
    training = spec.training
    assert (training.loss, training.optimizer, training.schedule) == ("cross_entropy", "adam", "none")
    assert (training.lr, training.seed, training.patience, training.clip_norm) == (1e-3, 0, 0, 1.0)
    assert (training.batch_size, training.epochs) == (32, 46)  # 700 train samples: 22 steps, 46 * 22 = 1,012
    assert (spec.project.profile, spec.project.ci, spec.project.copy_data) == ("standard", "none", False)


@pytest.mark.parametrize(
    ("shape", "more", "preset"),
    [
        ("4", {}, "mlp"),
        ("20,3", {}, "gru"),
        ("1,8,8", {}, "cnn"),
        ("1,8,8,8", {}, "cnn"),
        ("3,20", {"layout": "cl"}, "cnn"),
        ("12", {"vocab_size": 50}, "gru"),
    ],
)
def test_the_usual_preset(shape: str, more: dict[str, Any], preset: str) -> None:
    assert spec_of(input_shape=shape, model=more).model.preset == preset


@pytest.mark.parametrize("task", TASKS)
def test_the_usual_loss(task: str) -> None:
    shape = {"binary": None, "regression": "2,4"}.get(task, "3")
    answers = {"name": "demo", "task": task, "input_shape": "4"} | ({"output_shape": shape} if shape else {})
    assert Spec.from_dict(answers).training.loss == TASKS[task].losses[0]


def test_binary_needs_no_output_shape() -> None:
    assert Spec.from_dict({"name": "demo", "task": "binary", "input_shape": 4}).output_shape == (1,)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_optimizer_has_its_usual_lr(optimizer: str) -> None:
    assert spec_of(training={"optimizer": optimizer}).training.lr == OPTIMIZERS[optimizer].lr
    assert spec_of(training={"optimizer": optimizer, "lr": "0.5"}).training.lr == 0.5


@pytest.mark.parametrize(("more", "lr"), [({}, 1e-2), ({"optimizer": "sgd"}, 10 * OPTIMIZERS["sgd"].lr)])
def test_a_gru_is_trained_at_a_faster_pace(more: dict[str, Any], lr: float) -> None:
    sequence: dict[str, Any] = {"input_shape": "20,3", "training": more}
    assert spec_of(**sequence).training.lr == lr
    assert spec_of(**sequence, model={"preset": "lstm"}).training.lr == lr / 10
    assert spec_of(**sequence, model={"layers": "gru(8)"}).training.lr == lr / 10
    assert spec_of(input_shape="20", model={"vocab_size": 9}).training.lr == 3e-3


def test_a_lesson_does_not_clip_unless_asked() -> None:
    lesson = {"profile": "lesson"}
    assert spec_of(project=lesson).training.clip_norm == 0
    assert spec_of(project=lesson, training={"clip_norm": 2}).training.clip_norm == 2
    assert spec_of(training={"clip_norm": 0}).training.clip_norm == 0


@pytest.mark.parametrize(("train", "batch"), [(8, 16), (299, 16), (300, 32), (999, 32), (1000, 64)])
def test_usual_batch_size(train: int, batch: int) -> None:
    assert usual_batch_size(train) == batch


@pytest.mark.parametrize(
    ("train", "batch", "epochs"), [(700, 64, 91), (10, 16, 100), (10**6, 64, 5), (64, 64, 100), (65, 1, 16)]
)
def test_usual_epochs(train: int, batch: int, epochs: int) -> None:
    assert usual_epochs(train, batch) == epochs


def test_epochs_follow_the_batch_size_that_was_given() -> None:
    assert spec_of(training={"batch_size": 7}).training.epochs == 10
    assert spec_of(training={"batch_size": 7, "epochs": 3}).training.epochs == 3


@pytest.mark.parametrize(("shape", "samples"), [("4", 1000), ("3,224,224", 222), ("3,512,512", 100)])
def test_made_data_stays_within_memory(shape: str, samples: int) -> None:
    assert spec_of(input_shape=shape).data.samples == samples


@pytest.mark.parametrize(
    ("source", "name"), [("sklearn:iris", "iris"), ("sklearn:breast_cancer", "breast_cancer")]
)
def test_the_data_names_the_project(source: str, name: str) -> None:
    assert Spec.from_dict({"data": {"source": source}}).name == name


# --- every key

VALUES: dict[str, tuple[Any, Any]] = {  # key: (as a flag gives it, as the Spec keeps it)
    "name": ("other", "other"),
    "task": ("multilabel", "multilabel"),
    "input_shape": ("(3, 8, 8)", (3, 8, 8)),
    "output_shape": ("7", (7,)),
    "model.preset": ("mlp", "mlp"),
    "model.vocab_size": ("50", 50),
    "model.layout": ("cl", "cl"),
    "data.source": ("synthetic", "synthetic"),
    "data.samples": ("500", 500),
    "data.classes": ("a,b,c,d,e,f,g,h,i,j", tuple("abcdefghij")),
    "training.loss": ("cross_entropy", "cross_entropy"),
    "training.optimizer": ("sgd", "sgd"),
    "training.schedule": ("cosine", "cosine"),
    "training.epochs": ("3", 3),
    "training.batch_size": ("8", 8),
    "training.lr": ("3e-4", 3e-4),
    "training.seed": ("7", 7),
    "training.clip_norm": ("0.5", 0.5),
    "training.patience": ("4", 4),
    "project.profile": ("lesson", "lesson"),
    "project.ci": ("github", "github"),
    "project.copy_data": ("yes", True),
}
SHAPE_FOR = {"model.vocab_size": "12", "model.layout": "3,20"}
# These are about a file of one's own, or are shown by a test of their own.
ELSEWHERE = {"torchgen", "model.layers", "data.target", "data.test_samples", "data.counts"}
ELSEWHERE |= {"data.columns", "data.kinds", "data.resize", "data.drop", "data.group", "data.time"}
ELSEWHERE |= {"data.separator", "data.encoding", "data.decimal", "data.header", "data.time_format"}
ELSEWHERE |= {"data.skipped", "data.strict", "data.val_samples", "data.parts", "data.stream", "data.padded"}
ELSEWHERE |= {"data.augment", "project.templates"}


def test_every_key_is_tried() -> None:
    assert set(VALUES) | ELSEWHERE == set(SETTINGS)


@pytest.mark.parametrize("key", VALUES)
def test_a_key_given_as_a_flag_reaches_the_spec(key: str) -> None:
    text, kept = VALUES[key]
    file = {**BASE, "input_shape": SHAPE_FOR.get(key, BASE["input_shape"])}
    spec = Spec.from_dict(merge(file, {key: text}))
    table, dot, name = key.rpartition(".")
    assert getattr(getattr(spec, table) if dot else spec, name) == kept


ROWS = [
    *((f"model.{key}", "model", "preset", row) for row in PRESETS.values() for key in row.settings),
    *(
        (f"training.{key}", "training", kind, row)
        for kind, rows in (("loss", LOSSES), ("optimizer", OPTIMIZERS), ("schedule", SCHEDULES))
        for row in rows.values()
        for key in row.settings
    ),
]
ROW_VALUES: dict[str, tuple[Any, Any]] = {
    "hidden": ("5,6", (5, 6)),
    "channels": ("4,8", (4, 8)),
    "bidirectional": ("true", True),
    "batchnorm": ("true", True),
    "nesterov": ("true", True),
    "class_weights": ("1,2,3,4,5,6,7,8,9,10", tuple(float(n) for n in range(1, 11))),
    "pos_weight": ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], tuple(float(n) for n in range(1, 11))),
    **dict.fromkeys(
        ("embedding_dim", "hidden_size", "num_layers", "step_size", "plateau_patience"), ("2", 2)
    ),
}


@pytest.mark.parametrize(
    ("key", "table", "kind", "row"), ROWS, ids=lambda item: getattr(item, "name", str(item))
)
def test_a_setting_of_one_row(key: str, table: str, kind: str, row: Any) -> None:
    name = key.rpartition(".")[2]
    text, kept = ROW_VALUES.get(name, ("0.25", 0.25))
    answers: dict[str, Any] = dict(BASE)
    if kind == "loss":
        fitting = [task.name for task in TASKS.values() if row.name in task.losses]
        answers["task"] = fitting[-1]
    table_of: dict[str, Any] = {}
    if kind == "preset" and "map" not in row.reads:
        tokens = "tokens" in row.reads
        answers |= {"input_shape": "12" if tokens else "12,3"}
        table_of = {"vocab_size": 50} if tokens else {}
    spec = Spec.from_dict({**answers, table: {**table_of, kind: row.name, name: text}})
    found: Mapping[str, Any] = getattr(spec, table).settings
    assert found[name] == kept
    assert set(row.settings) <= set(found)


@pytest.mark.parametrize(
    "key", sorted(set(row_settings()) - {"training.weight_decay"})
)  # all optimizers read it
def test_a_setting_of_another_row_is_refused(key: str) -> None:
    owners = row_settings()[key]
    table, _, name = key.partition(".")
    text, _ = ROW_VALUES.get(name, ("0.25", 0.25))
    # A linear model, a regression with mse, rmsprop without a schedule read next to none of them.
    answers = {"name": "demo", "task": "regression", "input_shape": "4", "output_shape": "1"}
    chosen: dict[str, Any] = {"model": {"preset": "linear"}, "training": {"optimizer": "rmsprop"}}
    if "rmsprop" in owners:
        chosen["training"]["optimizer"] = "adam" if "adam" not in owners else "rmsprop"
    chosen[table][name] = text
    (problem,) = problems_of({**answers, **chosen})
    assert problem.key == key
    assert problem.what == f"{key} does nothing here"
    assert all(owner in problem.why for owner in owners)
    assert problem.instead == f"Drop {key}."


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_whatever_a_setting_is_given_what_to_type_instead_is_said(key: str) -> None:
    answers: dict[str, Any] = {}
    table, _, name = key.rpartition(".")
    (answers.setdefault(table, {}) if table else answers)[name] = {"a": 1}
    (problem,) = (problem for problem in problems_of(answers) if problem.key == key)
    assert key in problem.what and problem.why and problem.instead


# --- unknown keys and words


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        ({"trainig": {"lr": 1}}, "training.lr"),
        ({"training": {"learning_rate": 1}}, None),
        ({"training": {"epoch": 1}}, "training.epochs"),
        ({"training": {"momentun": 1}}, "training.momentum"),
        ({"lr": 1}, "training.lr"),
        ({"model": {"vocab": 3}}, "model.vocab_size"),
        ({"input_shap": 3}, "input_shape"),
        ({"project": {"profil": "x"}}, "project.profile"),
        ({"zzzzzzzzz": 3}, None),
    ],
)
def test_an_unknown_key_is_told_the_nearest(answers: dict[str, Any], hint: str | None) -> None:
    problem = problem_of(**answers)
    assert problem.what.startswith("there is no setting '")
    if hint:
        assert problem.instead == f"Did you mean {hint}?"
    else:
        assert "torchgen options" in problem.instead or "Did you mean" in problem.instead


@pytest.mark.parametrize(
    ("table", "key", "word", "near"),
    [
        ("model", "preset", "ccn", "cnn"),
        ("training", "optimizer", "adm", "adam"),
        ("training", "schedule", "cosin", "cosine"),
        ("training", "loss", "crossentropy", "cross_entropy"),
        ("project", "profile", "standart", "standard"),
        ("project", "ci", "githb", "github"),
    ],
)
def test_an_unknown_word_is_told_the_nearest(table: str, key: str, word: str, near: str) -> None:
    problem = problem_of(**{table: {key: word}})
    assert problem.key == f"{table}.{key}"
    assert (
        f"Did you mean {near}?" in problem.instead or problem.instead == f"Give --set {table}.{key}={near}."
    )
    assert repr(word) in problem.what


# --- several problems, and no echoes


def test_all_problems_come_together() -> None:
    problems = problems_of(
        {
            "name": "torch",
            "task": "binary",
            "input_shape": "4",
            "output_shape": "2",
            "model": {"dropout": "x"},
            "training": {"loss": "mse", "lr": -1, "momentum": 0.9, "epochs": 0},
            "project": {"ci": "jenkins"},
            "colour": "red",
        }
    )
    assert [problem.key for problem in problems] == [
        "training.lr",
        "training.epochs",
        "project.ci",
        "colour",
        "name",
        "output_shape",
        "training.loss",
    ]


def test_missing_answers_come_together() -> None:
    problems = problems_of({})
    assert [problem.key for problem in problems] == ["name", "task", "input_shape", "output_shape"]
    assert all(problem.missing and problem.instead for problem in problems)


@pytest.mark.parametrize(
    "answers",
    [
        {"name": 3},
        {"name": "../x"},
        {"name": "a\0b"},
        {"task": "clasification"},
        {"input_shape": "x"},
        {"output_shape": "0"},
        {"model": {"preset": "ccn", "channels": "4,8"}},
        {"model": {"layers": 3, "layout": "tf"}},
        {"model": {"vocab_size": "many"}},
        {"model": "cnn"},
        {"training": {"optimizer": "sdg", "momentum": 0.5}},
        {"training": {"loss": "mse", "beta": 2}},
        {"training": {"schedule": "stp", "step_size": 2}},
        {"data": {"source": "sklearn"}},
        {"data": {"source": 3}},
        {"data": {"source": "csv:absent.csv", "target": "y"}},
        {"data": {"source": "digits"}},
        {"data": "synthetic"},
    ],
)
def test_one_mistake_is_one_problem(answers: dict[str, Any]) -> None:
    problem = problem_of(**answers)
    assert problem.what and (problem.why or problem.instead)


def test_a_layer_that_does_not_fit_keeps_its_table_when_it_is_the_only_problem() -> None:
    model = {"layers": "conv(4, 3) -> conv(4, 9)"}
    with pytest.raises(LayerError) as caught:
        spec_of(model=model)
    assert (caught.value.index, len(caught.value.layers)) == (1, 1)
    problems = problems_of({**BASE, "model": model, "training": {"lr": 0}})
    assert len(problems) == 2


# --- shapes


@pytest.mark.parametrize(
    "text", ["1,28,28", "1x28x28", "(1, 28, 28)", "[1,28,28]", "1 28 28", "1×28×28", "1, 28, 28,"]
)
def test_spellings_of_a_shape(text: str) -> None:
    assert spec_of(input_shape=text).input_shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ("", "at least one"),
        ("()", "at least one"),
        ([], "at least one"),
        ("0", "at least 1"),
        ("-3", "at least 1"),
        ("1,-28,28", "at least 1"),
        ("1,,2", "whole number"),
        ("2.5", "whole number"),
        ("one", "whole number"),
        ([1, 2.5], "whole number"),
        ([1, True], "whole number"),
        ([1, [2]], "whole number"),
        (True, "whole number"),
        (2.5, "whole number"),
        ("1,1,1,1,1,1,1,1,1", "at most 8"),
        ("20000,20000", "GiB"),
        (10**12, "GiB"),
        (10**5000, "any memory"),
        ([10**5000, 10**5000], "any memory"),
        (-(10**5000), "huge negative"),
        ("9" * 5000, "whole number"),
        ({"a": 1}, "whole number"),
        (date(2024, 1, 1), "whole number"),
    ],
    ids=lambda value: type(value).__name__,  # pytest cannot print thousands of digits
)
@pytest.mark.parametrize("key", ["input_shape", "output_shape"])
def test_bad_shapes(key: str, shape: Any, why: str) -> None:
    problem = problem_of(**{key: shape})
    assert problem.key == key
    assert why in problem.why
    assert problem.instead.startswith(f"Give --{key.replace('_', '-')} ")


@pytest.mark.parametrize(
    ("shape", "right"), [("28,28,1", "1,28,28"), ("224,224,3", "3,224,224"), ("16,32,32,3", "3,16,32,32")]
)
def test_channels_last_is_told(shape: str, right: str) -> None:
    problem = problem_of(input_shape=shape)
    assert "channels-last" in problem.what
    assert right in problem.instead
    assert spec_of(input_shape=right).model.preset == "cnn"
    assert spec_of(input_shape=shape, model={"layout": "cl"}).input_shape[0] == int(shape.split(",")[0])


def test_layouts_of_two_axes() -> None:
    def axes(**model: Any) -> str:
        return spec_of(input_shape="20,30", model=model).model.signal.axes

    assert axes() == axes(layout="tf") == axes(preset="gru") == "sequence"
    assert axes(layout="cl") == axes(preset="cnn") == axes(layers="conv(4, 3) -> relu") == "map"
    assert axes(layers="relu -> lstm(4)") == axes(layers="linear(4)") == "sequence"
    assert axes(layers="transpose -> conv(4, 3)") == axes(layers="relu -> gru(4)") == "sequence"
    assert axes(layers="transpose -> gru(4)") == "map"
    problem = problem_of(input_shape="20,30", model={"preset": "lstm", "layout": "cl"})
    assert "Drop --layout cl" in problem.instead


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({"input_shape": "3,8", "model": {"vocab_size": 9}}, "--vocab-size is for token ids"),
        ({"input_shape": "8", "model": {"preset": "lstm"}}, "cannot read 8, a row of numbers"),
        (
            {"input_shape": "8", "model": {"preset": "mlp", "vocab_size": 9}},
            "cannot read 8, a sequence of token ids",
        ),
        ({"model": {"preset": "cnn", "layers": "relu"}}, "--model and --layers are two models"),
        ({"task": "binary", "output_shape": "2"}, "binary has one output, not 2"),
        ({"output_shape": "1"}, "multiclass with 1 output"),
        ({"output_shape": "2,3"}, "multiclass has one axis of outputs, not 2,3"),
        ({"task": "multilabel", "output_shape": "2,3"}, "multilabel has one axis of outputs, not 2,3"),
    ],
)
def test_shapes_against_task_and_model(answers: dict[str, Any], what: str) -> None:
    problem = problem_of(**answers)
    assert what in problem.what
    assert problem.instead


@pytest.mark.parametrize("vocab", [0, 1, -1, 2**31, True, 2.5, "many", None])
def test_bad_vocab_sizes(vocab: Any) -> None:
    assert problem_of(input_shape="8", model={"vocab_size": vocab}).key == "model.vocab_size"


def test_views_of_digits() -> None:
    def shape(**answers: Any) -> tuple[int, ...]:
        return Spec.from_dict({**DIGITS, **answers}).input_shape

    assert shape() == (1, 8, 8)
    assert shape(model={"preset": "mlp"}) == (1, 8, 8)
    assert shape(model={"preset": "lstm"}) == (8, 8)
    assert shape(model={"layers": "gru(8)"}) == (8, 8)
    assert shape(input_shape="64") == (64,)
    assert shape(input_shape="8,8") == (8, 8)
    (problem,) = problems_of({**DIGITS, "input_shape": "1,28,28"})
    assert "1,28,28" in problem.what and "1,8,8 or 8,8 or 64" in problem.what


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"output_shape": "9"}, ("--output-shape 9", "has 10")),
        ({"task": "binary"}, ("binary", "10 classes")),
        ({"task": "regression"}, ("regression", "10 classes")),
    ],
)
def test_what_was_given_must_agree_with_the_data(answers: dict[str, Any], words: tuple[str, ...]) -> None:
    (problem,) = problems_of({**DIGITS, **answers})
    assert all(word in f"{problem.what} {problem.why}" for word in words)


# --- loss, optimizer, weights

MISFITS = [(task, loss) for task, row in TASKS.items() for loss in LOSSES if loss not in row.losses]


@pytest.mark.parametrize(("task", "loss"), MISFITS)
def test_a_loss_that_does_not_fit_is_refused(task: str, loss: str) -> None:
    outputs = {"binary": "1"}.get(task, "3")
    problem = problem_of(task=task, output_shape=outputs, training={"loss": loss})
    assert loss in problem.what and task in problem.what
    assert TASKS[task].target_is in problem.why
    assert TASKS[task].losses[0] in problem.instead


def test_nesterov_needs_momentum() -> None:
    training: dict[str, Any] = {"optimizer": "sgd", "nesterov": True}
    assert spec_of(training=training).training.settings["momentum"] == 0.9
    assert problem_of(training={**training, "momentum": 0}).key == "training.nesterov"


@pytest.mark.parametrize(("given", "count"), [([1.0] * 9, 9), ("1,2", 2), (3, 1)])
def test_weights_are_counted(given: Any, count: int) -> None:
    problem = problem_of(training={"class_weights": given})
    assert f"{count} numbers and the output has 10" in problem.what


@pytest.mark.parametrize("given", ["balance", "0,1", "1,nan", "1,inf", [], [[1.0]], {}, True, "-1," * 10, ""])
def test_bad_weights(given: Any) -> None:
    assert problem_of(training={"class_weights": given}).key == "training.class_weights"


def recorded(task: str, output: int, **data: Any) -> Spec:
    answers = {"name": "demo", "task": task, "input_shape": [4], "output_shape": [output]}
    weights = {"class_weights" if task == "multiclass" else "pos_weight": "balanced"}
    return Spec.from_dict({**answers, "data": {"source": "npz:d.npz", **data}, "training": weights})


def test_balanced_weights_are_worked_out_from_the_counts() -> None:
    spec = recorded("multiclass", 3, samples=120, classes=["a", "b", "c"], counts=[60, 40, 20])
    assert spec.training.settings["class_weights"] == (0.6667, 1.0, 2.0)
    spec = recorded("binary", 1, samples=120, classes=["no", "yes"], counts=[90, 30])
    assert spec.training.settings["pos_weight"] == (3.0,)
    spec = recorded("multilabel", 3, samples=100, classes=["a", "b", "c"], counts=[50, 20, 1])
    assert spec.training.settings["pos_weight"] == (1.0, 4.0, 99.0)


def test_balanced_weights_are_never_zero_nor_infinite() -> None:
    spec = recorded("multilabel", 2, samples=10**9, classes=["a", "b"], counts=[10**9, 0])
    assert spec.training.settings["pos_weight"] == (1e-09, 1e9)
    assert again(spec) == spec
    spec = recorded("multiclass", 2, samples=100, classes=["a", "b"], counts=[100, 0])
    assert spec.training.settings["class_weights"] == (0.5, 100.0)


def test_balanced_made_data_weighs_all_alike() -> None:
    assert spec_of(training={"class_weights": "balanced"}).training.settings["class_weights"] == (1.0,) * 10


def test_balanced_weights_of_many_classes_are_read_back() -> None:
    spec = spec_of(output_shape="1500", input_shape="4", training={"class_weights": "balanced"})
    assert again(spec) == spec


# --- recorded facts

RECORDED: dict[str, Any] = {
    "name": "demo",
    "task": "multiclass",
    "input_shape": [2],
    "output_shape": [3],
    "data": {
        "source": "csv:gone.csv",
        "target": ["kind"],
        "samples": 90,
        "classes": ["a", "b", "c"],
        "counts": [30, 30, 30],
        "columns": ["x", "z"],
    },
}


def test_recorded_facts_need_no_file() -> None:
    spec = Spec.from_dict(RECORDED)
    assert (spec.data.columns, spec.data.classes, spec.data.samples) == (("x", "z"), ("a", "b", "c"), 90)
    assert generate(spec) == generate(again(spec))


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["a", "b"]},
        {"classes": ["a", "b", "b"]},
        {"classes": ["a", "b", "c", "d"]},
        {"counts": [90]},
        {"columns": ["x"]},
        {"columns": ["x", "x"]},
        {"columns": ["x", "y", "z"]},
        {"test_samples": 20},
        {"resize": [8, 8]},
    ],
)
def test_recorded_facts_that_contradict_each_other(change: dict[str, Any]) -> None:
    (problem,) = problems_of({**RECORDED, "data": {**RECORDED["data"], **change}})
    assert problem.key.startswith("data.") and problem.instead


@pytest.mark.parametrize("source", ["images:gone", "hf:gone", "hfdir:gone"])
@pytest.mark.parametrize(
    "sets", [{"test_samples": 20}, {"test_samples": 20, "val_samples": 10, "parts": ["a", "b"]}]
)
def test_splits_of_the_sources_own_have_names(source: str, sets: dict[str, Any]) -> None:
    """They stand in dataset.py."""
    answers = {**RECORDED, "input_shape": [3, 8, 8]}
    data = {"source": source, "samples": 90, "classes": ["a", "b", "c"]}
    if source != "images:gone":
        data |= {"columns": ["x"], "target": ["y"], "kinds": ["image"]}
    (problem,) = problems_of({**answers, "data": {**data, **sets}})
    assert problem.key == "data.parts" and "splits" in problem.why + problem.what and problem.instead
    Spec.from_dict({**answers, "data": {**data, **sets, "parts": ["a", "b", "c"]}})


@pytest.mark.parametrize(
    "data",
    [
        {"source": "images:gone"},
        {"source": "imagelist:gone.csv", "columns": ["x"], "target": ["y"]},
        {"source": "hf:gone", "columns": ["x"], "target": ["y"], "kinds": ["image"]},
        {"source": "csv:gone.csv", "columns": ["x"], "target": ["y"], "kinds": ["image"]},
        {"source": "npz:gone.npz", "kinds": ["number"]},
    ],
)
def test_recorded_kinds_and_shapes_are_those_of_the_source(data: dict[str, Any]) -> None:
    facts = {"samples": 90, "classes": ["a", "b", "c"]}
    (problem,) = problems_of({**RECORDED, "input_shape": 1, "data": {**facts, **data}})
    assert problem.key in ("input_shape", "data.kinds") and "contradict" in problem.why


@pytest.mark.parametrize("name", ["samples", "classes", "columns", "target"])
def test_incomplete_facts_are_read_again(name: str) -> None:
    data = {key: value for key, value in RECORDED["data"].items() if key != name}
    (problem,) = problems_of({**RECORDED, "data": data})
    assert "there is no file 'gone.csv'" in problem.what


@pytest.mark.parametrize("held", [81, 90, 10**9])
def test_a_test_set_leaves_enough_to_train_on(held: int) -> None:
    data = {"source": "npz:gone.npz", "samples": 90, "test_samples": held, "classes": ["a", "b", "c"]}
    (problem,) = problems_of({**RECORDED, "data": data})
    assert "samples besides the test set" in problem.what


@pytest.mark.parametrize(
    "name", ["test_samples", "counts", "columns", "target", "resize", "augment", "stream"]
)
def test_made_data_has_no_facts_of_a_file(name: str) -> None:
    value = {"test_samples": 20, "resize": "8,8", "augment": "flip", "stream": "yes"}.get(name, "1")
    assert problem_of(data={name: value}).key == f"data.{name}"


@pytest.mark.parametrize(
    ("answers", "classes"),
    [
        ({}, "a,b"),
        ({}, "a,a,c,d,e,f,g,h,i,j"),
        ({"task": "binary", "output_shape": 1}, "yes"),
        ({"task": "regression"}, "a,b"),
    ],
)
def test_names_for_made_classes_are_counted(answers: dict[str, Any], classes: str) -> None:
    assert "data" in problem_of(**answers, data={"classes": classes}).key


# --- flags over a file


def test_neither_side_of_a_merge_changes() -> None:
    file = {**BASE, "model": {"preset": "cnn", "channels": [4]}, "training": {"lr": 0.1}}
    flags = {"model.preset": "mlp", "training.lr": "0.2"}
    before = (repr(file), repr(flags))
    merged = merge(file, flags)
    assert (repr(file), repr(flags)) == before
    assert merged["model"] == {"preset": "mlp"} and merged["training"] == {"lr": "0.2"}


@pytest.mark.parametrize(
    ("file", "flags", "gone", "kept"),
    [
        (
            {"training": {"optimizer": "sgd", "momentum": 0.5}},
            {"training.optimizer": "adam"},
            ["momentum"],
            [],
        ),
        (
            {"training": {"optimizer": "sgd", "momentum": 0.5}},
            {"training.optimizer": "sgd"},
            [],
            ["momentum"],
        ),
        ({"training": {"loss": "huber", "delta": 2.0}}, {"task": "multiclass"}, ["loss", "delta"], []),
        ({"training": {"schedule": "step", "gamma": 0.5}}, {"training.schedule": "none"}, ["gamma"], []),
        ({"model": {"preset": "cnn", "channels": [4]}}, {"model.layers": "relu"}, ["preset", "channels"], []),
        ({"model": {"layers": ["relu"], "layout": "cl"}}, {"model.preset": "cnn"}, ["layers"], ["layout"]),
        ({"model": {"preset": "cnn", "channels": [4]}}, {"model.preset": "cnn"}, [], ["channels"]),
        ({"training": {"lr": 0.1, "seed": 3}}, {"training.seed": "4"}, [], ["lr", "seed"]),
    ],
)
def test_a_flag_takes_along_what_belonged_to_the_old_answer(
    file: dict[str, Any], flags: dict[str, str], gone: list[str], kept: list[str]
) -> None:
    merged = merge(file, flags)
    (table,) = (merged[name] for name in file)
    assert not set(gone) & set(table)
    assert set(kept) <= set(table)


FACTS = {"samples", "classes", "counts", "columns"}


@pytest.mark.parametrize(
    ("flags", "gone"),
    [
        ({}, set()),
        ({"data.source": "csv:gone.csv", "data.target": "kind", "input_shape": "2"}, set()),
        ({"data.source": "csv:new.csv"}, FACTS | {"target", "task", "input_shape", "output_shape"}),
        ({"data.target": "x"}, FACTS | {"task", "input_shape", "output_shape"}),
        ({"task": "regression"}, FACTS | {"output_shape"}),
        ({"input_shape": "3"}, FACTS),
        ({"output_shape": "4"}, FACTS),
        ({"data.source": "synthetic"}, FACTS | {"target"}),
    ],
)
def test_a_flag_about_the_data_has_it_read_again(flags: dict[str, str], gone: set[str]) -> None:
    def leaves(answers: Mapping[str, Any]) -> set[str]:
        return {
            name for key, value in answers.items() for name in (value if isinstance(value, dict) else [key])
        }

    given = {key.rpartition(".")[2] for key in flags}
    assert leaves(RECORDED) - leaves(merge(RECORDED, flags)) == gone - given


def test_flags_over_a_recorded_file_never_make_a_spec_that_the_data_contradicts() -> None:
    for flags in ({"input_shape": "5"}, {"task": "regression"}, {"data.target": "x"}, {"output_shape": "2"}):
        with pytest.raises(SpecError, match=r"no file 'gone\.csv'"):
            Spec.from_dict(merge(RECORDED, flags))


@pytest.mark.parametrize("file", [{"model": 3}, {"data": "x"}, {"training": []}, {"project": None}])
@pytest.mark.parametrize("flag", ["model.preset", "data.source", "training.loss", "project.ci", "task"])
def test_a_table_that_is_none_is_told_and_not_stumbled_over(file: dict[str, Any], flag: str) -> None:
    values = {"model.preset": "cnn", "data.source": "synthetic", "training.loss": "cross_entropy"}
    merged = merge(
        {**BASE, **file}, {flag: values.get(flag, "none" if flag == "project.ci" else "multiclass")}
    )
    (problem,) = problems_of(merged)
    assert problem.what == f"{next(iter(file))} is a table"


def test_set_reaches_any_key() -> None:
    assert parse_set(" training.weight_decay = 0.01 ") == ("training.weight_decay", "0.01")
    assert parse_set("data.source=csv:a=b.csv") == ("data.source", "csv:a=b.csv")
    flags = dict([parse_set("training.weight_decay=0.01"), parse_set("task=regression")])
    spec = Spec.from_dict(merge({**BASE, "output_shape": "2,4"}, flags))
    assert spec.training.settings["weight_decay"] == 0.01 and spec.task == "regression"


@pytest.mark.parametrize("text", ["training.lr", "=3", " = 3", "", "a" * 1000])
def test_set_without_key_or_value(text: str) -> None:
    with pytest.raises(SpecError, match="--set"):
        parse_set(text)


@pytest.mark.parametrize("text", ["model=cnn", "training=1"])
def test_set_of_a_whole_table(text: str) -> None:
    merged = merge(BASE, dict([parse_set(text), parse_set(f"{text.partition('=')[0]}.dropout=1")]))
    (problem,) = problems_of(merged)
    assert "is a table" in problem.what


# --- what does nothing, or too much


def test_embedding_dim_without_tokens_does_nothing() -> None:
    problem = problem_of(input_shape="20,3", model={"preset": "gru", "embedding_dim": 5})
    assert problem.what == "model.embedding_dim does nothing here"
    assert problem.why.endswith("this is the gru preset without --vocab-size")
    assert "embedding_dim" not in spec_of(input_shape="20,3", model={"preset": "gru"}).model.settings


def test_dropout_without_hidden_layers_drops_out() -> None:
    spec = spec_of(input_shape="20", model={"preset": "mean", "vocab_size": 9, "dropout": 0.5})
    assert [call.name for call in spec.model.layers] == ["embedding", "mean", "dropout"]


def test_batchnorm_needs_two_samples() -> None:
    model = {"layers": "linear(8) -> batchnorm -> relu"}
    problem = problem_of(input_shape="4", model=model, training={"batch_size": 1})
    assert problem.key == "training.batch_size"
    assert "2 or more" in problem.instead
    spec_of(input_shape="4", model=model, training={"batch_size": 2})
    over_maps = {"layers": "conv(8, 3) -> batchnorm"}
    spec_of(input_shape="1,8,8", model=over_maps, training={"batch_size": 1})


def test_beyond_three_spatial_axes_the_usual_model_is_an_mlp() -> None:
    assert spec_of(input_shape="2,3,4,5,6").model.preset == "mlp"


def test_a_layout_can_be_dropped() -> None:
    assert (
        "Drop --layout tf" in problem_of(input_shape="3,50", model={"preset": "cnn", "layout": "tf"}).instead
    )


def test_a_last_layer_that_is_torchgens_own() -> None:
    notes = [plan(spec_of(input_shape="4", model={"layers": f"linear({last})"})).notes for last in (10, 9)]
    assert "linear(10) stands at the end twice" in notes[0][0] and not notes[1]


# --- torchgen.toml

shapes_of = st.lists(st.integers(1, 12), min_size=1, max_size=4)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Answers that are right: a task, its shapes, a preset that reads them, settings of the chosen rows."""
    task = draw(st.sampled_from(sorted(TASKS)))
    outputs = {
        "binary": st.just([1]),
        "regression": st.lists(st.integers(1, 4), min_size=1, max_size=3),
        "multiclass": st.integers(2, 6).map(lambda n: [n]),
        "multilabel": st.integers(1, 6).map(lambda n: [n]),
    }
    output = draw(outputs[TASKS[task].form])
    model: dict[str, Any] = {}
    data: dict[str, Any] = {}
    kind = draw(st.sampled_from(["features", "sequence", "map", "tokens", "csv"]))
    if kind == "csv" and len(output) == 1:
        names = draw(st.lists(words, min_size=6, max_size=6, unique=True))
        columns, targets = names[:3], names[3:4]
        targets = (
            (targets + names[4:] + ["…1", "…2", "…3"])[: output[0]]
            if task in ("multilabel", "regression")
            else targets
        )
        columns = [name for name in columns if name not in targets]
        data = {
            "source": "csv:" + draw(words),
            "samples": draw(st.integers(10, 5000)),
            "columns": columns,
            "target": targets,
        }
        if TASKS[task].classifies:
            count = 2 if task == "binary" else output[0]
            data["classes"] = draw(st.lists(words, min_size=count, max_size=count, unique=True))
            data["counts"] = draw(st.lists(st.integers(0, 999), min_size=count, max_size=count))
        shape = [len(columns)]
    else:
        rank = {"features": 1, "csv": 1, "sequence": 2, "tokens": 1}.get(kind) or draw(st.integers(3, 4))
        shape = draw(st.lists(st.integers(4, 9), min_size=rank, max_size=rank))
        shape[-1:] = [5] if shape[-1] == 4 else shape[-1:]  # 5,6,4 would look channels-last
        data = draw(st.sampled_from([{}, {"samples": 123}, {"source": "synthetic"}]))
        if kind == "tokens":
            model["vocab_size"] = draw(st.integers(2, 99))
    axes = {"csv": "features"}.get(kind, kind)
    rows = [row for row in PRESETS.values() if axes in row.reads]
    preset = draw(st.sampled_from(rows))
    model["preset"] = preset.name
    pools: dict[str, Any] = {
        "hidden": st.lists(st.integers(1, 9), min_size=1, max_size=3),
        "channels": st.lists(st.integers(1, 9), min_size=1, max_size=2),
        "dropout": st.floats(0, 0.95),
        "batchnorm": st.booleans(),
        "bidirectional": st.booleans(),
    }
    for name in preset.settings_for("tokens" if kind == "tokens" else "features"):
        if draw(st.booleans()) and name not in ("channels",):
            model[name] = draw(pools.get(name, st.integers(1, 3)))
    training: dict[str, Any] = {}
    for name, strategy in (
        ("optimizer", st.sampled_from(sorted(OPTIMIZERS))),
        ("schedule", st.sampled_from(sorted(SCHEDULES))),
        ("epochs", st.integers(1, 10**6)),
        ("batch_size", st.integers(1, 999)),
        ("lr", st.floats(0, 1000, exclude_min=True)),
        ("seed", st.integers(0, 2**31 - 1)),
        ("clip_norm", st.floats(0, 1e300)),
        ("patience", st.integers(0, 99)),
    ):
        if draw(st.booleans()):
            training[name] = draw(strategy)
    loss = training["loss"] = draw(st.sampled_from(TASKS[task].losses))
    for name in LOSSES[loss].settings:
        if name in ("class_weights", "pos_weight"):
            weights = st.lists(st.floats(1e-6, 1e6), min_size=output[0], max_size=output[0])
            training[name] = draw(st.one_of(st.just("none"), st.just("balanced"), weights))
    project = {
        "profile": draw(st.sampled_from(["lesson", "standard"])),
        "ci": draw(st.sampled_from(["none", "github", "gitlab"])),
    }
    if draw(st.booleans()):
        model = {
            "layers": draw(
                st.sampled_from(["flatten -> linear(4) -> relu", ["flatten", "linear(3)", "tanh"]])
            )
        }
        if kind == "tokens":
            model = {"layers": "embedding(4) -> lstm(3, bidirectional=True)", "vocab_size": 9}
        if kind in ("features", "csv"):
            model = {"layers": "linear(4) -> leaky_relu(0.2) -> dropout(0.1)"}
    return {
        "name": "demo",
        "task": task,
        "input_shape": shape,
        "output_shape": output,
        "model": model,
        "data": data,
        "training": training,
        "project": project,
    }


@settings(max_examples=120)
@given(specs())
def test_a_spec_is_read_back_from_its_toml(answers: dict[str, Any]) -> None:
    spec = Spec.from_dict(answers)
    back = again(spec)
    assert back == spec
    assert back.to_toml() == spec.to_toml()
    assert plan(back).to_dict() == plan(spec).to_dict()


@settings(max_examples=12)
@given(specs())
def test_the_toml_gives_the_same_bytes(answers: dict[str, Any]) -> None:
    spec = Spec.from_dict(answers)
    files = generate(spec)
    assert tomllib.loads(files["torchgen.toml"]) == tomllib.loads(spec.to_toml())
    assert generate(again(spec)) == files


@pytest.mark.parametrize("layers", ["conv(4, 3) -> relu", ["conv(4, 3)", "relu"], "conv(4,3)→relu"])
def test_layers_as_text_or_list(layers: Any) -> None:
    spec = spec_of(model={"layers": layers})
    assert [str(call) for call in spec.model.layers] == ["conv(4, 3)", "relu"]
    assert again(spec) == spec


# --- wrong types: never anything but SpecError

JUNK: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    10**30,
    10**5000,
    -(10**5000),
    0.5,
    math.nan,
    math.inf,
    -math.inf,
    "",
    " ",
    "a",
    "\0",
    "\ud800",
    "9" * 5000,
    "nan",
    "inf",
    "1_000",
    "٣",
    "->",
    "()" * 3000,
    "a:b:c",
    ":",
    "csv:",
    "csv:\0",
    "csv:\ud800",
    "npz:" + "x" * 5000,
    "images:" + "/a" * 300,
    "images:/dev/null",
    [],
    [[]],
    [[1], [2]],
    [None],
    ["a", 1],
    ["\ud800"],
    [math.nan],
    [10**5000],
    {},
    {"a": {"b": 1}},
    [{"a": 1}],
    (),
    (1, 2),
    b"bytes",
    date(2024, 1, 1),
    time(1, 2),
    datetime(2024, 1, 1, tzinfo=UTC),
    object(),
]
deep: Any = []
for _ in range(5000):
    deep = [deep]
JUNK.append(deep)

EVERY_KEY = [*SETTINGS, *row_settings(), "unknown", "model.unknown", "\0", "model.\ud800", "data.x.y"]


@pytest.mark.parametrize("key", EVERY_KEY)
def test_junk_is_a_spec_error_or_a_spec(key: str) -> None:
    table, dot, name = key.partition(".")
    for junk in JUNK:
        answers = {**BASE, **({table: {name: junk}} if dot else {key: junk})}
        try:
            spec = Spec.from_dict(answers)
        except SpecError as error:
            str(error).encode("utf-8", "backslashreplace")
            assert error.problems
        else:
            assert again(spec) == spec, junk


@pytest.mark.parametrize("table", ["model", "data", "training", "project"])
def test_junk_for_a_table(table: str) -> None:
    for junk in JUNK:
        if isinstance(junk, dict):
            continue
        assert problem_of(**{table: junk}).what == f"{table} is a table"


def test_keys_that_are_no_strings() -> None:
    assert problem_of(model={3: 1}).what == "there is no setting 'model.3'"
    (problem,) = problems_of({**BASE, 3: 1})  # type: ignore[dict-item]
    assert problem.what == "there is no setting '3'"


junk_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(EVERY_KEY), junk_values, max_size=6))
def test_junk_together(flags: dict[str, Any]) -> None:
    try:
        Spec.from_dict(merge(BASE, flags))
    except SpecError as error:
        assert error.problems


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(k for k in EVERY_KEY if not k.endswith(("\0", "\ud800")))), st.text(max_size=30)
)
def test_any_text_of_set(key: str, text: str) -> None:
    try:
        Spec.from_dict(merge(BASE, dict([parse_set(f"{key}={text}")])))
    except SpecError as error:
        assert error.problems


# --- files

BAD_FILES: dict[str, bytes] = {
    "not toml": b"a = ",
    "not utf-8": b'name = "\xff"',
    "a nul": b"\0",
    "digits": b"a = " + b"9" * 5000,
    "hex": b"input_shape = 0x" + b"f" * 5000,
    "brackets": b"a = " + b"[" * 5000,
    "twice": b"a = 1\na = 2",
    "dots": b"a" + b".a" * 3000 + b" = 1",
    "a table as a value": b'model = "cnn"',
    "an array of tables": b"[[model]]\npreset = 'cnn'",
    "an empty file": b"",
    "a date": b"input_shape = 2024-01-01",
    "json": b'{"task": "binary"}',
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_a_spec_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "torchgen.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        Spec.from_toml(path)
    with pytest.raises(SpecError):
        Spec.from_dict(merge(read_toml(path), {"model.preset": "cnn", "training.lr": "1"}))


@pytest.mark.parametrize("name", ["absent.toml", ".", "a\0b", "\ud800", "x" * 5000])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match="cannot read") as caught:
        Spec.from_toml(tmp_path / name)
    assert "--config FILE" in caught.value.problems[0].instead


def test_a_file_that_an_editor_marked(tmp_path: Path) -> None:
    path = tmp_path / "torchgen.toml"
    path.write_bytes(b"\xef\xbb\xbf" + spec_of().to_toml().replace("\n", "\r\n").encode())
    assert Spec.from_toml(str(path)) == spec_of()


def test_a_key_in_quotes_is_told_where_it_belongs() -> None:
    """TOML reads `"training.lr" = 0.1` as one name that holds a dot."""
    (problem,) = problems_of({**BASE, "training.lr": 0.1})
    assert "'training.lr' at the top" in problem.what
    assert problem.instead == "Write lr under [training]."
