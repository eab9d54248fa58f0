"""Layers of weights without positions: linear, and the table of embeddings."""

from __future__ import annotations

from math import prod

from torchgen_scaffold.layers.base import (
    COUNT,
    POSITIVE,
    POSITIVE_OR_NONE,
    WHOLE_OR_NONE,
    YES_OR_NO,
    LayerType,
    Misfit,
    Parameter,
    Signal,
    Step,
    Value,
    show_shape,
)


class Linear(LayerType):
    """`linear`: every output is a weighted sum of all inputs along the last axis."""

    name = "linear"
    summary = "weighted sums of all inputs"
    parameters = (Parameter("out_features", COUNT), Parameter("bias", YES_OR_NO, True))
    stepwise = True

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """in*out weights and out biases; in*out MACs at every position. As torch, it acts on the last axis."""
        inputs, outputs = signal.shape[-1], int(args["out_features"])  # type: ignore[arg-type]
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
            notes=(note,) if signal.axes == "map" else (),
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
        """vocab*dim parameters and no MACs: a row is looked up."""
        if signal.axes != "tokens" or self.vocab_size is None:
            raise Misfit(
                "embedding looks up token ids, and its input is numbers",
                "Put it first and say how many tokens there are: --vocab-size N.",
            )
        size, padding = self.vocab_size, args["padding_idx"]
        if isinstance(padding, int) and not -size <= padding < size:
            raise Misfit(
                f"padding_idx={padding} is not below the vocabulary's {size}", "Use padding_idx=0, say."
            )
        if args["sparse"]:
            raise Misfit("sparse=True gives gradients that most optimizers refuse", "Leave it out.")
        dim = int(args["embedding_dim"])  # type: ignore[arg-type]
        return Step(
            "Embedding",
            {"num_embeddings": size, **given},
            Signal((*signal.shape, dim), "sequence"),
            params=size * dim,
            why=f"each of {size:,} token ids has {dim} numbers of its own",
        )
