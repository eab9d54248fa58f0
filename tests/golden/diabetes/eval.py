"""Evaluate the best checkpoint on the test split, which nothing else has looked at.

Usage:
    python eval.py  # writes metrics.json and predicted.png into outputs/
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from batches import Loader, make_loader
from dataset import TARGETS, load_splits
from model import Model, make_loss
from runtime import OUTPUTS, choose_device, gather, load_checkpoint, show


class Evaluation(NamedTuple):
    """What a model gave for every sample of a split, and how good that is."""

    loss: float
    metrics: dict[str, float | None]
    outputs: torch.Tensor
    targets: torch.Tensor


def evaluate(
    model: Model,
    loader: Loader,
    loss_fn: nn.Module,
    device: torch.device,
) -> Evaluation:
    """Run the model over a split, without learning from it."""
    model.eval()  # switches dropout off and batch statistics to the learned ones
    batches = []
    with torch.no_grad():  # no gradients are needed: less memory, more speed
        for inputs, targets in loader:
            batches.append((model(inputs.to(device)), targets.to(device)))
    # All samples at once: a mean of batch means weighs a small last batch too much.
    outputs = gather(torch.cat([outputs for outputs, _ in batches]))
    targets = gather(torch.cat([targets for _, targets in batches]))
    loss = loss_fn(outputs, model.standardize(targets)).item()
    outputs = model.in_units(outputs)  # from here on in the targets' own units
    outputs, targets = outputs.cpu(), targets.cpu()
    return Evaluation(loss, compute_metrics(outputs, targets), outputs, targets)


def compute_metrics(
    predictions: torch.Tensor, targets: torch.Tensor
) -> dict[str, float | None]:
    """MAE, RMSE and R2 in the targets' own units, a mean over the outputs."""
    # Imported here, so that training does not wait for it.
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    predicted, truth = predictions.flatten(1), targets.flatten(1)
    return {
        "mae": float(mean_absolute_error(truth, predicted)),
        "rmse": float(root_mean_squared_error(truth, predicted)),
        # 1 is perfect, 0 is as good as always saying the mean
        "r2": float(r2_score(truth, predicted)) if len(truth) > 1 else None,
    }


def plot(predictions: torch.Tensor, targets: torch.Tensor, path: Path) -> None:
    """Draw predictions against the truth: on the line they agree."""
    import matplotlib

    matplotlib.use("Agg")  # files only: there may be no screen
    from matplotlib import pyplot as plt

    plt.rcParams["text.parse_math"] = False  # a target may have a $ in its name
    predicted, truth = predictions.flatten(1).numpy(), targets.flatten(1).numpy()
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    for index, name in list(enumerate(TARGETS))[:10]:  # ten colours can be told apart
        axes.scatter(truth[:, index], predicted[:, index], s=12, alpha=0.6, label=name)
    ends = [float(truth.min()), float(truth.max())]
    axes.plot(ends, ends, color="black", linewidth=1)
    axes.set(xlabel="true", ylabel="predicted")
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Load the best checkpoint, score it on the test split, and write the results."""
    parser = argparse.ArgumentParser(description="Evaluate on the test split.")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    parser.add_argument("--batch-size", type=int, default=32, help="samples at a time")
    parser.add_argument("--output-dir", type=Path, default=OUTPUTS)
    settings = parser.parse_args()
    device = choose_device(settings.device)

    checkpoint = load_checkpoint(settings.output_dir / "best.pt", device)
    model = Model().to(device)
    model.load_state_dict(checkpoint["model"])
    # The seed of that run decides the split; another would test on trained samples.
    test = load_splits(checkpoint["progress"]["seed"]).test
    loader = make_loader(test, settings.batch_size, device)
    result = evaluate(model, loader, make_loss().to(device), device)

    metrics = {"loss": result.loss, **result.metrics}
    print(f"{len(test):,} test samples")
    for name, value in metrics.items():
        print(f"{name:<10}{show(value)}")
    path = settings.output_dir / "metrics.json"
    path.write_text(json.dumps(metrics, indent=2) + "\n")
    plot(result.outputs, result.targets, settings.output_dir / "predicted.png")
    print(f"See {path} and predicted.png beside it")


if __name__ == "__main__":
    main()
