"""Evaluate the best checkpoint on the test split, which nothing else has looked at.

Usage:
    python eval.py
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader

from dataset import load_splits
from model import Model, make_loss

CHECKPOINT = Path(__file__).parent / "checkpoint.pt"
Batches = DataLoader[tuple[torch.Tensor, ...]]  # of inputs and targets


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" takes the accelerator where there is one."""
    if name == "auto" and torch.accelerator.is_available():
        return torch.accelerator.current_accelerator() or torch.device("cpu")
    return torch.device("cpu" if name == "auto" else name)


def save_checkpoint(model: Model, seed: int) -> None:
    """Write the weights to CHECKPOINT, with the seed that cut the data they learned from."""
    torch.save({"model": model.state_dict(), "seed": seed}, CHECKPOINT)


def load_checkpoint(device: torch.device) -> tuple[Model, int]:
    """The model as it was saved, on the device, and its seed."""
    # weights_only: tensors and plain values, so that a strange file cannot run code.
    checkpoint = torch.load(CHECKPOINT, map_location=device, weights_only=True)
    model = Model().to(device)
    model.load_state_dict(checkpoint["model"])
    return model, checkpoint["seed"]


def evaluate(
    model: Model,
    loader: Batches,
    loss_fn: nn.Module,
    device: torch.device,
) -> dict[str, float]:
    """The loss and the metrics of a whole split, without learning from it."""
    model.eval()  # switches dropout off and batch statistics to the learned ones
    batches = []
    with torch.no_grad():  # no gradients are needed: less memory, more speed
        for inputs, targets in loader:
            batches.append((model(inputs.to(device)), targets.to(device)))
    # All samples at once: a mean of batch means weighs a small last batch too much.
    predictions = torch.cat([outputs for outputs, _ in batches])
    targets = torch.cat([targets for _, targets in batches])
    loss = loss_fn(predictions, model.standardize(targets)).item()
    # From here on in the targets' own units.
    errors = model.in_units(predictions) - targets
    spread = (targets - targets.mean(dim=0)).square().sum(dim=0)
    r2 = 1 - errors.square().sum(dim=0) / spread  # 1: perfect; 0: always the mean
    return {
        "loss": loss,
        "mae": errors.abs().mean().item(),
        "rmse": errors.square().mean(dim=0).sqrt().mean().item(),
        "r2": r2.mean().item(),
    }


def main() -> None:
    """Load the best checkpoint and score it on the test split."""
    parser = argparse.ArgumentParser(description="Evaluate on the test split.")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    device = choose_device(parser.parse_args().device)
    if not CHECKPOINT.is_file():
        raise SystemExit(f"There is no {CHECKPOINT}. Run train.py first.")

    model, seed = load_checkpoint(device)
    # The seed of that run decides the split; another would test on trained samples.
    test = load_splits(seed).test
    loader = DataLoader(test, batch_size=32)
    metrics = evaluate(model, loader, make_loss().to(device), device)
    for name, value in metrics.items():
        print(f"{name:<10}{value:.4f}")


if __name__ == "__main__":
    main()
