"""One preset: convolutions that look further and further along time."""

from __future__ import annotations

from torchgen_scaffold.kinds import Integer, Setting
from torchgen_scaffold.layers.base import LayerCall, Signal
from torchgen_scaffold.presets import Preset, Settings


def _dilated(signal: Signal, settings: Settings) -> list[LayerCall]:
    """Convolutions whose taps stand 1, 2, 4, … steps apart, then the mean of each quarter."""
    calls = [LayerCall("transpose")]  # a convolution slides along the last axis
    for apart in (2**depth for depth in range(settings["depth"])):
        calls.append(LayerCall("conv", (settings["width"], 3), {"padding": apart, "dilation": apart}))
        calls.append(LayerCall("prelu"))
    return [*calls, LayerCall("adaptive_avgpool", (4,))]


DILATED = Preset(
    "dilated",
    "convolutions that look further and further along time",
    ("sequence",),
    _dilated,
    {
        "width": Setting(Integer(1, 100_000), "channels of each convolution", 16),
        "depth": Setting(Integer(1, 20), "convolutions, each with twice the reach", 4),
    },
)
