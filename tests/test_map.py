"""Every cell of the map, trained: each task with each kind of model, and every pair of options at least once.

A row is one project: its own tests, an epoch, eval and predict, with warnings as errors. Rows come from a pairwise
cover of the option space, so that no two options meet for the first time at a user's desk. Sizes are chosen so that
the last batch is partial.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from allpairspy import AllPairs

from projects import make, run, run_tests
from torchgen_scaffold import Spec
from torchgen_scaffold.kinds import Choice
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS

INPUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "linear on a row": ("5", {"preset": "linear"}),
    "linear on an image": ("1,4,4", {"preset": "linear"}),
    "mlp on a row": ("5", {"preset": "mlp", "dropout": 0.2}),
    "mlp on a sequence": ("6,3", {"preset": "mlp", "hidden": [16]}),
    "cnn 1d": ("3,19", {"preset": "cnn", "layout": "cl"}),
    "cnn 2d": ("3,9,11", {"preset": "cnn", "batchnorm": True, "dropout": 0.1}),
    "cnn 3d": ("1,6,7,8", {"preset": "cnn", "channels": [4]}),
    "cnn on one pixel": ("2,1,1", {"preset": "cnn"}),
    "rnn": ("7,3", {"preset": "rnn", "hidden_size": 12}),
    "lstm": ("7,3", {"preset": "lstm", "num_layers": 2, "bidirectional": True, "dropout": 0.1}),
    "gru": ("7,3", {"preset": "gru", "dropout": 0.2}),
    "rnn on tokens": ("9", {"preset": "rnn", "vocab_size": 30, "num_layers": 2, "dropout": 0.1}),
    "lstm on tokens": ("9", {"preset": "lstm", "vocab_size": 30, "embedding_dim": 8}),
    "gru on tokens": ("9", {"preset": "gru", "vocab_size": 30, "bidirectional": True}),
    "mean of tokens": ("9", {"preset": "mean", "vocab_size": 30, "hidden": [16]}),
    "layers 2d": (
        "2,12,12",
        {
            "layers": 'conv(8, 3, padding="same", bias=False) -> batchnorm -> leaky_relu(0.1) -> '
            "conv(8, 3, stride=2, dilation=1, groups=2, padding=1) -> elu -> convtranspose(4, 2, stride=2) -> "
            "groupnorm(2) -> gelu -> avgpool(2, ceil_mode=True) -> adaptive_maxpool((3, None)) -> layernorm -> "
            "flatten -> linear(12) -> softplus -> dropout(0.1)"
        },
    ),
    "layers over time": (
        "4,20",
        {
            "layers": "conv(6, 3) -> silu -> maxpool(2) -> transpose -> lstm(10, proj_size=4) -> layernorm -> "
            "gru(8, bidirectional=True) -> tanh -> linear(8) -> sigmoid"
        },
    ),
    "layers on tokens": (
        "9",
        {"vocab_size": 30, "layers": "embedding(6) -> rnn(8) -> mean -> linear(9) -> relu"},
    ),
    "layers, adaptive": ("1,7,9", {"layers": "conv(4, 3) -> adaptive_avgpool(2) -> mean -> linear(8)"}),
}
OUTPUTS: dict[str, tuple[str, str]] = {
    "regression of one": ("regression", "1"),
    "regression of three": ("regression", "3"),
    "regression of 2x4": ("regression", "2,4"),
    "binary": ("binary", "1"),
    "multiclass": ("multiclass", "4"),
    "multilabel": ("multilabel", "3"),
}
OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "adam"},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"optimizer": "sgd", "nesterov": True},
    {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.001},
    {"optimizer": "rmsprop", "momentum": 0.5},
]
SCHEDULES: list[dict[str, Any]] = [
    {"schedule": "none"},
    {"schedule": "cosine"},
    {"schedule": "onecycle"},
    {"schedule": "step", "step_size": 1, "gamma": 0.5},
    {"schedule": "plateau", "plateau_patience": 0},
]
PARAMETERS: dict[str, list[Any]] = {
    "input": list(INPUTS),
    "output": list(OUTPUTS),
    "loss": [0, 1, 2, 3],  # which of the task's losses, or of the ways to weigh its one loss
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "profile": ["standard", "lesson"],
    "batch_size": [16, 25, 1000],
    "clip_norm": [0.0, 0.5],
    "patience": [0, 1],
    "samples": [83, 107],
}


def weighed(task: str, way: int) -> dict[str, Any]:
    """One of four losses that fit the task."""
    if task == "regression":
        return {"loss": TASKS[task].losses[way]}
    if task == "multiclass":
        weights: list[dict[str, Any]] = [{}, {"class_weights": [1, 2, 0.5, 1]}, {"class_weights": "balanced"}]
        return [*weights, {"label_smoothing": 0.1}][way]
    outputs = {"binary": 1, "multilabel": 3}[task]
    ways: list[dict[str, Any]] = [{}, {"pos_weight": "balanced"}, {"pos_weight": [2.5] * outputs}]
    return [*ways, {"loss": "bce_with_logits"}][way]


def rows() -> list[dict[str, Any]]:
    """Answers for one project each; together they hold every pair of values of PARAMETERS."""
    found = []
    for values in AllPairs(list(PARAMETERS.values())):
        pairs = dict(zip(PARAMETERS, values, strict=True))
        shape, model = INPUTS[pairs["input"]]
        task, outputs = OUTPUTS[pairs["output"]]
        training = {name: pairs[name] for name in ("batch_size", "clip_norm", "patience")}
        training |= pairs["optimizer"] | pairs["schedule"] | weighed(task, pairs["loss"])
        found.append(
            {
                "task": task,
                "input_shape": shape,
                "output_shape": outputs,
                "model": model,
                "data": {"samples": pairs["samples"]},
                "training": training,
                "project": {"profile": pairs["profile"]},
            }
        )
    return found


ROWS = rows()


def label(answers: dict[str, Any]) -> str:
    model = answers["model"].get("preset", "layers")
    return f"{model}-{answers['input_shape']}-{answers['task']}-{answers['output_shape']}"


def prove(answers: dict[str, Any], tmp_path: Path) -> None:
    """The project's own tests, an epoch, eval and (where there is one) predict."""
    project = make(tmp_path, **answers)
    assert run_tests(project, tmp_path) >= 10
    run(project, "model.py")
    run(project, "dataset.py")
    assert "best val loss" in run(project, "train.py", "--epochs", "1")
    assert "loss" in run(project, "eval.py")
    if (project / "predict.py").exists():
        assert len(run(project, "predict.py").splitlines()) == 6  # a header and five samples


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("answers", ROWS, ids=label)
def test_a_cell_of_the_map(answers: dict[str, Any], tmp_path: Path) -> None:
    prove(answers, tmp_path)


def test_the_rows_hold_every_task_with_every_input() -> None:
    met = {(row["input_shape"], str(row["model"]), row["task"], row["output_shape"]) for row in ROWS}
    assert len(met) == len(INPUTS) * len(OUTPUTS)


def test_the_rows_hold_every_choice_there_is() -> None:
    specs = [Spec.from_dict({"name": "row", **row}) for row in ROWS]
    met: dict[str, set[Any]] = {
        "model.preset": {spec.model.preset for spec in specs},
        "training.loss": {spec.training.loss for spec in specs},
        "training.optimizer": {spec.training.optimizer for spec in specs},
        "training.schedule": {spec.training.schedule for spec in specs},
        "task": {spec.task for spec in specs},
        "project.profile": {spec.project.profile for spec in specs},
    }
    for key, values in met.items():
        kind = SETTINGS[key].kind
        assert isinstance(kind, Choice)
        assert set(kind.options) <= values, key
