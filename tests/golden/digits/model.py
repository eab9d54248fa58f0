"""The network (cnn) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn


class Model(nn.Module):
    """inputs (N, 1, 8, 8) float32 -> logits (N, 10)."""

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # Statistics of the train split, which train.py fills in; buffers are saved too.
        self.register_buffer("input_mean", torch.zeros(1, 1, 1))
        self.register_buffer("input_std", torch.ones(1, 1, 1))

        self.features = nn.Sequential(
            # (N, 1, 8, 8) -> (N, 32, 8, 8): (8 + 2*1 - 1*(3-1) - 1)//1 + 1 = 8
            nn.Conv2d(1, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            # (N, 32, 8, 8) -> (N, 32, 4, 4): (8 + 2*0 - 1*(2-1) - 1)//2 + 1 = 4
            nn.MaxPool2d(2),
            # (N, 32, 4, 4) -> (N, 64, 4, 4): (4 + 2*1 - 1*(3-1) - 1)//1 + 1 = 4
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.ReLU(),
            # (N, 64, 4, 4) -> (N, 64, 2, 2): (4 + 2*0 - 1*(2-1) - 1)//2 + 1 = 2
            nn.MaxPool2d(2),
        )
        self.flatten = nn.Flatten()
        self.head = nn.Linear(64 * 2 * 2, 10)  # 64 channels of 2x2 = 256 features

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = (inputs - self.input_mean) / self.input_std
        x = self.features(x)  # (N, 1, 8, 8) -> (N, 64, 2, 2)
        x = self.flatten(x)  # (N, 64, 2, 2) -> (N, 256): 64 * 2 * 2
        # (N, 256) -> (N, 10), raw logits: the loss applies softmax
        logits: torch.Tensor = self.head(x)
        return logits


def make_loss() -> nn.Module:
    """Softmax and log-likelihood in one, on raw logits.

    A target is a class index of shape (N,), long.
    """
    return nn.CrossEntropyLoss()


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
    outputs = model(torch.zeros(2, 1, 8, 8))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 10), outputs.shape
    assert total == 21_386, total


if __name__ == "__main__":
    main()
