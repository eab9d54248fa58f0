"""The network as a drawing shows it: a *stage* is one tensor, with the layer that made it.

Layers that leave the shape alone (activations, norms, dropout) are attached to the stage they follow.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchgen_scaffold.glyphs import Look, look_of
from torchgen_scaffold.wording import label_of, notes_of

if TYPE_CHECKING:
    from torchgen_scaffold.layers.base import Axes, Shape, Traced
    from torchgen_scaffold.plan import Plan

# Families of layers: their colour, and how the names of their torch classes start.
_RECURRENT = ("LSTM", "GRU", "RNN")
_FAMILIES = {
    "data": ("#7b8794", ("input",)),
    "conv": ("#3f83c8", ("Conv",)),
    "pool": ("#e39a3c", ("MaxPool", "AvgPool", "Adaptive")),
    "dense": ("#7f62c3", ("Linear",)),
    "recurrent": ("#2f9e7e", _RECURRENT),
    "embedding": ("#c65f95", ("Embedding",)),
    "other": ("#8b95a1", ("",)),
}
_ATTACHED = 4  # layers that share a stage with the one they follow, at most


@dataclass
class Stage:
    """One tensor of the picture: its shape, how it looks, and the lines that stand under it."""

    shape: Shape
    look: Look
    kind: str
    labels: list[str]
    notes: list[str] = field(default_factory=list)
    params: int = 0
    arrows: str = ""

    @property
    def color(self) -> str:
        """The colour of its layer's family."""
        return family_of(self.kind)[1]


def family_of(kind: str) -> tuple[str, str]:
    """The name and the colour of a layer's family."""
    return next((name, color) for name, (color, starts) in _FAMILIES.items() if kind.startswith(starts))


def stages_of(plan: Plan) -> list[Stage]:
    """The input, then every layer: in a stage of its own, or attached to the one whose shape it keeps."""
    axes = plan.spec.model.signal.axes
    shape = plan.spec.input_shape
    stages = [Stage(shape, look_of(shape, axes), "input", ["input"])]
    for layer in plan.layers:
        axes = _axes_after(layer, axes)
        label, notes = textwrap.wrap(label_of(layer), 18), notes_of(layer)
        quiet = layer.in_shape == layer.out_shape and (not layer.params or "Norm" in layer.kind)
        last = stages[-1]
        if quiet and len(stages) > 1 and len(last.notes) < _ATTACHED:
            last.notes.append(" ".join(label))
            last.params += layer.params
            continue
        arrows = ("⇄" if layer.args.get("bidirectional") else "→") if layer.kind in _RECURRENT else ""
        lines = textwrap.wrap(", ".join(notes), 20)
        stages.append(
            Stage(
                layer.out_shape,
                look_of(layer.out_shape, axes),
                layer.kind,
                label,
                lines,
                layer.params,
                arrows,
            )
        )
    stages[-1].notes.append(plan.spec.task_row.output_name)
    return stages


def _axes_after(layer: Traced, axes: Axes) -> Axes:
    """What the axes mean behind a layer: convolutions read maps, recurrent layers sequences."""
    if layer.kind == "Transpose":
        return "sequence" if axes == "map" else "map"
    if layer.kind == "Embedding" or layer.kind in _RECURRENT:
        return "sequence"
    return "map" if layer.kind.endswith("1d") and not layer.kind.startswith("Batch") else axes
