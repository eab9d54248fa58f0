"""What a layer type is: one small class that knows its shape rule in pure integers, and no torch.

A layer type turns the signal that reaches it and the arguments a person wrote into a `Step`: the torch class
it becomes, the shape it gives, its parameters, its multiply-accumulates, and the sentence that explains them.
`torchgen_scaffold.layers.trace` walks a list of them. Shapes never include the batch dimension.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from torchgen_scaffold.spelling import nearest

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


class Misfit(Exception):
    """A layer cannot work on the signal that reaches it: why, and what would work instead."""

    def __init__(self, why: str, instead: str = "") -> None:
        self.why, self.instead = why, instead
        super().__init__(why)


@dataclass(frozen=True)
class Step:
    """What one layer makes of a signal. `windows` are the (kernel, stride, dilation, padding) of each spatial axis."""

    kind: str
    args: dict[str, Value]
    signal: Signal
    params: int = 0
    macs: int = 0
    formula: str = ""
    why: str = ""
    form: Form = "module"
    notes: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    keeps_positions: bool = False  # each output position sees the same input position only


@dataclass(frozen=True)
class Window:
    """Which inputs one output position sees along one axis: an interval of input positions for an output position."""

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    padding: int = 0
    transposed: bool = False
    adaptive: tuple[int, int] | None = None  # (input size, output size): windows of uneven size

    def back(self, low: int, high: int) -> tuple[int, int]:
        """The first and last input position that the outputs from `low` to `high` see, borders not clipped."""
        if self.adaptive:
            size, outputs = self.adaptive
            return low * size // outputs, -(-(high + 1) * size // outputs) - 1
        reach = (self.kernel - 1) * self.dilation
        if self.transposed:
            return -(-(low + self.padding - reach) // self.stride), (high + self.padding) // self.stride
        return low * self.stride - self.padding, high * self.stride - self.padding + reach


REQUIRED = object()


@dataclass(frozen=True)
class Parameter:
    """One argument of a layer, with torch's name and default; `accepts` says what it may be."""

    name: str
    accepts: Accepts
    default: object = REQUIRED

    def __str__(self) -> str:
        """As a signature shows it: `stride=1`."""
        return self.name if self.default is REQUIRED else f"{self.name}={self.default!r}"


@dataclass(frozen=True)
class Accepts:
    """A kind of value: a sentence for people, and the check. `check` gets a value and says whether it will do."""

    says: str
    check: Callable[[Value], bool]


def _whole(value: Value, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _sizes(value: Value, low: int, none: bool = False) -> bool:
    if isinstance(value, tuple):
        return 0 < len(value) <= 3 and all((none and part is None) or _whole(part, low) for part in value)
    return _whole(value, low) or (none and value is None)


def _number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


COUNT = Accepts("a whole number of at least 1", lambda value: _whole(value, 1))
WHOLE = Accepts("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
NOT_NEGATIVE = Accepts("a whole number of at least 0", lambda value: _whole(value, 0))
SIZES = Accepts("a whole number of at least 1, or one for each axis", lambda value: _sizes(value, 1))
SIZES_OR_NONE = Accepts(
    "a whole number of at least 1, one for each axis, or None",
    lambda value: value is None or _sizes(value, 1),
)
EDGES = Accepts("a whole number of at least 0, or one for each axis", lambda value: _sizes(value, 0))
OUTPUT_SIZES = Accepts(
    "a whole number of at least 1, or one for each axis, None to keep it",
    lambda value: _sizes(value, 1, none=True),
)
PADDING = Accepts(
    'a whole number of at least 0, one for each axis, "same" or "valid"',
    lambda value: value in ("same", "valid") or _sizes(value, 0),
)
YES_OR_NO = Accepts("True or False", lambda value: isinstance(value, bool))
NUMBER = Accepts("a number", _number)
POSITIVE = Accepts("a number above 0", lambda value: _number(value) and float(value) > 0)  # type: ignore[arg-type]
POSITIVE_OR_NONE = Accepts(
    "a number above 0, or None", lambda value: value is None or (_number(value) and float(value) > 0)  # type: ignore[arg-type]
)
SHARE = Accepts("a number from 0 to 1", lambda value: _number(value) and 0 <= float(value) <= 1)  # type: ignore[arg-type]
COUNT_OR_NONE = Accepts(
    "a whole number other than 0, or None", lambda value: value is None or _whole(value, 1)
)
WHOLE_OR_NONE = Accepts(
    "a whole number, or None",
    lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
)


def one_of(*words: str) -> Accepts:
    """One of a few words."""
    return Accepts("one of " + ", ".join(repr(word) for word in words), lambda value: value in words)


class LayerType(ABC):
    """One kind of layer. A subclass names its arguments and computes a Step from a signal, in pure integers."""

    name: ClassVar[str]
    summary: ClassVar[str]
    parameters: tuple[Parameter, ...] = ()
    stepwise: ClassVar[bool] = (
        False  # treats every step of a sequence alike, so it commutes with taking the last
    )

    @abstractmethod
    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """The Step of this layer on `signal`: `args` has every argument, `given` those that were written.

        Raises Misfit where it cannot work.
        """

    @property
    def signature(self) -> str:
        """`conv(out_channels, kernel_size, stride=1, …)`, as torch has it, without the input size."""
        return f"{self.name}({', '.join(map(str, self.parameters))})" if self.parameters else self.name

    def bind(self, call: LayerCall) -> dict[str, Value]:
        """The arguments that were given, by name. Raises Misfit for unknown, missing and wrong ones."""
        if len(call.args) > len(self.parameters):
            raise Misfit(f"it takes {len(self.parameters)} arguments, not {len(call.args)}", self.signature)
        given = {parameter.name: value for parameter, value in zip(self.parameters, call.args, strict=False)}
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in call.kwargs.items():
            if name not in known:
                near = nearest(name, tuple(known))
                raise Misfit(
                    f"it has no argument {name!r:.40}", f"Did you mean {near}?" if near else self.signature
                )
            if name in given:
                raise Misfit(f"{name} is given twice", self.signature)
            given[name] = value
        missing = [p.name for p in self.parameters if p.default is REQUIRED and p.name not in given]
        if missing:
            raise Misfit(f"{' and '.join(missing)} is missing", f"Write {self.signature}.")
        for name, value in given.items():
            if not known[name].accepts.check(value) and value is not known[name].default:
                raise Misfit(
                    f"{name}={value!r:.40} is not {known[name].accepts.says}", f"Write {self.signature}."
                )
        return given

    def complete(self, given: dict[str, Value]) -> dict[str, Value]:
        """`given` with torch's defaults for the rest."""
        defaults = {p.name: p.default for p in self.parameters if p.default is not REQUIRED}
        return {**defaults, **given}  # type: ignore[dict-item]


def show_shape(shape: Sequence[int]) -> str:
    """The shape with crosses: `1×28×28`."""
    return "×".join(str(size) for size in shape)


def per_axis(value: Value, axes: int, name: str) -> tuple[int, ...]:
    """One number for each axis: an int counts for all. Raises Misfit where a tuple has another length."""
    if isinstance(value, tuple):
        if len(value) != axes:
            raise Misfit(
                f"{name}={value} has {len(value)} numbers, and the map has {axes} spatial axes",
                f"Give one number, or {axes}.",
            )
        return tuple(int(part) for part in value if part is not None)
    assert isinstance(value, int)
    return (value,) * axes


def spatial(signal: Signal, name: str) -> tuple[int, ...]:
    """The spatial sizes of a map (channels first). Raises Misfit for a row of numbers, tokens, and too many axes."""
    if not 2 <= len(signal.shape) <= 4:
        right = "a map has channels and one to three spatial axes"
        instead = "Leave it out, or start from an input such as 1,28,28."
        if len(signal.shape) == 1:
            instead = "Put it before flatten, or use linear here."
        raise Misfit(f"{name} works on a map, and its input is {show_shape(signal.shape)}; {right}", instead)
    return signal.shape[1:]


def joined(formulas: Sequence[str]) -> str:
    """The arithmetic of each axis, said once where axes agree."""
    return "; ".join(dict.fromkeys(formulas))
