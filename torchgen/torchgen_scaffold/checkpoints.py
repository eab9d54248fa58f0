"""Will checkpoints of one spec load into the network of another? Said before anything is changed, without torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchgen_scaffold.escape import visible
from torchgen_scaffold.layers.base import Traced
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.view.data import buffers

# torch's arguments that leave the shapes of weights and buffers alone. They still change what is computed.
_SHAPELESS = frozenset(
    [
        "stride",
        "padding",
        "dilation",
        "padding_mode",
        "output_padding",
        "dropout",
        "nonlinearity",
        "batch_first",
        "eps",
        "momentum",
        "num_groups",
        "padding_idx",
        "inplace",
        "max_norm",
        "norm_type",
        "scale_grad_by_freq",
        "sparse",
    ]
)
_NAMED = 3  # layers that a note names before it counts


def breaks(old: Spec | None, new: Spec) -> Iterator[str]:
    """A sentence for each way in which checkpoints of `old` do not serve `new`; None is a spec that cannot be read."""
    if old is None:
        yield "nobody can tell whether checkpoints made so far will load: the answers that they were made with cannot be read."
        return
    if old.project.profile != new.project.profile:
        yield f"checkpoints of the {old.project.profile} profile do not load in the {new.project.profile} one: train again."
        return
    before, after = plan(old), plan(new)
    changed = list(_changed(state_of(before), state_of(after)))
    if changed:
        yield f"checkpoints made so far will not load: {_some(changed)}. Train again, or keep a copy of the project with them."
        return
    if other := list(_changed(_work_of(before), _work_of(after))):
        yield f"checkpoints made so far will load, but were trained in another network: {_some(other)}. Train again."
    run = [
        f"the {name} was {was}, and becomes {becomes}"
        for name in ("optimizer", "schedule")
        if (was := getattr(old.training, name)) != (becomes := getattr(new.training, name))
    ]
    if run and new.project.profile == "standard":
        yield f"a run that has not ended cannot be resumed: {_some(run)}."


def state_of(planned: Plan) -> dict[str, str]:
    """What a checkpoint holds: {module or buffer: what its shapes follow from}, as `load_state_dict` compares it."""
    held = {str(name): str(value) for name, value in buffers(planned).items()}
    for layer in planned.layers:
        if layer.name and (layer.params or layer.kind.startswith("BatchNorm")):
            held[layer.name] = _shown(layer, {k: v for k, v in layer.args.items() if k not in _SHAPELESS})
    columns = planned.spec.data.table
    if columns:  # what the encoder of a table has learned is part of it
        held["the columns"] = ", ".join(f"{visible(column.name)} ({column})" for column in columns)
    return held


def _work_of(planned: Plan) -> dict[str, str]:
    """What is computed with it, layer by layer."""
    layers = [layer for layer in planned.layers if layer.kind != "Dropout"]
    return {f"layer {number}": _shown(layer, layer.args) for number, layer in enumerate(layers, start=1)}


def _shown(layer: Traced, args: dict[str, Any]) -> str:
    return f"{layer.kind}({', '.join(f'{name}={value}' for name, value in args.items())})"


def _changed(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        was, becomes = before.get(name), after.get(name)
        if was != becomes:
            if was is None:
                yield f"{name} is new ({becomes})"
            elif becomes is None:
                yield f"{name} goes ({was})"
            else:
                yield f"{name} was {was}, and becomes {becomes}"


def _some(sentences: list[str]) -> str:
    more = len(sentences) - _NAMED
    return "; ".join(sentences[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
