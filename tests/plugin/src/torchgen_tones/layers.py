"""One layer: relu with a slope that is learned."""

from __future__ import annotations

from torchgen_scaffold.layers.arguments import NUMBER, Parameter, Value
from torchgen_scaffold.layers.base import STILL, LayerType, Signal, Step


class PRelu(LayerType):
    """`prelu`: negative numbers are multiplied by one number that is learned."""

    name = "prelu"
    summary = "negative numbers are multiplied by a slope that is learned"
    parameters = (Parameter("init", NUMBER, 0.25),)
    stepwise = True

    def trace(self, signal: Signal, args: dict[str, Value], given: dict[str, Value]) -> Step:
        """The same shape, any (torch.nn.PReLU); one parameter."""
        windows = (STILL,) * len(signal.shape)
        return Step("PReLU", dict(given), signal, params=1, why="its slope is learned", windows=windows)


PRELU = PRelu()
