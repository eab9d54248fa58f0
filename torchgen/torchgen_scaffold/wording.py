"""Layers in words: the texts that the table, the drawing and the diagram share, and the table's rows.

Every text comes out printable: what a person wrote passes through `escape.visible`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from torchgen_scaffold.escape import visible
from torchgen_scaffold.layers.base import show_shape
from torchgen_scaffold.spelling import counted

if TYPE_CHECKING:
    from torchgen_scaffold.errors import LayerError
    from torchgen_scaffold.layers.base import Traced, Value
    from torchgen_scaffold.plan import Plan

# The input's size, which torchgen fills in and nobody writes, and what every recurrent layer has.
_FILLED_IN = (
    *("in_channels", "in_features", "input_size", "num_features", "num_channels", "num_embeddings"),
    *("normalized_shape", "batch_first"),
)
# Arguments that everybody writes by place.
_BY_PLACE = (
    *("out_channels", "kernel_size", "out_features", "hidden_size", "embedding_dim", "num_groups"),
    *("output_size", "p", "unflattened_size"),
)
_TOGETHER = 4  # layers in one row of the table, at most


class Row(NamedTuple):
    """One line of the table; `style` is "" for most, "foot" for the totals, "bad" for what does not fit."""

    layer: str
    output: str
    params: str = ""
    why: str = ""
    style: str = ""


def amount(macs: int) -> str:
    """Multiply-adds in a unit that can be compared at a glance: `0.32 M multiply-adds`."""
    for size, unit, least in ((10**12, "T", 10**12), (10**9, "G", 10**9), (10**6, "M", 10**5)):
        if macs >= least:
            return f"{macs / size:,.2f} {unit} multiply-adds"
    return f"{macs:,} multiply-adds"


def call_text(layer: Traced) -> str:
    """A layer as people write it, with torch's names, without its input size: `Conv2d(32, 3, padding=1)`."""
    if layer.form == "operation":
        return layer.kind
    parts, by_place = [], True
    for name, value in layer.args.items():
        if name in _FILLED_IN or (name, layer.kind) == ("dim", "Unflatten"):
            continue
        by_place = by_place and name in _BY_PLACE
        parts.append(repr(value) if by_place else f"{name}={value!r}")
    return f"{layer.kind}({', '.join(parts)})" if parts else layer.kind


def label_of(layer: Traced) -> str:
    """A layer in two words: `Conv2d 3×3`, `Dropout 0.2`."""
    rank = int(layer.kind[-2]) if layer.kind[-2:] in ("1d", "2d", "3d") else 1
    for name in ("kernel_size", "p", "num_groups"):
        if name in layer.args:
            value = layer.args[name]
            sizes = value if isinstance(value, tuple) else (value,) * (rank if name == "kernel_size" else 1)
            return f"{layer.kind} {'×'.join(map(str, sizes))}"
    return layer.kind


def notes_of(layer: Traced) -> list[str]:
    """The arguments that the label and the shapes leave out: `stride 2`, `bidirectional`."""
    if layer.form == "operation" or layer.kind in ("Flatten", "Unflatten"):
        return []
    if layer.kind == "Embedding":
        return [f"{layer.args.get('num_embeddings', 0):,} tokens"]
    return [_note(name, value) for name, value in layer.args.items() if name not in (*_FILLED_IN, *_BY_PLACE)]


def _note(name: str, value: Value) -> str:
    words = name.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    if name == "num_layers":
        return f"{value} layers"
    text = "×".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{words} {visible(text)}"


def plan_rows(plan: Plan) -> list[Row]:
    """The whole table: the input, every layer, the totals."""
    totals = Row("", "", f"{plan.params:,}", amount(plan.macs), "foot")
    return [_input_row(plan), *_layer_rows(plan), totals]


def rows_up_to(error: LayerError) -> list[Row]:
    """The layers that fit, as they were written, then the one that does not, and why."""
    rows = [Row("input", show_shape(error.in_shape))]
    for layer in error.layers:
        rows.append(
            Row(visible(layer.item) or call_text(layer), show_shape(layer.out_shape), "", _reason(layer))
        )
    problem = error.problems[0]
    return [*rows, Row(visible(error.item), "✗", "", visible(problem.why or problem.what), "bad")]


def loss_and_optimizer(plan: Plan) -> tuple[str, str]:
    """The loss, and the optimizer with its learning rate and schedule, by torch's names."""
    from torchgen_scaffold.training import LOSSES, OPTIMIZERS, SCHEDULES

    training = plan.spec.training
    schedule = SCHEDULES[training.schedule].torch_class
    optimizer = f"{OPTIMIZERS[training.optimizer].torch_class}, lr {training.lr:g}"
    return LOSSES[training.loss].torch_class, f"{optimizer}, {schedule}" if schedule else optimizer


def _input_row(plan: Plan) -> Row:
    shape, model = plan.spec.input_shape, plan.spec.model
    why = {
        "features": counted(prod(shape), "number"),
        "sequence": f"{counted(shape[0], 'step')} of {counted(prod(shape[1:]), 'number')}",
        "map": f"{counted(shape[0], 'channel')} of {show_shape(shape[1:])}",
        "tokens": f"{counted(shape[0], 'token id')} below {model.vocab_size or 0:,}",
    }[model.signal.axes]
    return Row("input", show_shape(shape), "", why)


def _layer_rows(plan: Plan) -> Iterator[Row]:
    """A row for each layer; a few layers without parameters share one, until the shape has changed once."""
    group: list[Traced] = []
    for layer in plan.layers:
        changed = any(one.in_shape != one.out_shape for one in group)
        free = not layer.params and not any(one.params for one in group)
        if group and (not free or len(group) == _TOGETHER or (changed and layer.in_shape != layer.out_shape)):
            yield _row(group, plan)
            group = []
        group.append(layer)
    if group:
        yield _row(group, plan)


def _row(group: Sequence[Traced], plan: Plan) -> Row:
    speaker = next((layer for layer in group if layer.in_shape != layer.out_shape), group[0])
    why = _head_reason(plan) if speaker.name == "head" else _reason(speaker)
    names = " · ".join(call_text(layer) for layer in group)
    return Row(names, show_shape(group[-1].out_shape), f"{sum(layer.params for layer in group):,}", why)


def _reason(layer: Traced) -> str:
    """The arithmetic of a layer, in the signs of arithmetic; its sentence where nothing is computed."""
    if not layer.formula:
        return visible(layer.why)
    # Without padding and dilation their terms say nothing: (28 + 2*0 - 1*(3-1) - 1)//1 is (28 - 3)//1.
    short = re.sub(r" \+ 2\*0\b", "", layer.formula)
    short = re.sub(r" - 1\*\(([0-9]+)-1\) - 1\b", r" - \1", short)
    return visible(short.replace(" * ", "·").replace("*", "·").replace("-", "−"))


def _head_reason(plan: Plan) -> str:
    """What the head returns, and who turns it into probabilities."""
    name = plan.spec.task_row.output_name
    turns = {"multiclass": "softmax", "binary": "sigmoid", "multilabel": "sigmoid"}.get(
        plan.spec.task_row.form
    )
    return f"{name}; {loss_and_optimizer(plan)[0]} applies {turns}" if turns else name
