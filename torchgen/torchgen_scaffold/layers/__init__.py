"""Every layer type by its name in --layers. Adding a layer is adding one class in a family's file and its name here."""

from torchgen_scaffold.layers.activation import ACTIVATIONS
from torchgen_scaffold.layers.base import LayerType
from torchgen_scaffold.layers.conv import Conv, ConvTranspose
from torchgen_scaffold.layers.dense import Embedding, Linear
from torchgen_scaffold.layers.norm import BatchNorm, GroupNorm, LayerNorm
from torchgen_scaffold.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, MaxPool
from torchgen_scaffold.layers.recurrent import Gru, Lstm, Rnn
from torchgen_scaffold.layers.reshape import Dropout, Flatten, LastStep, Mean, Transpose, Unflatten
from torchgen_scaffold.plugins import Rows

LAYERS: Rows[LayerType] = Rows(
    "layers",
    LayerType,
    (
        *(Conv(), ConvTranspose()),
        *(MaxPool(), AvgPool(), AdaptiveAvgPool(), AdaptiveMaxPool()),
        *(BatchNorm(), GroupNorm(), LayerNorm()),
        Linear(),
        *(Rnn(), Lstm(), Gru()),
        Embedding(),
        *(Dropout(), Flatten(), Mean(), LastStep(), Transpose(), Unflatten()),
        *ACTIVATIONS,
    ),
)

__all__ = ["LAYERS", "LayerType"]
