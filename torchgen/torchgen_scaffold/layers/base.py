"""What a layer type is: one small class that knows its shape rule in pure integers, and no torch.

A layer type turns the signal that reaches it and the arguments a person wrote into a `Step`: the torch class
it becomes, the shape it gives, its parameters, its multiply-accumulates, and the sentence that explains them.
`torchgen_scaffold.layers.trace` walks a list of them. Shapes never include the batch dimension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, TypeAlias

from torchgen_scaffold.layers.arguments import Misfit as Misfit
from torchgen_scaffold.layers.arguments import Parameter, bind, complete
from torchgen_scaffold.layers.arguments import Value as Value
from torchgen_scaffold.records import field, record

Shape: TypeAlias = tuple[int, ...]

# What the axes of a sample mean. It matters for two axes alone, where torch cannot tell them apart:
# a sequence is (steps, features), a map is (channels, length). Tokens are (steps,) of integers.
Axes: TypeAlias = Literal["features", "sequence", "map", "tokens"]

# How a layer stands in the generated model: a module that maps a tensor to a tensor, a recurrent module
# (which returns a tuple), or an operation written in forward() itself, which has no name of its own.
Form: TypeAlias = Literal["module", "recurrent", "operation"]


@record
class Signal:
    """One sample on its way between two layers: its shape, without the batch, and what its axes mean.

    `padded` says that samples may be shorter than the shape: past its end a sequence holds NaN, and tokens id 0.
    """

    shape: Shape
    axes: Axes
    padded: bool = False


@record
class LayerCall:
    """One item of a list of layers as a person or a preset wrote it: `conv(32, 3, padding=1)`."""

    name: str
    args: tuple[Value, ...] = ()
    kwargs: dict[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        """The item as --layers takes it: `parse_layers(str(call)) == (call,)`."""
        inside = [repr(value) for value in self.args]
        inside += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.name}({', '.join(inside)})" if inside else self.name


@record
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
    padded: bool = False  # steps past the end of a sequence reach it
    name: str = ""  # in the generated model's named_modules(); empty for an operation


@record
class Fix:
    """A way out of a misfit: what it is called ("padding=1"), and the arguments to change."""

    says: str
    changes: dict[str, Value]


class TooSmall(Misfit):
    """A kernel or window does not fit its map. The trace says the fixes that it has found to work, else `instead`."""

    def __init__(self, why: str, instead: str, fixes: Sequence[Fix]) -> None:
        self.fixes = tuple(fixes)
        super().__init__(why, instead)


@record
class Window:
    """Which input positions an output position sees along one axis; by default the one at its own place."""

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    padding: int = 0
    transposed: bool = False
    adaptive: bool = False  # windows of uneven size, set by the two sizes alone


STILL = Window()


@record
class Step:
    """What one layer makes of a signal.

    `windows` has an entry for each axis of the output, channels included: what a position sees along that axis, None
    where it sees all of it. An empty tuple says so of every axis. `swapped` says that two axes change places.
    """

    kind: str
    args: dict[str, Value]
    signal: Signal
    params: int = 0
    macs: int = 0
    formula: str = ""
    why: str = ""
    form: Form = "module"
    notes: tuple[str, ...] = ()
    windows: tuple[Window | None, ...] = ()
    swapped: bool = False


class LayerType(ABC):
    """One kind of layer. A subclass names its arguments and computes a Step from a signal, in pure integers."""

    name: ClassVar[str]
    summary: ClassVar[str]
    parameters: tuple[Parameter, ...] = ()
    # Treats every step of a sequence alike, so that it commutes with taking the last step.
    stepwise: ClassVar[bool] = False

    @abstractmethod
    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """The Step of this layer on `signal`: `args` has every argument, `given` those that were written.

        Raises Misfit where it cannot work.
        """

    @property
    def signature(self) -> str:
        """`conv(out_channels, kernel_size, stride=1, …)`, as torch has it, without the input size."""
        if not self.parameters:
            return self.name
        shown = [str(parameter) for parameter in self.parameters if not parameter.by_name]
        by_name = [str(parameter) for parameter in self.parameters if parameter.by_name]
        return f"{self.name}({', '.join([*shown, *(['*', *by_name] if by_name else [])])})"

    def bind(self, call: LayerCall) -> dict[str, Value]:
        """The arguments that were given, by name. Raises Misfit with every unknown, missing and wrong one."""
        return bind(self.parameters, self.signature, call.args, call.kwargs)

    def complete(self, given: dict[str, Value]) -> dict[str, Value]:
        """`given` with torch's defaults for the rest."""
        return complete(self.parameters, given)


def show_shape(shape: Sequence[int]) -> str:
    """The shape with crosses: `1×28×28`."""
    return "×".join(str(size) for size in shape)


def show_map(sizes: Sequence[int]) -> str:
    """Spatial sizes in words: `a 3×3 map`, `5 positions`."""
    if len(sizes) > 1:
        return f"a {show_shape(sizes)} map"
    return "1 position" if sizes[0] == 1 else f"{sizes[0]:,} positions"


def integer(value: Value) -> int:
    """A value that its Accepts has found to be a whole number."""
    assert isinstance(value, int)
    return value


def per_axis(value: Value, axes: int, name: str) -> Shape:
    """One number for each axis: an int counts for all. Raises Misfit where a tuple has another length."""
    if isinstance(value, tuple):
        if len(value) != axes:
            spaces = "1 spatial axis" if axes == 1 else f"{axes} spatial axes"
            numbers = "1 number" if len(value) == 1 else f"{len(value)} numbers"
            several = f", or {axes}" if axes > 1 else ""
            raise Misfit(
                f"{name}={value} has {numbers}, and the map has {spaces}", f"Give one number{several}."
            )
        return tuple(integer(part) for part in value)
    return (integer(value),) * axes


def spatial(signal: Signal, name: str) -> Shape:
    """The spatial sizes of a map (channels first). Raises Misfit for a row of numbers and for too many axes."""
    if 2 <= len(signal.shape) <= 4:
        return signal.shape[1:]
    why = f"{name} works on a map of channels and one to three spatial axes"
    if len(signal.shape) == 1:
        raise Misfit(
            why, "Put it before flatten, use linear here, or start from a map such as --input-shape 1,28,28."
        )
    raise Misfit(why, "Use flatten and linear, or an input of at most four axes such as 1,16,28,28.")


def sequence_note(signal: Signal, reads: str) -> tuple[str, ...]:
    """The note for a layer of maps that meets a sequence: it takes the steps for channels. `reads` names the layer."""
    if signal.axes != "sequence" or len(signal.shape) != 2:
        return ()
    steps, features = signal.shape
    return (
        f"{reads} takes the {steps} time steps as channels and the {features} features as positions; "
        "put transpose before it to slide along time.",
    )


def joined(formulas: Sequence[str]) -> str:
    """The arithmetic of each axis, said once where axes agree."""
    return "; ".join(dict.fromkeys(formulas))
