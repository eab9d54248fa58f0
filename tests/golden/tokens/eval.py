"""Evaluate the best checkpoint on the test split, which nothing else has looked at.

Usage:
    python eval.py  # writes metrics.json and labels.png into outputs/
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from batches import Loader, make_loader
from dataset import CLASSES, load_splits
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
    loss = loss_fn(outputs, targets).item()
    outputs, targets = outputs.cpu(), targets.cpu()
    return Evaluation(loss, compute_metrics(outputs, targets), outputs, targets)


def compute_metrics(
    logits: torch.Tensor, targets: torch.Tensor
) -> dict[str, float | None]:
    """Accuracy, macro F1 and ROC AUC from logits and targets of shape (N, 5)."""
    # Imported here, so that training does not wait for it.
    from sklearn.metrics import f1_score, roc_auc_score

    truth = targets.long()
    predicted = (logits > 0).long()  # a logit above 0 is a probability above 0.5
    # A label that is always or never there has no ROC curve.
    mixed = [i for i in range(truth.shape[1]) if len(torch.unique(truth[:, i])) == 2]
    areas = [roc_auc_score(truth[:, i], logits[:, i]) for i in mixed]
    right = (predicted == truth).float()  # of every label of every sample
    return {
        "accuracy": float(right.mean()),
        "f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
        "roc_auc": float(sum(areas) / len(areas)) if areas else None,
    }


def plot(logits: torch.Tensor, targets: torch.Tensor, path: Path) -> None:
    """Draw, for each label, how often it is found and how often a find is right."""
    import matplotlib

    matplotlib.use("Agg")  # files only: there may be no screen
    from matplotlib import pyplot as plt

    plt.rcParams["text.parse_math"] = False  # a label may have a $ in its name
    predicted, truth = logits > 0, targets > 0
    found = (predicted & truth).sum(dim=0)
    recall = (found / truth.sum(dim=0).clamp(min=1)).numpy()
    precision = (found / predicted.sum(dim=0).clamp(min=1)).numpy()
    places = torch.arange(len(CLASSES)).numpy()
    figure, axes = plt.subplots(
        figsize=(max(5, 0.5 * len(CLASSES)), 4), layout="constrained"
    )
    axes.bar(places - 0.2, recall, width=0.4, label="recall: of the true ones, found")
    axes.bar(
        places + 0.2, precision, width=0.4, label="precision: of the found ones, true"
    )
    axes.set_xticks(places, CLASSES, rotation="vertical")
    axes.set_ylim(0, 1)
    figure.legend(loc="outside upper center")
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
    plot(result.outputs, result.targets, settings.output_dir / "labels.png")
    print(f"See {path} and labels.png beside it")


if __name__ == "__main__":
    main()
