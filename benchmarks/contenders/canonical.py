"""The loop of every tutorial: sample by sample out of the dataset, and the loss looked at in each step."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader

from benchmarks.contenders.work import Clock, Task, load


def train(task: Task, clock: Clock) -> None:
    """As a beginner learns it, and as most projects keep it."""
    work = load(task)
    model, loss_fn = work.model, work.loss_fn
    loader = DataLoader(work.data, batch_size=task.batch_size, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=work.lr)
    model.train()
    for _ in range(task.epochs):
        clock.start()
        total = 0.0
        for inputs, targets in loader:
            inputs, targets = inputs.to(task.device), targets.to(task.device)
            loss = loss_fn(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        clock.stop(total / len(work.data))
