"""What model.py says: the lines that define the layers, and the lines of forward().

Every string returned is `Code`: made here from numbers, checked names and escaped values.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from torchgen_scaffold.escape import Code, python_value
from torchgen_scaffold.layers.base import Shape, Traced
from torchgen_scaffold.network import Block
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.records import record

# Arguments that everybody writes by place; the others are named, so that a reader need not know their order.
_BY_PLACE = (
    *("in_channels", "out_channels", "in_features", "out_features", "input_size", "hidden_size"),
    *("num_embeddings", "embedding_dim", "num_features", "normalized_shape", "p", "output_size"),
    *("dim", "unflattened_size"),
)
LINE = 88  # black's own width, which generated projects are formatted to


def batch_shape(shape: Shape) -> Code:
    """A sample's shape behind the batch: `(N, 1, 8, 8)`."""
    return Code(f"({', '.join(['N', *map(str, shape)])})")


def call(layer: Traced, factors: Shape = ()) -> Code:
    """The torch call of one layer; `factors` are the sizes that make up its in_features, spelled out."""
    if layer.kind == "Columns":
        return Code("Columns()")  # a class of model.py itself
    by_place = True
    parts = []
    for name, value in layer.args.items():
        by_place = by_place and (name in _BY_PLACE or (name == "kernel_size" and "Pool" in layer.kind))
        text = str(python_value(value))
        if name == "in_features" and len(factors) > 1:
            text = " * ".join(map(str, factors))
        parts.append(text if by_place else f"{name}={text}")
    return Code(f"nn.{layer.kind}({', '.join(parts)})")


@record
class Factors:
    """The sizes whose product is a Linear's in_features, and what they are."""

    sizes: Shape = ()
    says: str = ""


def definitions(plan: Plan) -> Iterator[Code]:
    """The lines of __init__ that make the layers, each with the arithmetic of its sizes."""
    factors = Factors()
    for block in plan.network.blocks:
        if block.sequential:
            yield Code(f"self.{block.name} = nn.Sequential(")
        alone = not block.sequential
        start, end = (f"self.{block.name} = ", "") if alone else ("    ", ",")
        for layer in block.layers:
            factors = _factors(layer, factors)
            if layer.form != "operation":
                sizes = factors.sizes if layer.kind == "Linear" else ()
                comment = (
                    f"{factors.says} = {prod(sizes):,} features"
                    if sizes
                    else _size_comment(layer, alone=alone)
                )
                yield from _commented(f"{start}{call(layer, sizes)}{end}", comment, start)
        if block.sequential:
            yield Code(")")


def _factors(layer: Traced, before: Factors) -> Factors:
    """What the features that reach `layer` are made of, as long as that is known."""
    shape = layer.in_shape
    if layer.kind == "Flatten" and len(layer.out_shape) == 1:
        rest = "x".join(map(str, shape[1:]))
        return Factors(
            shape, f"{shape[0]} channels of {rest}" if len(shape) > 2 else f"{shape[0]} times {rest}"
        )
    if layer.kind == "LastStep" and layer.args.get("bidirectional"):
        return Factors((2, shape[-1] // 2), f"both directions of {shape[-1] // 2}")
    return before if shape == (prod(before.sizes),) and before.sizes else Factors()


def _size_comment(layer: Traced, *, alone: bool) -> str:
    """How a layer changes the shape, where it does; forward() says that of a layer which stands alone."""
    shapes = f"{batch_shape(layer.in_shape)} -> {batch_shape(layer.out_shape)}"
    if layer.formula and layer.kind not in ("Flatten", "Unflatten"):
        return f"{shapes}: {layer.formula}"
    return "" if alone or layer.in_shape == layer.out_shape else shapes


def _commented(code: str, comment: str, start: str) -> Iterator[Code]:
    """The line with its comment behind it where both fit, above it otherwise."""
    if not comment:
        yield Code(code)
    elif 8 + len(code) + 2 + len(f"# {comment}") <= LINE:
        yield Code(f"{code}  # {comment}")
    else:
        indent = start if start.isspace() else ""
        yield Code(f"{indent}# {comment}")
        yield Code(code)


def forward(plan: Plan) -> Iterator[Code]:
    """The lines of forward(), with the shapes wherever they change."""
    task = plan.spec.task_row
    blocks = plan.network.blocks
    yield from _steps(plan)
    name = "inputs"
    if not plan.spec.model.vocab_size:
        scaled = "(inputs - self.input_mean) / self.input_std"
        # Past the end of a sequence NaN becomes 0, which is the mean.
        yield Code(f"x = ({scaled}).nan_to_num()" if plan.spec.model.signal.padded else f"x = {scaled}")
        name = "x"
    for index, block in enumerate(blocks):
        shapes = f"{batch_shape(block.in_shape)} -> {batch_shape(block.out_shape)}"
        if index == len(blocks) - 1:
            raw = " raw logits: the loss applies softmax" if task.form == "multiclass" else ""
            raw = " raw logits: the loss applies sigmoid" if task.form in ("binary", "multilabel") else raw
            raw = " standardized predictions" if task.form == "regression" else raw
            yield from _above_or_behind(
                f"{task.output_name}: torch.Tensor = self.{block.name}({name})",
                f"{shapes}{',' if raw else ''}{raw}",
            )
            yield Code(f"return {task.output_name}")
            return
        following = blocks[index + 1].layers[0]
        recurrent = index > 0 and blocks[index - 1].form == "recurrent"
        packs = block.form == "recurrent" and block.layers[0].padded
        if packs:
            yield Code(
                f"packed = pack_padded_sequence({name}, lengths, batch_first=True, enforce_sorted=False)"
            )
            name = "packed"
        line = _line(block, name, following, recurrent=recurrent)
        yield from _above_or_behind(line, _explained(block, following, shapes))
        if packs and not _takes_hidden(following):
            yield Code(f"x, _ = pad_packed_sequence(x, batch_first=True, total_length={block.in_shape[0]})")
        name = "x"


def _steps(plan: Plan) -> Iterator[Code]:
    """Which steps of a batch are real, and how many each sample has, as far as a layer asks."""
    asking = [layer for layer in plan.layers if layer.padded and layer.kind in (*_LENGTHS, "Mean")]
    if not asking:
        return
    if plan.spec.model.vocab_size:
        yield from _commented("steps = inputs != 0", "(N, T): id 0 stands past the end of a text", "")
    else:
        yield from _commented(
            "steps = ~inputs[..., 0].isnan()", "(N, T): past its end a sequence holds NaN", ""
        )
    if any(layer.kind in _LENGTHS for layer in asking):
        counted = "lengths = steps.sum(dim=1).clamp(min=1).cpu()"
        yield from _commented(counted, "torch wants them on the CPU", "")
    if any(layer.kind == "Mean" for layer in asking):
        yield Code("counts = steps.sum(dim=1, keepdim=True).clamp(min=1)")


_LENGTHS = (
    "RNN",
    "LSTM",
    "GRU",
    "LastStep",
)  # what asks for the length of each sample, if samples are padded


def pack_imports(plan: Plan) -> Code:
    """What forward() takes from torch.nn.utils.rnn; empty where nothing is packed."""
    blocks = plan.network.blocks
    packs = any(block.form == "recurrent" and block.layers[0].padded for block in blocks)
    return Code("PackedSequence, pack_padded_sequence, pad_packed_sequence" if packs else "")


def _takes_hidden(following: Traced) -> bool:
    """Whether the layer behind a recurrent one wants its last states, rather than its outputs."""
    return following.kind == "LastStep" and (following.padded or bool(following.args.get("bidirectional")))


def _line(block: Block, name: str, following: Traced, *, recurrent: bool) -> str:
    """The line of one block; `recurrent` says what stands before it."""
    layer = block.layers[0]
    if block.form == "recurrent":
        if _takes_hidden(following):
            return f"_, {'(hidden, _)' if layer.kind == 'LSTM' else 'hidden'} = self.{block.name}({name})"
        return f"x, _ = self.{block.name}({name})"
    if layer.kind == "LastStep":
        if layer.args.get("bidirectional"):
            return "x = torch.cat([hidden[-2], hidden[-1]], dim=1)"
        if layer.padded:
            return "x = hidden[-1]" if recurrent else f"x = {name}[torch.arange(len({name})), lengths - 1]"
        return f"x = {name}[:, -1]"
    if layer.kind == "Mean" and layer.padded:
        return f"x = ({name} * steps.unsqueeze(2)).sum(dim=1) / counts"
    if layer.kind == "Mean":
        return f"x = {name}.mean(dim={python_value(layer.args['dim'])})"
    if layer.kind == "Transpose":
        return f"x = {name}.transpose(1, 2)"
    return f"x = self.{block.name}({name})"


def _explained(block: Block, following: Traced, shapes: str) -> str:
    layer = block.layers[0]
    if block.form == "recurrent":
        if _takes_hidden(following):
            ends = ", at the end of each sample" if layer.padded else ""
            return f"hidden: the last state of each layer and direction{ends}"
        return f"{shapes}: an output for each time step"
    if layer.kind == "LastStep":
        both = "both directions' last states" if layer.args.get("bidirectional") else "the last time step"
        both = "at the end of each sample" if layer.padded and not layer.args.get("bidirectional") else both
        return f"{both}: {shapes}"
    if layer.kind == "Flatten":
        return f"{shapes}: {' * '.join(map(str, layer.in_shape))}"
    return shapes if block.in_shape != block.out_shape else ""


def _above_or_behind(code: str, comment: str) -> Iterator[Code]:
    yield from _commented(code, comment, "")


def known_warnings(plan: Plan) -> list[Code]:
    """The argument of pytest's filterwarnings mark, where a layer makes torch warn although it is meant."""
    messages = []
    if any(layer.args.get("proj_size") for layer in plan.layers):
        messages.append("LSTM with projections is not supported with oneDNN")
    if any(layer.args.get("padding") == "same" for layer in plan.layers):
        messages.append("Using padding='same' with even kernel lengths")
    return [Code(", ".join(python_value(f"ignore:{message}") for message in messages))] if messages else []
