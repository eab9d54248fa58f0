"""The network (cnn) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn


class Model(nn.Module):
    """inputs (N, 3, 32, 48) float32 -> logits (N, 3)."""

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # Statistics of the train split, which train.py fills in; buffers are saved too.
        self.register_buffer("input_mean", torch.zeros(3, 1, 1))
        self.register_buffer("input_std", torch.ones(3, 1, 1))

        self.features = nn.Sequential(
            # (N, 3, 32, 48) -> (N, 32, 32, 48): (32 + 2*1 - 1*(3-1) - 1)//1 + 1 = 32; (48 + 2*1 - 1*(3-1) - 1)//1 + 1 = 48
            nn.Conv2d(3, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            # (N, 32, 32, 48) -> (N, 32, 16, 24): (32 + 2*0 - 1*(2-1) - 1)//2 + 1 = 16; (48 + 2*0 - 1*(2-1) - 1)//2 + 1 = 24
            nn.MaxPool2d(2),
            # (N, 32, 16, 24) -> (N, 64, 16, 24): (16 + 2*1 - 1*(3-1) - 1)//1 + 1 = 16; (24 + 2*1 - 1*(3-1) - 1)//1 + 1 = 24
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            # (N, 64, 16, 24) -> (N, 64, 8, 12): (16 + 2*0 - 1*(2-1) - 1)//2 + 1 = 8; (24 + 2*0 - 1*(2-1) - 1)//2 + 1 = 12
            nn.MaxPool2d(2),
            # (N, 64, 8, 12) -> (N, 128, 8, 12): (8 + 2*1 - 1*(3-1) - 1)//1 + 1 = 8; (12 + 2*1 - 1*(3-1) - 1)//1 + 1 = 12
            nn.Conv2d(64, 128, kernel_size=3, padding=1),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            # (N, 128, 8, 12) -> (N, 128, 4, 6): (8 + 2*0 - 1*(2-1) - 1)//2 + 1 = 4; (12 + 2*0 - 1*(2-1) - 1)//2 + 1 = 6
            nn.MaxPool2d(2),
            # (N, 128, 4, 6) -> (N, 256, 4, 6): (4 + 2*1 - 1*(3-1) - 1)//1 + 1 = 4; (6 + 2*1 - 1*(3-1) - 1)//1 + 1 = 6
            nn.Conv2d(128, 256, kernel_size=3, padding=1),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            # (N, 256, 4, 6) -> (N, 256, 2, 3): (4 + 2*0 - 1*(2-1) - 1)//2 + 1 = 2; (6 + 2*0 - 1*(2-1) - 1)//2 + 1 = 3
            nn.MaxPool2d(2),
        )
        self.flatten = nn.Flatten()
        self.head = nn.Linear(256 * 2 * 3, 3)  # 256 channels of 2x3 = 1,536 features

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = (inputs - self.input_mean) / self.input_std
        x = self.features(x)  # (N, 3, 32, 48) -> (N, 256, 2, 3)
        x = self.flatten(x)  # (N, 256, 2, 3) -> (N, 1536): 256 * 2 * 3
        # (N, 1536) -> (N, 3), raw logits: the loss applies softmax
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
    outputs = model(torch.zeros(2, 3, 32, 48))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 3), outputs.shape
    assert total == 393_987, total


if __name__ == "__main__":
    main()
