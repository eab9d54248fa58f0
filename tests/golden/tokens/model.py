"""The network (lstm) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn


class Model(nn.Module):
    """inputs (N, 40) long -> logits (N, 5)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 64)
        self.lstm = nn.LSTM(64, 64, bidirectional=True, batch_first=True)
        self.head = nn.Linear(2 * 64, 5)  # both directions of 64 = 128 features

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = self.embedding(inputs)  # (N, 40) -> (N, 40, 64)
        # hidden: the last state of each layer and direction
        _, (hidden, _) = self.lstm(x)
        # both directions' last states: (N, 40, 128) -> (N, 128)
        x = torch.cat([hidden[-2], hidden[-1]], dim=1)
        # (N, 128) -> (N, 5), raw logits: the loss applies sigmoid
        logits: torch.Tensor = self.head(x)
        return logits


def make_loss() -> nn.Module:
    """Sigmoid and log-likelihood in one, on raw logits.

    A target is a 0.0 or 1.0 for each label, of shape (N, labels), float32.
    """
    return nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0]))


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
    outputs = model(torch.zeros(2, 40, dtype=torch.long))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 5), outputs.shape
    assert total == 131_205, total


if __name__ == "__main__":
    main()
