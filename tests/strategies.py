"""Random specs over the whole option space, drawn from the registries: a new row is covered by itself.

What is drawn fits most of the time; what torchgen refuses is drawn again, so that every spec that comes out is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from test_layers_torch import ARGUMENTS
from torchgen_scaffold import Spec, SpecError
from torchgen_scaffold.answers.shapes import axes_of
from torchgen_scaffold.errors import LayerError
from torchgen_scaffold.kinds import Choice, Flag, Integer, Kind, Number, Setting
from torchgen_scaffold.layers import LAYERS
from torchgen_scaffold.layers.base import LayerCall, Signal
from torchgen_scaffold.layers.trace import trace
from torchgen_scaffold.lists import Many, Weights
from torchgen_scaffold.presets import PRESETS
from torchgen_scaffold.settings import SETTINGS
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

Answers = dict[str, Any]
WIDEST = 8  # of layers and maps: projects that train in a second


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Small values of one kind."""
    if isinstance(kind, Integer):
        return st.integers(kind.low, min(kind.high, max(kind.low, 1) + 2))
    if isinstance(kind, Number):
        most = min(kind.high, 0.9)
        low = kind.low + (most - kind.low) / 1000 if kind.above else kind.low
        return st.sampled_from([low, (low + most) / 2, most])
    if isinstance(kind, Flag):
        return st.booleans()
    if isinstance(kind, Choice):
        return st.sampled_from(list(kind.options))
    if isinstance(kind, Many) and isinstance(kind.item, Integer):
        return st.lists(st.integers(1, WIDEST), min_size=1, max_size=3)
    if isinstance(kind, Weights):
        return st.sampled_from(["none", "balanced"])
    raise TypeError(f"no values are known of {kind}: say here what to draw")


def some_of(settings: Mapping[str, Setting]) -> st.SearchStrategy[Answers]:
    """Any choice of the settings of a row, each with some value."""
    return st.fixed_dictionaries({}, optional={name: values(row.kind) for name, row in settings.items()})


SIZES = st.integers(1, 12)
INPUTS: dict[str, st.SearchStrategy[tuple[int, ...]]] = {
    "features": st.tuples(SIZES),
    "sequence": st.tuples(SIZES, SIZES),
    "tokens": st.tuples(SIZES),
    "map": st.integers(1, 3).flatmap(lambda n: st.tuples(st.integers(1, 4), *[SIZES] * n)),
}
OUTPUTS = {
    "binary": st.just((1,)),
    "multiclass": st.tuples(st.integers(2, 6)),
    "multilabel": st.tuples(st.integers(1, 4)),
    "regression": st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
}


@st.composite
def layers(draw: st.DrawFn, signal: Signal, vocab_size: int | None) -> str:
    """A list of layers that fit, of any type, with any of its arguments; at least one."""
    calls: list[LayerCall] = []
    wanted = draw(st.integers(1, 6))
    shape = signal.shape
    for _ in range(4 * wanted):
        name = draw(st.sampled_from(sorted(LAYERS)))
        args = draw(ARGUMENTS[name][1](shape)) if name in ARGUMENTS else {}
        try:
            found = trace([*calls, LayerCall(name, (), args)], signal, vocab_size=vocab_size)
        except LayerError:
            continue
        calls.append(LayerCall(name, (), args))
        shape = found.layers[-1].out_shape
        if len(calls) == wanted:
            break
    assume(calls)
    return " -> ".join(map(str, calls))


@st.composite
def training(draw: st.DrawFn, losses: tuple[str, ...]) -> Answers:
    """Everything that `[training]` may hold."""
    loss, optimizer, schedule = (
        draw(st.sampled_from(names)) for names in (losses, sorted(OPTIMIZERS), sorted(SCHEDULES))
    )
    own = {
        **draw(some_of(LOSSES[loss].settings)),
        **draw(some_of(OPTIMIZERS[optimizer].settings)),
        **draw(some_of(SCHEDULES[schedule].settings)),
    }
    usual = {
        "epochs": st.integers(1, 3),
        "batch_size": st.integers(2, 40),
        "lr": st.sampled_from([1e-4, 1e-3, 1e-2]),
        "seed": st.integers(0, 2**31 - 1),
        "clip_norm": st.sampled_from([0, 0.5, 1]),
        "patience": st.integers(0, 3),
    }
    return {**own, "loss": loss, "optimizer": optimizer, "schedule": schedule, **draw(some(usual))}


def some(table: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Answers]:
    return st.fixed_dictionaries({}, optional=table)


def choice_of(key: str) -> st.SearchStrategy[Any]:
    kind = SETTINGS[key].kind
    assert isinstance(kind, Choice)
    return st.sampled_from(list(kind.options))


PROJECT = some({"profile": choice_of("project.profile"), "ci": choice_of("project.ci")})


@st.composite
def made_up(draw: st.DrawFn) -> Answers:
    """Answers of a project on made data: any task, any shape, any preset or own layers."""
    task = draw(st.sampled_from(sorted(TASKS)))
    preset = draw(st.sampled_from(sorted(PRESETS)))
    axes = draw(st.sampled_from(PRESETS[preset].reads))
    shape = draw(INPUTS[axes])
    vocab_size = draw(st.integers(3, 30)) if axes == "tokens" else None
    model: Answers = {"vocab_size": vocab_size} if vocab_size else {}
    if axes == "map" and (len(shape) == 2 or draw(st.booleans())):
        model["layout"] = "cl"
    if axes_of(shape, model.get("layout"), vocab_size) == axes and draw(st.booleans()):
        model["layers"] = draw(layers(Signal(shape, axes), vocab_size))
    else:
        model |= {"preset": preset, **draw(some_of(PRESETS[preset].settings_for(axes)))}
    return {
        "name": "drawn",
        "task": task,
        "input_shape": list(shape),
        "output_shape": list(draw(OUTPUTS[TASKS[task].form])),
        "model": model,
        "data": {"source": "synthetic", "samples": draw(st.integers(30, 90))},
        "training": draw(training(TASKS[task].losses)),
        "project": draw(PROJECT),
    }


@st.composite
def from_data(draw: st.DrawFn, pool: list[Answers]) -> Answers:
    """Answers of a project on one of these sets; torchgen works the rest out."""
    answers = dict(draw(st.sampled_from(pool)))
    answers |= {"name": "drawn", "project": draw(PROJECT)}
    task = answers.get("task")
    if task and draw(st.booleans()):
        answers["training"] = draw(training(TASKS[task].losses))
    return answers


@st.composite
def valid(draw: st.DrawFn, pool: list[Answers], base: Path) -> tuple[Answers, Spec]:
    """Answers that torchgen takes, and the Spec that they become; paths are relative to `base`."""
    answers = draw(made_up() | made_up() | made_up() | from_data(pool))
    try:
        return answers, Spec.from_dict(answers, base=base, into=base)
    except SpecError:
        assume(False)
        raise


# Data of each kind, made once.


def make_pool(folder: Path) -> list[Answers]:
    """Small files of every kind that a source reads, with hostile names in them, and the answers that name them."""
    from PIL import Image

    chance = np.random.default_rng(0)
    rows = [
        f'{chance.normal():.3f},{chance.integers(5)},{"" if i % 9 == 0 else i},2024-0{1 + i % 9}-11,'
        f'{"abc"[i % 3]},"good {i % 7} film, ""{"xyz"[i % 3]}""",{"yes" if i % 2 else "no"},{i % 3}'
        for i in range(60)
    ]
    names = 'a,"b""; import os","c\'\\n{x}",d ü 日,"e # f",text,"yes?",class'
    (folder / "a 'b\" #.csv").write_text("\n".join([names, *rows]) + "\n", encoding="utf-8")
    table = "csv:a 'b\" #.csv"
    inputs = chance.normal(size=(50, 7, 3)).astype("float32")
    for name, targets in (
        ("classes", chance.integers(3, size=50)),
        ("numbers", chance.normal(size=(50, 2, 2)).astype("float32")),
        ("labels", chance.integers(2, size=(50, 4)).astype("float32")),
    ):
        np.savez(folder / f"{name}.npz", inputs=inputs, targets=targets)
    ragged = inputs.copy()
    for row, length in enumerate(chance.integers(2, 8, size=50)):
        ragged[row, length:] = np.nan
    np.savez(folder / "ragged.npz", inputs=ragged, targets=chance.integers(2, size=50))
    for label in ("cat's", 'dog"s', "日本"):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(8):
            pixels = chance.integers(0, 256, size=(9, 11, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{number}.png")
    return [
        {"task": "multiclass", "data": {"source": table, "target": "class", "drop": "text"}},
        {"task": "multiclass", "data": {"source": table, "target": "class"}},
        {"task": "binary", "data": {"source": table, "target": "yes?"}},
        {"task": "regression", "data": {"source": table, "target": "a", "group": "e # f"}},
        {"data": {"source": "npz:classes.npz"}, "task": "multiclass"},
        {"data": {"source": "npz:numbers.npz"}, "task": "regression"},
        {"data": {"source": "npz:labels.npz"}, "task": "multilabel"},
        {"data": {"source": "npz:ragged.npz"}, "task": "binary"},
        {"data": {"source": "images:photos"}, "task": "multiclass"},
        {"data": {"source": "sklearn:iris"}, "task": "multiclass"},
    ]
