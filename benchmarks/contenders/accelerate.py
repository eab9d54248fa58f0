"""Accelerate: the loop of its quicktour, prepared by an Accelerator."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader

from benchmarks.contenders.work import Clock, Task, load


def train(task: Task, clock: Clock) -> None:
    """No `.to(device)`, `accelerator.backward`, and the loss summed on the device, as in its examples."""
    work = load(task)
    accelerator = Accelerator(cpu=task.device == "cpu")
    model, optimizer, loader = accelerator.prepare(
        work.model,
        torch.optim.Adam(work.model.parameters(), lr=work.lr),
        DataLoader(work.data, batch_size=task.batch_size, shuffle=True),
    )
    model.train()
    for _ in range(task.epochs):
        clock.start()
        total = torch.zeros((), device=accelerator.device)
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = work.loss_fn(model(inputs), targets)
            accelerator.backward(loss)
            optimizer.step()
            total += loss.detach() * len(inputs)
        clock.stop(total.item() / len(work.data))
