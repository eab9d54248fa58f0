"""What a layer type is: one small class that knows its shape rule in pure integers, and no torch.

A layer type turns the signal that reaches it and the arguments a person wrote into a `Step`: the torch class
it becomes, the shape it gives, its parameters, its multiply-accumulates, and the sentence that explains them.
`torchgen_scaffold.layers.trace` walks a list of them. Shapes never include the batch dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Shape: TypeAlias = tuple[int, ...]

# What the axes of a sample mean. It matters for two axes alone, where torch cannot tell them apart:
# a sequence is (steps, features), a map is (channels, length). Tokens are (steps,) of integers.
Axes: TypeAlias = Literal["features", "sequence", "map", "tokens"]

# How a layer stands in the generated model: a module that maps a tensor to a tensor, a recurrent module
# (which returns a tuple), or an operation written in forward() itself, which has no name of its own.
Form: TypeAlias = Literal["module", "recurrent", "operation"]

Value: TypeAlias = int | float | bool | str | None | tuple["int | None", ...]


@dataclass(frozen=True)
class Signal:
    """One sample on its way between two layers: its shape, without the batch, and what its axes mean."""

    shape: Shape
    axes: Axes


@dataclass(frozen=True)
class LayerCall:
    """One item of a list of layers as a person or a preset wrote it: `conv(32, 3, padding=1)`."""

    name: str
    args: tuple[Value, ...] = ()
    kwargs: dict[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """The item as --layers takes it: `parse_layers(str(call)) == [call]`."""
        inside = [repr(value) for value in self.args]
        inside += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.name}({', '.join(inside)})" if inside else self.name


@dataclass(frozen=True)
class Traced:
    """A layer with everything torchgen knows about it before torch is imported.

    Shapes are of one sample, without the batch dimension. `params` counts trainable numbers, `macs` counts
    multiply-accumulates for one sample, `receptive_field` is the size, along each spatial axis, of the input
    patch that one output position sees (borders counted), or None where that has no meaning.
    """

    item: str  # as written: "conv(32, 3)"
    kind: str  # torch's class: "Conv2d"; for an operation a name of ours: "LastStep"
    args: dict[str, Value]  # torch's arguments, the input size first, then those that were given
    in_shape: Shape
    out_shape: Shape
    params: int = 0
    macs: int = 0
    receptive_field: Shape | None = None
    formula: str = ""  # "(28 + 2*0 - 1*(3-1) - 1)//1 + 1 = 26"
    why: str = ""  # one short sentence for a learner
    form: Form = "module"
    name: str = ""  # in the generated model's named_modules(); empty for an operation
