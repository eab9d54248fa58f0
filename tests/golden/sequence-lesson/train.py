"""Train the network on 1,000 made samples with a signal to learn.

Usage:
    python train.py
    python train.py --epochs 3 --batch-size 32 --lr 0.01
"""

import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader

from dataset import Splits, load_splits, statistics
from eval import Batches, choose_device, evaluate, save_checkpoint
from model import Model, make_loss

EPOCHS = 46  # passes over the train split, 22 steps each
BATCH_SIZE = 32  # samples a step
LEARNING_RATE = 0.001  # how far a step goes; Adam usually starts at 0.001
SEED = 0  # decides the split, the weights and the order


def make_loaders(splits: Splits, batch_size: int) -> tuple[Batches, Batches]:
    """Batches of the train split, shuffled anew each epoch, and of the val split."""
    train = DataLoader(splits.train, batch_size, shuffle=True)
    return train, DataLoader(splits.val, batch_size)


def make_optimizer(model: Model, lr: float) -> torch.optim.Optimizer:
    """What moves the weights of the model, a step of size lr at a time."""
    return torch.optim.Adam(model.parameters(), lr=lr)


def train_epoch(
    model: Model,
    loader: Batches,
    loss_fn: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    device: torch.device,
) -> float:
    """One pass over the train split; returns the mean loss of a sample."""
    model.train()  # switches dropout and batch statistics on
    total, samples = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        predictions = model(inputs)  # 1. forward
        loss = loss_fn(predictions, model.standardize(targets))  # 2. loss
        optimizer.zero_grad()  # 3. clear the old gradients, which would add up
        loss.backward()  # 4. backward: a gradient for every weight
        optimizer.step()  # 5. step: move every weight a little
        scheduler.step()
        total += loss.item() * len(inputs)  # by sample: the last batch is smaller
        samples += len(inputs)
    return total / samples


def main() -> None:
    """Define model, loss and optimizer; then train, validate and keep the best, epoch by epoch."""
    parser = argparse.ArgumentParser(description="Train the network.")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--lr", type=float, default=LEARNING_RATE)
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    settings = parser.parse_args()
    device = choose_device(settings.device)

    torch.manual_seed(SEED)  # before the model: its first weights are random
    splits = load_splits(SEED)
    train_loader, val_loader = make_loaders(splits, settings.batch_size)

    model = Model()
    model.load_state_dict(statistics(splits.train), strict=False)  # fills the buffers
    model.to(device)
    loss_fn = make_loss().to(device)
    optimizer = make_optimizer(model, settings.lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=settings.lr,
        total_steps=settings.epochs * len(train_loader),
        cycle_momentum=False,
    )

    best_loss = float("inf")
    for epoch in range(1, settings.epochs + 1):
        train_loss = train_epoch(
            model, train_loader, loss_fn, optimizer, scheduler, device
        )
        val = evaluate(model, val_loader, loss_fn, device)
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in val.items())
        print(f"epoch {epoch:>3}  train loss {train_loss:.4f}  val {numbers}")
        # The val split chooses the checkpoint; the test split stays unseen.
        if val["loss"] < best_loss:
            best_loss = val["loss"]
            save_checkpoint(model, SEED)
    print(f"The best val loss is {best_loss:.4f}. Next: python eval.py")


if __name__ == "__main__":
    main()
