"""Activations: a bend between two linear layers. A row each; shapes stay."""

from __future__ import annotations

from torchgen_scaffold.layers.arguments import NOT_ZERO, NUMBER, YES_OR_NO, Misfit, Parameter, Value, one_of
from torchgen_scaffold.layers.base import STILL, LayerType, Signal, Step

_INPLACE = Parameter("inplace", YES_OR_NO, False)


class Activation(LayerType):
    """One activation: torch's class and its arguments. `slope` names the one that inplace needs not to be negative."""

    stepwise = True

    def __init__(
        self,
        name: str,
        kind: str,
        summary: str,
        parameters: tuple[Parameter, ...] = (),
        slope: str = "",
    ) -> None:
        # A row has a name and a summary of its own, where the other layer types have a class each.
        self.name, self.kind, self.summary, self.parameters = name, kind, summary, parameters  # type: ignore[misc]
        self.slope = slope

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """The same shape, any; no parameters and no MACs. Raises Misfit where torch cannot work out the gradient."""
        value = args.get(self.slope)
        if args.get("inplace") and isinstance(value, (int, float)) and value < 0:
            raise Misfit(
                f"with inplace=True and {self.slope}={value} torch cannot work out the gradient",
                "Leave inplace out.",
            )
        return Step(self.kind, dict(given), signal, windows=(STILL,) * len(signal.shape))


ACTIVATIONS = (
    Activation("relu", "ReLU", "negative numbers become 0", (_INPLACE,)),
    Activation(
        "leaky_relu",
        "LeakyReLU",
        "negative numbers become small",
        (Parameter("negative_slope", NUMBER, 0.01), _INPLACE),
        "negative_slope",
    ),
    Activation(
        "gelu",
        "GELU",
        "a smooth relu, usual in transformers",
        (Parameter("approximate", one_of("none", "tanh"), "none"),),
    ),
    Activation("silu", "SiLU", "a smooth relu, x * sigmoid(x)", (_INPLACE,)),
    Activation("sigmoid", "Sigmoid", "squeezes into 0 to 1"),
    Activation("tanh", "Tanh", "squeezes into -1 to 1"),
    Activation(
        "elu",
        "ELU",
        "negative numbers level off at -alpha",
        (Parameter("alpha", NUMBER, 1.0), _INPLACE),
        "alpha",
    ),
    Activation(
        "softplus",
        "Softplus",
        "a smooth relu, log(1 + exp(x))",
        (Parameter("beta", NOT_ZERO, 1.0), Parameter("threshold", NUMBER, 20.0)),
    ),
)
