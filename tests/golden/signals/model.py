"""The network (own layers) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn


class Model(nn.Module):
    """inputs (N, 4, 64) float32 -> logits (N, 3)."""

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # Statistics of the train split, which train.py fills in; buffers are saved too.
        self.register_buffer("input_mean", torch.zeros(4, 1))
        self.register_buffer("input_std", torch.ones(4, 1))

        self.features = nn.Sequential(
            # (N, 4, 64) -> (N, 16, 64): (64 + 2*2 - 1*(5-1) - 1)//1 + 1 = 64
            nn.Conv1d(4, 16, kernel_size=5, padding="same"),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            # (N, 16, 64) -> (N, 16, 32): (64 + 2*0 - 1*(2-1) - 1)//2 + 1 = 32
            nn.MaxPool1d(2),
        )
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.layers = nn.Sequential(
            nn.LayerNorm(32),
            nn.Dropout(0.2),
        )
        self.head = nn.Linear(32, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = (inputs - self.input_mean) / self.input_std
        x = self.features(x)  # (N, 4, 64) -> (N, 16, 32)
        x = x.transpose(1, 2)  # (N, 16, 32) -> (N, 32, 16)
        x, _ = self.lstm(x)  # (N, 32, 16) -> (N, 32, 32): an output for each time step
        x = x[:, -1]  # the last time step: (N, 32, 32) -> (N, 32)
        x = self.layers(x)
        # (N, 32) -> (N, 3), raw logits: the loss applies softmax
        logits: torch.Tensor = self.head(x)
        return logits


def make_loss() -> nn.Module:
    """Softmax and log-likelihood in one, on raw logits.

    A target is a class index of shape (N,), long.
    """
    return nn.CrossEntropyLoss(
        weight=torch.tensor([1.0008, 1.0008, 0.9983]), label_smoothing=0.1
    )


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
    outputs = model(torch.zeros(2, 4, 64))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 3), outputs.shape
    assert total == 6_931, total


if __name__ == "__main__":
    main()
