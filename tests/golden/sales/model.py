"""The network (mlp) and the loss that fits its outputs.

Usage:
    python model.py  # print every layer as torch sees it, and check the table
"""

import torch
from torch import nn

# Each category of the table: its words and one more for words never seen, and the numbers for each.
EMBEDDINGS = [(4, 2)]


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
    """inputs (N, 2) float32 -> predictions (N, 1)."""

    input_mean: torch.Tensor
    input_std: torch.Tensor
    target_mean: torch.Tensor
    target_std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # Statistics of the train split, which train.py fills in; buffers are saved too.
        self.register_buffer("input_mean", torch.zeros(2))
        self.register_buffer("input_std", torch.ones(2))
        self.register_buffer("target_mean", torch.zeros(1))
        self.register_buffer("target_std", torch.ones(1))

        self.columns = Columns()  # (N, 2) -> (N, 3): 1 + 2 = 3
        self.layers = nn.Sequential(
            nn.Linear(3, 128),  # (N, 3) -> (N, 128)
            nn.ReLU(),
            nn.Linear(128, 64),  # (N, 128) -> (N, 64)
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = (inputs - self.input_mean) / self.input_std
        x = self.columns(x)  # (N, 2) -> (N, 3)
        x = self.layers(x)  # (N, 3) -> (N, 64)
        # (N, 64) -> (N, 1), standardized predictions
        predictions: torch.Tensor = self.head(x)
        return predictions

    def standardize(self, targets: torch.Tensor) -> torch.Tensor:
        """Targets in their own units -> the scale that the network predicts in."""
        return (targets - self.target_mean) / self.target_std

    def in_units(self, predictions: torch.Tensor) -> torch.Tensor:
        """Predictions of the network -> the targets' own units."""
        return predictions * self.target_std + self.target_mean


def make_loss() -> nn.Module:
    """Mean squared error: large misses weigh most.

    A target is numbers of the output's own shape, float32.
    """
    return nn.MSELoss()


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
    outputs = model(torch.zeros(2, 2))
    total = sum(parameter.numel() for parameter in model.parameters())
    print(f"{total:,} parameters")
    assert outputs.shape == (2, 1), outputs.shape
    assert total == 8_841, total


if __name__ == "__main__":
    main()
