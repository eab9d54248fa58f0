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
from torchgen_scaffold.records import record
from torchgen_scaffold.spelling import counted


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


TEXT_SIZE = 32  # the numbers that stand for one word of a text beside other columns


@record
class Codes:
    """What a row of a table holds behind its numbers: a code for each category, and the word ids of each text.

    `words` has the number of words of each category; `texts` how many words of each text are read, and how many ids
    there are.
    """

    words: tuple[int, ...] = ()
    texts: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.texts)

    @property
    def width(self) -> int:
        """The places that they take in a row."""
        return len(self.words) + sum(length for length, _ in self.texts)


class Columns(LayerType):
    """The first layer of a table with categories or texts: numbers as they are, and embeddings for the codes behind them.

    The code of a category is 0 for a word that training has not seen, or none; a text is the mean of its words'
    embeddings, where id 0 is no word. It is torchgen's own and stands in no list.
    """

    name = "columns"
    summary = "numbers as they are, and an embedding for each category and text"

    def __init__(self, codes: Codes) -> None:
        self.codes = codes

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """(…, numbers + codes) -> (…, numbers + the sizes of all embeddings) (torch.nn.Embedding, torch.nn.EmbeddingBag)."""
        words, texts = self.codes.words, self.codes.texts
        numbers = signal.shape[-1] - self.codes.width
        sizes = [*map(embedding_size, words), *(TEXT_SIZE for _ in texts)]
        rows = [*(count + 1 for count in words), *(ids for _, ids in texts)]
        parts = [numbers, *sizes] if numbers else sizes
        said = [
            *([counted(len(words), "category", "categories")] if words else []),
            *([counted(len(texts), "text")] if texts else []),
        ]
        return Step(
            "Columns",
            {},
            Signal((*signal.shape[:-1], sum(parts)), signal.axes),
            params=sum(count * size for count, size in zip(rows, sizes, strict=True)),
            formula=f"{' + '.join(map(str, parts))} = {sum(parts)}" if 1 < len(parts) <= 10 else "",
            why=f"{numbers} numbers, and embeddings for {' and '.join(said)}",
        )


def embedding_size(words: int) -> int:
    """How many numbers stand for one of `words`: half as many as there are words, at most 50."""
    return min(50, (words + 1) // 2)
