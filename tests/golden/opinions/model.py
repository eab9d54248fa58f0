"""The network (gru) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


class Model(nn.Module):
    """inputs (N, 6) long -> logits (N, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(8, 64, padding_idx=0)
        self.gru = nn.GRU(64, 64, batch_first=True)
        self.head = nn.Linear(64, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        steps = inputs != 0  # (N, T): id 0 stands past the end of a text
        lengths = steps.sum(dim=1).clamp(min=1).cpu()  # torch wants them on the CPU
        x = self.embedding(inputs)  # (N, 6) -> (N, 6, 64)
        packed = pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        # hidden: the last state of each layer and direction, at the end of each sample
        _, hidden = self.gru(packed)
        x = hidden[-1]  # at the end of each sample: (N, 6, 64) -> (N, 64)
        # (N, 64) -> (N, 1), raw logits: the loss applies sigmoid
        logits: torch.Tensor = self.head(x)
        return logits


def make_loss() -> nn.Module:
    """Sigmoid and log-likelihood in one, on raw logits.

    A target is 0.0 or 1.0 of shape (N, 1), float32.
    """
    return nn.BCEWithLogitsLoss()


def main() -> None:
    """Show what every layer gives for a batch of 2, and check the outcome."""
    model = Model().eval()
    names = {layer: name for name, layer in model.named_modules()}

    def show(
        layer: nn.Module, _: object, output: torch.Tensor | tuple[torch.Tensor]
    ) -> None:
        if isinstance(output, tuple) and isinstance(output[0], PackedSequence):
            output = pad_packed_sequence(output[0], batch_first=True)
        shape = tuple((output[0] if isinstance(output, tuple) else output).shape)
        count = sum(parameter.numel() for parameter in layer.parameters())
        print(f"{names[layer]:<14}{type(layer).__name__:<20}{shape!s:<22}{count:>12,}")

    for layer in names:
        if not list(layer.children()):  # a layer, rather than a Sequential of layers
            layer.register_forward_hook(show)
    print(f"{'name':<14}{'layer':<20}{'output':<22}{'parameters':>12}")
    outputs = model(torch.ones(2, 6, dtype=torch.long))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 1), outputs.shape
    assert total == 25_537, total


if __name__ == "__main__":
    main()
