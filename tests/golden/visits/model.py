"""The network (gru) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

# Each category of the table: its words and one more for words never seen, and the numbers for each.
EMBEDDINGS = [(3, 1)]


class Columns(nn.Module):
    """The numbers of a row as they are, and embeddings for the codes behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(*sizes) for sizes in EMBEDDINGS)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        numbers, codes = inputs[..., :-1], inputs[..., -1:].long()
        parts = [numbers]
        parts += [embed(codes[..., i]) for i, embed in enumerate(self.embeddings)]
        return torch.cat(parts, dim=-1)


class Model(nn.Module):
    """inputs (N, 14, 2) float32 -> logits (N, 1)."""

    input_mean: torch.Tensor
    input_std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # Statistics of the train split, which train.py fills in; buffers are saved too.
        self.register_buffer("input_mean", torch.zeros(2))
        self.register_buffer("input_std", torch.ones(2))

        self.columns = Columns()  # (N, 14, 2) -> (N, 14, 2): 1 + 1 = 2
        self.gru = nn.GRU(2, 64, batch_first=True)
        self.head = nn.Linear(64, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        steps = ~inputs[..., 0].isnan()  # (N, T): past its end a sequence holds NaN
        lengths = steps.sum(dim=1).clamp(min=1).cpu()  # torch wants them on the CPU
        x = ((inputs - self.input_mean) / self.input_std).nan_to_num()
        x = self.columns(x)
        packed = pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        # hidden: the last state of each layer and direction, at the end of each sample
        _, hidden = self.gru(packed)
        x = hidden[-1]  # at the end of each sample: (N, 14, 64) -> (N, 64)
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
    outputs = model(torch.zeros(2, 14, 2))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 1), outputs.shape
    assert total == 13_124, total


if __name__ == "__main__":
    main()
