"""The network: a model's layers and its head, traced, named, and grouped as the generated class holds them.

A *block* is one attribute of the generated `Model` (or one line of its forward() that is no module). Names are given
here, once, so that the plan's `name` and the generated code cannot disagree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import prod

from torchgen_scaffold.layers.base import LayerCall, Shape, Traced
from torchgen_scaffold.layers.trace import trace
from torchgen_scaffold.records import record, replace
from torchgen_scaffold.spec import Model


@record
class Block:
    """One attribute of the generated Model: a module, or a Sequential of several; no name for an operation."""

    name: str
    layers: tuple[Traced, ...]
    sequential: bool = False

    @property
    def in_shape(self) -> Shape:
        """What reaches it, one sample."""
        return self.layers[0].in_shape

    @property
    def out_shape(self) -> Shape:
        """What leaves it, one sample."""
        return self.layers[-1].out_shape

    @property
    def form(self) -> str:
        """module, recurrent or operation."""
        return self.layers[0].form


@record
class Network:
    """Every block in order, the head last; and what deserves saying aloud."""

    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> tuple[Traced, ...]:
        """Every layer in order, named."""
        return tuple(layer for block in self.blocks for layer in block.layers)

    @property
    def compares_samples(self) -> bool:
        """Whether BatchNorm meets one value a channel in each sample, so that training needs two samples in a batch."""
        return any(
            layer.kind.startswith("BatchNorm") and prod(layer.in_shape[1:]) == 1 for layer in self.layers
        )


def build(model: Model, output_shape: Shape) -> Network:
    """Trace a model's layers and its head. Raises LayerError at the first layer that does not fit."""
    body = trace(model.layers, model.signal, vocab_size=model.vocab_size, codes=model.codes)
    head = trace(_head(body.signal.shape, output_shape), body.signal)
    notes = [*body.notes, *head.notes, *_head_note(model, prod(output_shape))]
    groups = [*_groups(body.layers), *((layer,) for layer in head.layers)]
    names = _unique([_base_name(group) for group in groups[: -_tail(output_shape)]])
    names += ["head", "unflatten"][: _tail(output_shape)]
    return Network(
        tuple(_named(name, group) for name, group in zip(names, groups, strict=True)),
        notes=tuple(notes),
    )


def _head_note(model: Model, outputs: int) -> Iterator[str]:
    """Two linear layers of the output's size at the end are most likely one too many."""
    if model.layers and model.layers[-1].name == "linear" and model.layers[-1].args[:1] == (outputs,):
        yield (
            f"torchgen adds the last layer itself: linear({outputs}) stands at the end twice. Leave yours out, unless "
            "it is meant."
        )


def _head(shape: Shape, output_shape: Shape) -> list[LayerCall]:
    """flatten where there is more than one axis, the last linear layer, and the output's own axes."""
    calls = [LayerCall("flatten")] if len(shape) > 1 else []
    calls.append(LayerCall("linear", (prod(output_shape),)))
    return calls + ([LayerCall("unflatten", (output_shape,))] if len(output_shape) > 1 else [])


def _tail(output_shape: Shape) -> int:
    """How many blocks at the end have names of their own: the head, and unflatten behind it."""
    return 2 if len(output_shape) > 1 else 1


def _groups(layers: Sequence[Traced]) -> Iterator[tuple[Traced, ...]]:
    """Runs of modules that one Sequential can hold; what changes the signal's nature stands alone."""
    run: list[Traced] = []
    for layer in layers:
        if layer.form == "module" and layer.kind not in ("Flatten", "Unflatten", "Embedding", "Columns"):
            run.append(layer)
            continue
        if run:
            yield tuple(run)
            run = []
        yield (layer,)
    if run:
        yield tuple(run)


def _base_name(group: Sequence[Traced]) -> str:
    if group[0].form == "operation":
        return ""
    if len(group) == 1:
        return re.sub(r"\dd$", "", group[0].kind).lower()  # Conv2d is self.conv
    convolves = any(layer.kind.startswith(("Conv", "MaxPool", "AvgPool", "Adaptive")) for layer in group)
    return "features" if convolves else "layers"


def _unique(names: list[str]) -> list[str]:
    """lstm and lstm become lstm1 and lstm2; a name that stands once stays."""
    totals, seen = Counter(names), Counter[str]()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(f"{name}{seen[name]}" if name and totals[name] > 1 else name)
    return unique


def _named(name: str, group: tuple[Traced, ...]) -> Block:
    if len(group) == 1:
        return Block(name, (replace(group[0], name=name),))
    layers = tuple(replace(layer, name=f"{name}.{index}") for index, layer in enumerate(group))
    return Block(name, layers, sequential=True)
