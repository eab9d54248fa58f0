"""Train the network on 5,000 rows of a Parquet file.

Usage:
    python train.py           # from the start; every setting below is a flag
    python train.py --resume  # go on from outputs/last.pt, as if it had never stopped
    python eval.py            # afterwards: the best checkpoint on the test split
"""

import argparse
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from dataset import load_splits, statistics
from eval import evaluate
from model import Model, make_loss
from runtime import (
    OUTPUTS,
    Log,
    choose_device,
    load_checkpoint,
    save_checkpoint,
    save_rows,
)

# Every setting: its value, and its reason. Each is a flag too: --batch-size 32.
SETTINGS: dict[str, tuple[int | float | bool, str]] = {
    "epochs": (19, "passes over the train split, 55 steps each"),
    "batch_size": (64, "samples a step"),
    "lr": (0.001, "how far a step goes; Adam usually starts at 0.001"),
    "clip_norm": (1.0, "the gradient's largest norm; 0: no limit"),
    "patience": (0, "stop after so many epochs without a better val loss; 0: never"),
    "seed": (0, "decides the split, the weights and the order"),
    "weight_decay": (0.0, "pulls every weight towards 0 at each step; 0 is off"),
}
# --amp: what the layers compute in; the weights and the loss stay in float32.
PRECISIONS = {"none": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def parse_settings() -> argparse.Namespace:
    """The settings above as flags, and how to run: where, how precisely, from where on."""
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(formatter_class=formatter)
    add = parser.add_argument
    for name, (value, why) in SETTINGS.items():
        flag = "--" + name.replace("_", "-")
        add(flag, type=type(value), default=value, help=why)
    add("--device", default="auto", help="cpu, cuda, mps or auto")
    add("--amp", choices=PRECISIONS, default="none", help="compute in half precision")
    add("--compile", action="store_true", help="a slow start, then faster steps")
    add("--tensorboard", action="store_true", help="write TensorBoard events too")
    add("--resume", action="store_true", help="go on from last.pt in --output-dir")
    add("--output-dir", type=Path, default=OUTPUTS, help="where results go")
    return parser.parse_args()


def train_epoch(
    model: Model,
    loader: DataLoader[tuple[torch.Tensor, ...]],
    loss_fn: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    settings: argparse.Namespace,
    device: torch.device,
) -> float:
    """One pass over the train split; returns the mean loss of a sample."""
    model.train()  # switches dropout and batch statistics on
    precision = PRECISIONS[settings.amp]
    total, samples = 0.0, 0
    for inputs, targets in tqdm(loader, desc="train", leave=False, disable=None):
        inputs, targets = inputs.to(device), targets.to(device)
        with torch.autocast(device.type, precision, enabled=settings.amp != "none"):
            predictions = model(inputs)
        loss = loss_fn(predictions.float(), model.standardize(targets))
        optimizer.zero_grad()  # gradients add up unless they are cleared
        scaler.scale(loss).backward()  # in fp16, small gradients would vanish unscaled
        if settings.clip_norm:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(inputs)  # by sample: the last batch is smaller
        samples += len(inputs)
        if not math.isfinite(total):
            raise SystemExit(
                f"The loss became {loss.item()}. Try a lower --lr (it is {settings.lr}), "
                "a lower --clip-norm, --amp none, and look for wild values in the data."
            )
    return total / samples


def main() -> None:
    """Define model, loss and optimizer; then train, validate and save, epoch by epoch."""
    settings = parse_settings()
    device = choose_device(settings.device)
    torch.manual_seed(settings.seed)  # before the model: its first weights are random
    splits = load_splits(settings.seed)
    pinned = device.type == "cuda"  # pinned memory is copied to a GPU faster
    train_loader = DataLoader(
        splits.train,
        settings.batch_size,
        pin_memory=pinned,
    )
    val_loader = DataLoader(splits.val, settings.batch_size, pin_memory=pinned)

    model = Model()
    model.load_state_dict(statistics(splits.train), strict=False)  # fills the buffers
    model.to(device)
    if settings.compile:
        model.compile()
    loss_fn = make_loss().to(device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    scaler = torch.amp.GradScaler(device.type, enabled=settings.amp == "fp16")

    # A checkpoint holds the state of these parts and plain numbers, nothing else.
    parts: dict[str, Any] = {
        "model": model,
        "optimizer": optimizer,
        "scaler": scaler,
        "encoder": splits.encoder,
    }
    best, last = settings.output_dir / "best.pt", settings.output_dir / "last.pt"
    progress = {"epoch": 0, "best_loss": math.inf, "stale": 0, "seed": settings.seed}
    rows: list[dict[str, Any]] = []
    if settings.resume:
        checkpoint = load_checkpoint(last, device)
        if checkpoint["progress"]["seed"] != settings.seed:
            seed = checkpoint["progress"]["seed"]
            raise SystemExit(
                f"That run split its data with --seed {seed}; resume with it."
            )
        for name, part in parts.items():
            part.load_state_dict(checkpoint[name])
        progress, rows = checkpoint["progress"], checkpoint["rows"]

    log = Log(settings.output_dir, rows, settings.tensorboard)

    def save(path: Path) -> None:
        states = {name: part.state_dict() for name, part in parts.items()}
        save_checkpoint(path, {**states, "progress": progress, "rows": rows})

    sizes = f"{len(splits.train):,} train and {len(splits.val):,} val samples"
    print(f"{sizes}, on {device}")
    if not settings.resume:
        save_rows(settings.output_dir / "splits.csv", splits.rows)
        save(last)  # so that even a run stopped in its first epoch can be resumed
    try:
        for epoch in range(progress["epoch"] + 1, settings.epochs + 1):
            # A seed of its own, so that an epoch is the same after --resume.
            torch.manual_seed(settings.seed + epoch)
            train_loss = train_epoch(
                model, train_loader, loss_fn, optimizer, scaler, settings, device
            )
            val_loss, metrics, *_ = evaluate(model, val_loader, loss_fn, device)
            lr = optimizer.param_groups[0]["lr"]
            losses = {"train_loss": train_loss, "val_loss": val_loss}
            log.add({"epoch": epoch, **losses, **metrics, "lr": lr})
            better = val_loss < progress["best_loss"]
            progress["epoch"] = epoch
            progress["stale"] = 0 if better else progress["stale"] + 1
            if better:  # the val split chooses; the test split stays unseen
                progress["best_loss"] = val_loss
                save(best)
            save(last)
            if settings.patience and progress["stale"] >= settings.patience:
                print(f"Stopped: no better val loss for {settings.patience} epochs.")
                break
    except KeyboardInterrupt:
        done = load_checkpoint(last, device)["progress"]["epoch"]
        print(f"\nStopped; {last} holds {done} whole epochs.")
        print("Go on with the same settings and --resume.")
        raise SystemExit(130) from None
    log.close()
    print(f"The best val loss is {progress['best_loss']:.4g}. Next: python eval.py")


if __name__ == "__main__":
    main()
