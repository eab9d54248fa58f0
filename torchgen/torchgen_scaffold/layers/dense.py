"""Layers of weights without positions: linear, and the table of embeddings."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.arguments import (
    COUNT,
    POSITIVE,
    POSITIVE_OR_NONE,
    WHOLE_OR_NONE,
    YES_OR_NO,
    Misfit,
    Parameter,
    Value,
)
from torchgen_scaffold.layers.base import STILL, LayerType, Signal, Step, integer, show_shape


class Linear(LayerType):
    """`linear`: every output is a weighted sum of all inputs along the last axis."""

    name = "linear"
    summary = "weighted sums of all inputs"
    parameters = (Parameter("out_features", COUNT), Parameter("bias", YES_OR_NO, True))
    stepwise = True

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(…, in) -> (…, out): in*out weights and out biases, in*out MACs at every position (torch.nn.Linear)."""
        inputs, outputs = signal.shape[-1], integer(args["out_features"])
        positions = prod(signal.shape[:-1])
        note = (
            f"linear works on the last axis alone ({inputs} of {show_shape(signal.shape)}); "
            "put flatten before it to use all of the map."
        )
        return Step(
            "Linear",
            {"in_features": inputs, **given},
            Signal((*signal.shape[:-1], outputs), signal.axes),
            params=inputs * outputs + (outputs if args["bias"] else 0),
            macs=inputs * outputs * positions,
            why=f"each output is a weighted sum of {inputs:,} inputs",
            notes=(note,) if signal.axes == "map" and positions > 1 else (),
            windows=(*(STILL,) * (len(signal.shape) - 1), None),
        )


class Embedding(LayerType):
    """`embedding`: a row of learned numbers for each token id."""

    name = "embedding"
    summary = "a row of learned numbers for each token id; first in line, with --vocab-size"
    parameters = (
        Parameter("embedding_dim", COUNT),
        Parameter("padding_idx", WHOLE_OR_NONE, None),
        Parameter("max_norm", POSITIVE_OR_NONE, None),
        Parameter("norm_type", POSITIVE, 2.0),
        Parameter("scale_grad_by_freq", YES_OR_NO, False),
        Parameter("sparse", YES_OR_NO, False),
    )

    def __init__(self, vocab_size: int | None = None) -> None:
        self.vocab_size = vocab_size

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(steps,) of ids -> (steps, dim): vocab*dim parameters and no MACs, since a row is looked up (torch.nn.Embedding).

        Raises Misfit for anything but token ids, and where padding_idx names none of them.
        """
        if signal.axes != "tokens" or self.vocab_size is None:
            raise Misfit(
                "embedding looks up token ids, and its input is numbers",
                "Put it first, and say how many tokens there are with --vocab-size.",
            )
        size, padding = self.vocab_size, args["padding_idx"]
        if isinstance(padding, int) and not -size <= padding < size:
            raise Misfit(
                f"padding_idx={padding} is none of the {size:,} token ids", "Use padding_idx=0, say."
            )
        if args["sparse"]:
            raise Misfit(
                "sparse=True gives sparse gradients, which Adam and most optimizers refuse", "Leave it out."
            )
        dim = integer(args["embedding_dim"])
        return Step(
            "Embedding",
            {"num_embeddings": size, **given},
            Signal((*signal.shape, dim), "sequence"),
            params=size * dim,
            why=f"each of {size:,} token ids has {dim} numbers of its own",
            windows=(STILL, None),
        )


class Columns(LayerType):
    """The first layer of a table with categories: numbers as they are, and an embedding for each category.

    The numbers of a row come first, then a code for each category: 0 for a word that training has not seen, or none.
    It is torchgen's own and stands in no list.
    """

    name = "columns"
    summary = "numbers as they are, and an embedding for each category"

    def __init__(self, words: tuple[int, ...]) -> None:
        self.words = words

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(numbers + categories,) -> (numbers + the sizes of all embeddings,)."""
        numbers = signal.shape[0] - len(self.words)
        sizes = [embedding_size(words) for words in self.words]
        said = "1 category" if len(sizes) == 1 else f"{len(sizes)} categories"
        return Step(
            "Columns",
            {},
            Signal((numbers + sum(sizes),), "features"),
            params=sum((words + 1) * size for words, size in zip(self.words, sizes, strict=True)),
            formula=(
                f"{numbers} + {' + '.join(map(str, sizes))} = {numbers + sum(sizes)}"
                if len(sizes) < 10
                else ""
            ),
            why=f"{numbers} numbers, and an embedding for each of {said}",
        )


def embedding_size(words: int) -> int:
    """How many numbers stand for one of `words`: half as many as there are words, at most 50."""
    return min(50, (words + 1) // 2)
