"""The tightest loop that plain PyTorch allows: what the others are measured against.

The data lies on the device, a batch is one indexing of it, Adam is fused, 2d convolutions have their channels last, and
nothing is read back before the epoch is over. On a GPU the whole step is one CUDA graph, and an epoch is its bare replay.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from benchmarks.contenders.work import Clock, Task, Work, load

WARM_UP = (
    3  # eager steps before a capture, in which libraries choose their algorithms and make their workspaces
)


def train(task: Task, clock: Clock) -> None:
    """Permute, split, step."""
    work = load(task)
    inputs, targets = (part.to(task.device) for part in work.data.tensors)
    if any(isinstance(layer, nn.Conv2d) for layer in work.model.modules()):
        work.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's hints lack it
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    work.model.train()
    step = Step(work)
    replay = None
    if inputs.is_cuda and len(inputs) >= task.batch_size:
        replay = captured(step, inputs, targets, task.batch_size)
    for _ in range(task.epochs):
        clock.start()
        step.total.zero_()
        for index in torch.split(torch.randperm(len(inputs), device=inputs.device), task.batch_size):
            if replay and len(index) == task.batch_size:
                replay(index)
            else:  # on a CPU every batch, on a GPU the last and smaller one
                step(inputs[index], targets[index])
        clock.stop(step.total.item() / len(inputs))


class Step:
    """One step on a batch. Its loss is added to `total`, a number on the device, once for each sample."""

    def __init__(self, work: Work) -> None:
        weights = list(work.model.parameters())
        self.model, self.loss_fn = work.model, work.loss_fn
        self.total = torch.zeros((), device=weights[0].device)
        # capturable: Adam keeps its count of steps on the GPU, where a graph can change it.
        self.optimizer = torch.optim.Adam(weights, lr=work.lr, fused=True, capturable=weights[0].is_cuda)

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Forward, loss, zero_grad, backward, step."""
        loss = self.loss_fn(self.model(inputs), targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.total.add_(loss.detach(), alpha=len(inputs))


def captured(
    step: Step, inputs: torch.Tensor, targets: torch.Tensor, batch_size: int
) -> Callable[[torch.Tensor], None]:
    """`step` as a CUDA graph: a function of the indices of one whole batch. Weights and moments are left as they were."""
    batch = inputs[:batch_size].clone(), targets[:batch_size].clone()  # the memory that the graph reads
    before = {name: value.clone() for name, value in step.model.state_dict().items()}
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # a capture must not be the first time; and warms up on a stream of its own
        for _ in range(WARM_UP):
            step(*batch)
    torch.cuda.current_stream().wait_stream(side)
    step.optimizer.zero_grad()  # so that the graph makes the gradients, in memory of its own
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(*batch)
    # Copied and zeroed in place: the graph knows addresses, not tensors.
    step.model.load_state_dict(before)
    for moments in step.optimizer.state.values():
        for value in moments.values():
            value.zero_()

    def replay(index: torch.Tensor) -> None:
        for data, place in zip((inputs, targets), batch, strict=True):
            torch.index_select(data, 0, index, out=place)
        graph.replay()

    return replay
