"""Evaluate the best checkpoint on the test split, which nothing else has looked at.

Usage:
    python eval.py  # writes metrics.json and confusion_matrix.png into outputs/
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
    """Accuracy, macro F1 and ROC AUC from logits (N, 1) and targets (N, 1)."""
    # Imported here, so that training does not wait for it.
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    scores, truth = logits[:, 0], targets[:, 0].long()
    predicted = (scores > 0).long()  # a logit above 0 is a probability above 0.5
    both = len(torch.unique(truth)) == 2  # without a yes and a no, AUC has no meaning
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
        "roc_auc": float(roc_auc_score(truth, scores)) if both else None,
    }


def plot(logits: torch.Tensor, targets: torch.Tensor, path: Path) -> None:
    """Draw which classes are taken for which."""
    import matplotlib

    matplotlib.use("Agg")  # files only: there may be no screen
    from matplotlib import pyplot as plt
    from sklearn.metrics import ConfusionMatrixDisplay

    plt.rcParams["text.parse_math"] = False  # a class may have a $ in its name
    truth, predicted = targets[:, 0].long(), (logits[:, 0] > 0).long()
    few = len(CLASSES) <= 20  # more than that, and the numbers would cover each other
    size = 3 + 0.4 * min(len(CLASSES), 20)
    figure, axes = plt.subplots(figsize=(size + 1, size), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        truth,
        predicted,
        labels=range(len(CLASSES)),
        display_labels=CLASSES if few else None,
        include_values=few,
        xticks_rotation="vertical",
        cmap="Blues",
        ax=axes,
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Load the best checkpoint, score it on the test split, and write the results."""
    parser = argparse.ArgumentParser(description="Evaluate on the test split.")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    parser.add_argument("--batch-size", type=int, default=16, help="samples at a time")
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
    plot(result.outputs, result.targets, settings.output_dir / "confusion_matrix.png")
    print(f"See {path} and confusion_matrix.png beside it")


if __name__ == "__main__":
    main()
