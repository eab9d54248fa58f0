"""Ignite: a train step written out, as its quickstart does, and an Engine that runs it."""

from __future__ import annotations

import torch
from ignite.engine import Engine, Events
from torch.utils.data import DataLoader

from benchmarks.contenders.work import Clock, Task, load


def train(task: Task, clock: Clock) -> None:
    """The step gives the loss as a number, as in Ignite's own examples; the sum of an epoch is kept beside it."""
    work = load(task)
    model, loss_fn = work.model, work.loss_fn
    loader = DataLoader(work.data, batch_size=task.batch_size, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=work.lr)
    total = 0.0

    def train_step(engine: Engine, batch: list[torch.Tensor]) -> float:
        nonlocal total
        model.train()
        optimizer.zero_grad()
        inputs, targets = batch[0].to(task.device), batch[1].to(task.device)
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        number: float = loss.item()
        total += number * len(inputs)
        return number

    def start() -> None:
        nonlocal total
        total = 0.0
        clock.start()

    trainer = Engine(train_step)
    trainer.add_event_handler(Events.EPOCH_STARTED, start)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: clock.stop(total / len(work.data)))
    trainer.run(loader, max_epochs=task.epochs)
