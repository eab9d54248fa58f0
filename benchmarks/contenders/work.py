"""What every contender is given: a task, what the project brings to it, and a clock."""

from __future__ import annotations

import contextlib
import importlib
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import torch
from torch import nn
from torch.utils.data import TensorDataset


@dataclass(frozen=True)
class Task:
    """What is to be done: `epochs` over the train split of a project, on a device ("cpu" or "cuda")."""

    project: Path
    device: str
    batch_size: int
    epochs: int


@dataclass(frozen=True)
class Work:
    """What the project brings: its train split (on the CPU), and its model and its loss, both on the device."""

    data: TensorDataset
    model: nn.Module
    loss_fn: nn.Module
    lr: float


@dataclass
class Clock:
    """Seconds and mean loss of each epoch. `stop` takes the loss as a number, which on a GPU is there last of all."""

    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    _begin: float = 0.0

    def start(self) -> None:
        """An epoch begins."""
        self._begin = time.perf_counter()

    def stop(self, loss: float) -> None:
        """An epoch has ended: `loss` is the mean over its samples."""
        self.seconds.append(time.perf_counter() - self._begin)
        self.losses.append(loss)


def load(task: Task) -> Work:
    """The project's own parts, made in the order in which its train.py makes them: the same first weights."""
    with (task.project / "torchgen.toml").open("rb") as file:
        training = tomllib.load(file)["training"]
    dataset, model = importlib.import_module("dataset"), importlib.import_module("model")
    torch.manual_seed(training["seed"])
    data = dataset.load_splits(training["seed"]).train
    network = model.Model()
    if hasattr(dataset, "statistics"):  # token ids have none
        network.load_state_dict(dataset.statistics(data), strict=False)
    return Work(data, network.to(task.device), model.make_loss().to(task.device), training["lr"])


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Every permutation is 0, 1, 2, …: all contenders see the same batches, and must come to the same loss."""

    def counted(n: int, **options: object) -> torch.Tensor:
        device = options.get("device")
        return torch.arange(n, device=device if isinstance(device, (str, torch.device)) else None)

    with mock.patch("torch.randperm", counted):
        yield
