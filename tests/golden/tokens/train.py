"""Train the network on 1,000 made samples with a signal to learn.

Usage:
    python train.py           # from the start; every setting below is a flag
    python train.py --resume  # go on from outputs/last.pt, as if it had never stopped
    python eval.py            # afterwards: the best checkpoint on the test split
    torchrun --nproc-per-node=2 train.py  # the same run, shared by two processes
"""

import argparse
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from batches import Loader, make_loader, where
from dataset import load_splits
from eval import evaluate
from model import Model, make_loss
from runtime import (
    OUTPUTS,
    PRECISIONS,
    RANK,
    WORLD_SIZE,
    Log,
    Step,
    add_up,
    autocast,
    check_precision,
    choose_device,
    fast,
    in_parts,
    load_checkpoint,
    processes,
    save_checkpoint,
    save_rows,
    say,
)

# Every setting: its value, and its reason. Each is a flag too: --batch-size 32.
SETTINGS: dict[str, tuple[int | float | bool, str]] = {
    "epochs": (46, "passes over the train split, 22 steps each"),
    "batch_size": (32, "samples a step"),
    "lr": (0.01, "how far a step goes; SGD usually starts at 0.01"),
    "clip_norm": (1.0, "the gradient's largest norm; 0: no limit"),
    "patience": (0, "stop after so many epochs without a better val loss; 0: never"),
    "seed": (0, "decides the split, the weights and the order"),
    "momentum": (0.9, "share of the last step that is kept"),
    "nesterov": (True, "look ahead along the momentum"),
    "weight_decay": (0.0, "pulls every weight towards 0 at each step; 0 is off"),
}


def parse_settings() -> argparse.Namespace:
    """The settings above as flags, and how to run: where, how precisely, from where."""
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(formatter_class=formatter)
    add = parser.add_argument
    for name, (value, why) in SETTINGS.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            add(flag, action=argparse.BooleanOptionalAction, default=value, help=why)
        else:
            add(flag, type=type(value), default=value, help=why)
    add("--accumulate", type=int, default=1, help="batches that make up one step")
    add("--device", default="auto", help="cpu, cuda, mps or auto")
    add("--amp", choices=PRECISIONS, default="none", help="compute in half precision")
    add("--compile", action="store_true", help="a slow start, then faster steps")
    add("--eager", action="store_true", help="on a GPU, step without a CUDA graph")
    add("--tensorboard", action="store_true", help="write TensorBoard events too")
    add("--resume", action="store_true", help="go on from last.pt in --output-dir")
    add("--output-dir", type=Path, default=OUTPUTS, help="where results go")
    settings = parser.parse_args()
    if settings.accumulate < 1 or settings.batch_size < 1:
        parser.error("--batch-size and --accumulate are 1 or more")
    if settings.batch_size % WORLD_SIZE:
        parser.error(f"--batch-size must be a multiple of the {WORLD_SIZE} processes")
    return settings


def make_step(
    model: Model,
    loss_fn: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    settings: argparse.Namespace,
    device: torch.device,
) -> Step:
    """The function that learns from one batch; runtime.py makes it fast."""
    network: nn.Module = model
    if WORLD_SIZE > 1:  # every process gets the mean of all gradients
        network = nn.parallel.DistributedDataParallel(model, broadcast_buffers=False)
    half_precision = autocast(device, settings.amp)

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Forward, loss, zero_grad, backward, step; returns a sample's mean loss."""
        losses: list[torch.Tensor] = []
        for part, truth in in_parts(inputs, targets, settings.accumulate):
            with half_precision:
                logits = network(part)
            loss = loss_fn(logits.float(), truth)
            if len(part) < len(inputs):
                # By its size: so the sum is the mean over the whole batch.
                loss = loss * (len(part) / len(inputs))
            if not losses:
                optimizer.zero_grad()  # gradients add up unless they are cleared
            scaler.scale(loss).backward()  # fp16 would lose small gradients, unscaled
            losses.append(loss.detach())
        if settings.clip_norm:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        scaler.step(optimizer)
        scaler.update()
        return sum(losses[1:], losses[0])

    return step


def train_epoch(
    model: Model,
    step: Step,
    loader: Loader,
    settings: argparse.Namespace,
    device: torch.device,
) -> float:
    """One pass over the train split; returns the mean loss of a sample."""
    model.train()  # switches dropout and batch statistics on
    total, samples = torch.zeros((), device=device), 0
    # A progress bar: that of the first process, and on a terminal only (None).
    bar = tqdm(loader, desc="train", leave=False, disable=True if RANK else None)
    for inputs, targets in bar:
        inputs = inputs.to(device, non_blocking=True)
        targets = targets.to(device, non_blocking=True)
        loss = step(inputs, targets)
        total += loss * len(inputs)  # by sample: the last batch is smaller
        samples += len(inputs)
    # Asked for once an epoch: .item() after each step would make the device wait.
    mean = add_up(total).item() / (samples * WORLD_SIZE)
    if not math.isfinite(mean):
        raise SystemExit(
            f"The loss became {mean}. Try a lower --lr (it is {settings.lr}), "
            "a lower --clip-norm, --amp none, and look for wild values in the data."
        )
    return mean


def main() -> None:
    """Find the device, join the other processes if there are any, and train."""
    settings = parse_settings()
    device = choose_device(settings.device)
    with processes(device):
        train(settings, device)


def train(settings: argparse.Namespace, device: torch.device) -> None:
    """Define model, loss and optimizer; then train, validate and save, by epochs."""
    torch.manual_seed(settings.seed)  # before the model: its first weights are random
    splits = load_splits(settings.seed)
    step_size = settings.batch_size * settings.accumulate  # samples, of all processes
    train_loader = make_loader(splits.train, step_size, device, shuffle=True)
    val_loader = make_loader(splits.val, settings.batch_size, device)

    model = Model()
    model.to(device)
    if settings.amp != "none":
        check_precision(model, next(iter(val_loader))[0].to(device), settings.amp)
    if settings.compile:
        model.compile()
    loss_fn = make_loss().to(device)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, T_max=settings.epochs
    )
    scaler = torch.amp.GradScaler(device.type, enabled=settings.amp == "fp16")

    # A checkpoint holds the state of these parts and plain numbers, nothing else.
    parts: dict[str, Any] = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "scaler": scaler,
    }
    best, last = settings.output_dir / "best.pt", settings.output_dir / "last.pt"
    progress = {
        "epoch": 0,
        "best_loss": math.inf,
        "stale": 0,
        "seed": settings.seed,
        "span": settings.epochs,  # of the schedule
    }
    rows: list[dict[str, Any]] = []
    if settings.resume:
        checkpoint = load_checkpoint(last, device)
        if checkpoint["progress"]["seed"] != settings.seed:
            seed = checkpoint["progress"]["seed"]
            problem = f"That run split its data with --seed {seed}; resume with it."
            raise SystemExit(problem)
        if checkpoint["progress"]["span"] != progress["span"]:
            span = checkpoint["progress"]["span"]
            problem = f"That run's schedule spans {span} epochs."
            raise SystemExit(f"{problem} Resume with its --epochs.")
        for name, part in parts.items():
            part.load_state_dict(checkpoint[name])
        progress, rows = checkpoint["progress"], checkpoint["rows"]

    log = Log(settings.output_dir, rows, settings.tensorboard)

    def save(path: Path) -> None:
        states = {name: part.state_dict() for name, part in parts.items()}
        save_checkpoint(path, {**states, "progress": progress, "rows": rows})

    sizes = f"{len(splits.train):,} train and {len(splits.val):,} val samples"
    say(f"{sizes}, {where(train_loader, device)}")
    if not settings.resume:
        save_rows(settings.output_dir / "splits.csv", splits.rows)
        save(last)  # so that even a run stopped in its first epoch can be resumed
    step = make_step(model, loss_fn, optimizer, scaler, settings, device)
    step = fast(step, optimizer, settings, device)
    try:
        for epoch in range(progress["epoch"] + 1, settings.epochs + 1):
            # A seed of its own, so that an epoch is the same after --resume.
            torch.manual_seed(settings.seed + epoch)
            train_loss = train_epoch(model, step, train_loader, settings, device)
            val_loss, metrics, *_ = evaluate(model, val_loader, loss_fn, device)
            lr = optimizer.param_groups[0]["lr"]
            scheduler.step()
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
                say(f"Stopped: no better val loss for {settings.patience} epochs.")
                break
    except KeyboardInterrupt:
        done = load_checkpoint(last, torch.device("cpu"))["progress"]["epoch"]
        say(f"\nStopped; {last} holds {done} whole epochs.")
        say("Go on with the same settings and --resume.")
        raise SystemExit(130) from None
    log.close()
    say(f"The best val loss is {progress['best_loss']:.4g}. Next: python eval.py")


if __name__ == "__main__":
    main()
