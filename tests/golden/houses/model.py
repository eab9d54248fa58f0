"""The network (mlp) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn


class Model(nn.Module):
    """inputs (N, 3) float32 -> logits (N, 1)."""

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # Statistics of the train split, which train.py fills in; buffers are saved too.
        self.register_buffer("input_mean", torch.zeros(3))
        self.register_buffer("input_std", torch.ones(3))

        self.layers = nn.Sequential(
            nn.Linear(3, 128),  # (N, 3) -> (N, 128)
            nn.ReLU(),
            nn.Linear(128, 64),  # (N, 128) -> (N, 64)
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = (inputs - self.input_mean) / self.input_std
        x = self.layers(x)  # (N, 3) -> (N, 64)
        # (N, 64) -> (N, 1), raw logits: the loss applies sigmoid
        logits: torch.Tensor = self.head(x)
        return logits


def make_loss() -> nn.Module:
    """Sigmoid and log-likelihood in one, on raw logits.

    A target is 0.0 or 1.0 of shape (N, 1), float32.
    """
    return nn.BCEWithLogitsLoss(pos_weight=torch.tensor([4.0]))


def main() -> None:
    """Show what every layer gives for a batch of 2, and check the outcome."""
    model = Model().eval()
    names = {layer: name for name, layer in model.named_modules()}

    def show(
        layer: nn.Module, _: object, output: torch.Tensor | tuple[torch.Tensor]
    ) -> None:
        shape = tuple((output[0] if isinstance(output, tuple) else output).shape)
        count = sum(parameter.numel() for parameter in layer.parameters())
        print(f"{names[layer]:<14}{type(layer).__name__:<20}{shape!s:<22}{count:>12,}")

    for layer in names:
        if not list(layer.children()):  # a layer, rather than a Sequential of layers
            layer.register_forward_hook(show)
    print(f"{'name':<14}{'layer':<20}{'output':<22}{'parameters':>12}")
    outputs = model(torch.zeros(2, 3))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 1), outputs.shape
    assert total == 8_833, total


if __name__ == "__main__":
    main()
