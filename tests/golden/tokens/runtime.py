"""What stands around the loop: device, processes, the fast step, checkpoints, and the log."""

import contextlib
import csv
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

OUTPUTS = Path(__file__).parent / "outputs"
# torchrun tells each process its number and how many there are; alone, it is 0 of 1.
RANK = int(os.environ.get("RANK", "0"))
WORLD_SIZE = int(os.environ.get("WORLD_SIZE", "1"))
# --amp: what the layers compute in; the weights and the loss stay in float32.
PRECISIONS = {"none": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# What learns from the inputs and targets of a batch, and returns their mean loss.
Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is the accelerator (cuda, mps, ...), if any."""
    if name == "auto":
        found = torch.accelerator.current_accelerator()
        name = str(found) if found and torch.accelerator.is_available() else "cpu"
        if WORLD_SIZE > 1 and name != "cuda":  # where processes can meet
            name = "cpu"
    if name == "cuda":  # one GPU for each process of a machine
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    try:
        # Where it cannot be used, this fails: here, with a reason, not half way.
        device = torch.empty(0, device=name).device
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise SystemExit(f"--device {name} cannot be used: {reason}") from error
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")  # TF32, on GPUs that have it
    return device


def say(text: str) -> None:
    """Print, once, however many processes there are."""
    if RANK == 0:
        print(text, flush=True)


@contextlib.contextmanager
def processes(device: torch.device) -> Iterator[None]:
    """Join the processes that torchrun has started, and part in good order."""
    if WORLD_SIZE == 1:
        yield
        return
    say(f"{WORLD_SIZE} processes share each batch.")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        lost = f"Process {RANK} of {WORLD_SIZE} has lost another."
        raise SystemExit(f"{lost} Start them again with --resume.") from error
    finally:
        dist.destroy_process_group()


def add_up(number: torch.Tensor) -> torch.Tensor:
    """The sum of a number over all processes."""
    if WORLD_SIZE > 1:
        dist.all_reduce(number)
    return number


def gather(rows: torch.Tensor) -> torch.Tensor:
    """The rows (n, ...) of every process, one process after the other."""
    if WORLD_SIZE == 1:
        return rows
    counts = torch.zeros(WORLD_SIZE, dtype=torch.long, device=rows.device)
    counts[RANK] = len(rows)
    dist.all_reduce(counts)
    # Only tensors of one size can be exchanged; what was added is cut off again.
    padded = rows.new_zeros(int(counts.max()), *rows.shape[1:])
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in range(WORLD_SIZE)]
    dist.all_gather(parts, padded)
    return torch.cat([part[:n] for part, n in zip(parts, counts.tolist(), strict=True)])


def autocast(device: torch.device, amp: str) -> contextlib.AbstractContextManager[Any]:
    """What the forward pass runs in: half precision, or nothing at all."""
    if amp == "none":
        return contextlib.nullcontext()
    return torch.autocast(device.type, PRECISIONS[amp])


def check_precision(model: torch.nn.Module, inputs: torch.Tensor, amp: str) -> None:
    """Stop with a message where the device has no half precision for the network."""
    model.eval()
    try:
        with autocast(inputs.device, amp):
            model(inputs)
    except RuntimeError as error:
        problem = f"This {inputs.device.type} has no {amp} for this network."
        raise SystemExit(f"{problem} Use another --amp.") from error


def in_parts(
    inputs: torch.Tensor, targets: torch.Tensor, count: int
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """A batch in `count` parts: one after the other they need less memory."""
    if count == 1:
        return [(inputs, targets)]
    count = min(count, len(inputs))
    parts = zip(inputs.tensor_split(count), targets.tensor_split(count), strict=True)
    return list(parts)


def fast(
    step: Step, optimizer: torch.optim.Optimizer, settings: Any, device: torch.device
) -> Step:
    """The step as a CUDA graph; else as it is, with a line that says why."""
    if device.type != "cuda":
        return step
    reasons = {
        "--eager": settings.eager,
        "--compile": settings.compile,
        "--amp fp16": settings.amp == "fp16",
        "several processes": WORLD_SIZE > 1,
    }
    for reason, holds in reasons.items():
        if holds:
            say(f"Steps run without a CUDA graph: {reason}.")
            return step
    return GraphedStep(step, optimizer)


class GraphedStep:
    """A whole step, recorded once as a CUDA graph and then replayed.

    The step of a small network is a hundred short calls, and the GPU waits for Python
    between them. A graph is one call. It works on the same memory every time, so each
    batch is copied to where the first one was.
    """

    def __init__(self, step: Step, optimizer: torch.optim.Optimizer) -> None:
        self.step, self.optimizer = step, optimizer
        untyped: Any = torch.cuda  # its Stream has no types
        self.stream = untyped.Stream()
        self.shape: torch.Size | None = None
        # Ordinary steps first: libraries choose their kernels, and the optimizer makes its
        # state, none of which must be recorded.
        self.warm_ups = 3
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.shape is None:
            self.shape = inputs.shape
        if inputs.shape != self.shape:
            return self.step(inputs, targets)  # the last batch is smaller
        if self.warm_ups:
            return self.warm_up(inputs, targets)
        if self.graph is None:
            self.graph = self.record(inputs, targets)
        self.inputs.copy_(inputs)
        self.targets.copy_(targets)
        for rate, group in zip(self.rates, self.optimizer.param_groups, strict=True):
            rate.fill_(group["lr"])
        self.graph.replay()
        return self.loss

    def warm_up(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """A step as it is, on the recording's stream; the last shows if it can be recorded."""
        self.warm_ups -= 1
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            try:
                if self.warm_ups == 0:  # what makes Python wait for the GPU fails now
                    torch.cuda.set_sync_debug_mode("error")
                loss = self.step(inputs, targets)
            except RuntimeError as error:
                if self.warm_ups:
                    raise
                say(f"Steps run without a CUDA graph: {str(error).splitlines()[0]}.")
                self.shape = torch.Size()  # no batch has it: ordinary steps from now on
                torch.cuda.set_sync_debug_mode("default")
                loss = self.step(inputs, targets)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        torch.cuda.current_stream().wait_stream(self.stream)
        return loss

    def record(
        self, inputs: torch.Tensor, targets: torch.Tensor
    ) -> torch.cuda.CUDAGraph:
        """Record a step without running it.

        Meanwhile the learning rates are tensors: a number would be frozen into the graph,
        and a tensor is read at each replay, so that a schedule still works.
        """
        groups = self.optimizer.param_groups
        before = [dict(group) for group in groups]
        self.inputs, self.targets = inputs.clone(), targets.clone()
        device = inputs.device
        self.rates = [torch.tensor(group["lr"], device=device) for group in groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group.update(lr=rate, capturable=True)
        for state in self.optimizer.state.values():
            if "step" in state:  # some optimizers count on the CPU
                state["step"] = state["step"].to(device)
        graph = torch.cuda.CUDAGraph()
        try:
            # "thread_local": what a loader's thread does meanwhile is no error.
            with torch.cuda.graph(
                graph, stream=self.stream, capture_error_mode="thread_local"
            ):
                self.loss = self.step(self.inputs, self.targets)
        except RuntimeError as error:
            problem = f"This step makes no CUDA graph ({error}); use --eager."
            raise SystemExit(problem) from error
        for group, plain in zip(groups, before, strict=True):
            group.clear()
            group.update(plain)
        return graph


def save_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Write beside, then rename: a run killed half way leaves the old file whole."""
    if RANK > 0:
        return  # one process writes for all
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    torch.save(checkpoint, beside)
    os.replace(beside, path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values only, so that no file can run code."""
    if not path.is_file():
        raise SystemExit(f"There is no checkpoint {path}. Run train.py first.")
    checkpoint: dict[str, Any] = torch.load(
        path, map_location=device, weights_only=True
    )
    return checkpoint


def save_rows(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write which sample went into which split, so that anyone can see it."""
    if RANK > 0:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["sample", "split"])
        for split, samples in zip(("train", "val", "test"), rows, strict=True):
            table.writerows([sample, split] for sample in samples)


class Log:
    """What each epoch gave: a line, a row of history.csv, and curves.png at the end."""

    def __init__(
        self, output_dir: Path, rows: list[dict[str, Any]], tensorboard: bool
    ) -> None:
        self.output_dir = output_dir
        self.rows = rows
        self.writer: Any = None
        if tensorboard and RANK == 0:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                problem = "--tensorboard needs: pip install tensorboard"
                raise SystemExit(problem) from error
            self.writer = SummaryWriter(output_dir / "tensorboard")

    def add(self, row: dict[str, Any]) -> None:
        """Show the row of one epoch, and write all rows so far."""
        self.rows.append(row)
        if RANK > 0:
            return
        say("  ".join(f"{name} {show(value)}" for name, value in row.items()))
        for name, value in row.items():
            if self.writer and value is not None and name != "epoch":
                self.writer.add_scalar(name, value, row["epoch"])
        self.output_dir.mkdir(parents=True, exist_ok=True)
        with (self.output_dir / "history.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, fieldnames=list(row))
            table.writeheader()
            table.writerows(self.rows)

    def close(self) -> None:
        """Draw the losses over the epochs into curves.png."""
        if self.writer:
            self.writer.close()
        if not self.rows or RANK > 0:
            return
        import matplotlib  # imported late: it takes as long as a small training run

        matplotlib.use("Agg")  # files only: there may be no screen
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
        epochs = [row["epoch"] for row in self.rows]
        for name in ("train_loss", "val_loss"):
            losses = [row[name] for row in self.rows]
            axes.plot(epochs, losses, marker=".", label=name.replace("_", " "))
        axes.set(xlabel="epoch", ylabel="loss")
        axes.legend()
        figure.savefig(self.output_dir / "curves.png", dpi=120)
        plt.close(figure)


def show(value: float | None) -> str:
    """A number as a person reads it: 7, 0.9312, 1.25e-05."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"
