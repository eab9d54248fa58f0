"""Lightning: the network in a LightningModule, and a Trainer in its barebones mode.

That mode is made for measuring: no logger, no checkpoints, no progress bar, no summary.
"""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from benchmarks.contenders.work import Clock, Task, Work, load


class Lit(pl.LightningModule):
    """A step and an optimizer; the mean loss is summed on the device, which is cheaper than `self.log`."""

    def __init__(self, work: Work, clock: Clock) -> None:
        super().__init__()
        self.network, self.loss_fn, self.lr = work.model, work.loss_fn, work.lr
        self.samples, self.clock = len(work.data), clock
        self.total = torch.zeros(())

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Forward and loss."""
        inputs, targets = batch
        loss: torch.Tensor = self.loss_fn(self.network(inputs), targets)
        self.total += loss.detach() * len(inputs)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, as all the others."""
        return torch.optim.Adam(self.network.parameters(), lr=self.lr)

    def on_train_epoch_start(self) -> None:
        """An epoch begins."""
        self.clock.start()
        self.total = torch.zeros((), device=self.device)

    def on_train_epoch_end(self) -> None:
        """An epoch has ended."""
        self.clock.stop(self.total.item() / self.samples)


def train(task: Task, clock: Clock) -> None:
    """As Lightning's first pages show it."""
    work = load(task)
    loader = DataLoader(work.data, batch_size=task.batch_size, shuffle=True)
    accelerator = "gpu" if task.device == "cuda" else "cpu"
    trainer = pl.Trainer(accelerator=accelerator, devices=1, max_epochs=task.epochs, barebones=True)
    trainer.fit(Lit(work, clock), loader)
