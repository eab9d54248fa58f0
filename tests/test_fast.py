"""The fast loop: it learns exactly what a plain loop learns, on one device, in one graph, or in several processes."""

from __future__ import annotations

import contextlib
import copy
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from projects import inside, make, run, script_fails
from test_training import same

CPU = torch.device("cpu")
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"task": "multiclass", "input_shape": "5", "output_shape": "3", "model": {"dropout": 0.2}},
    "cnn": {"task": "binary", "input_shape": "3,9,11", "model": {"preset": "cnn", "batchnorm": True}},
    "gru": {"task": "regression", "input_shape": "6,3", "output_shape": "2", "model": {"preset": "gru"}},
    "tokens": {"task": "multilabel", "input_shape": "9", "output_shape": "3", "model": {"vocab_size": 30}},
}


@contextlib.contextmanager
def opened(project: Path, *flags: str) -> Iterator[SimpleNamespace]:
    """The modules of a project, and the settings of its train.py."""
    with inside(project), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *flags])
        modules = {name: importlib.import_module(name) for name in ("train", "batches", "dataset", "runtime")}
        yield SimpleNamespace(**modules, settings=modules["train"].parse_settings())


def parts_of(opened: SimpleNamespace, clip_norm: float = 0.0) -> tuple[Any, Any, Any, Any]:
    """A fresh model with its loss, optimizer and step, as train.py makes them."""
    model_module = importlib.import_module("model")
    torch.manual_seed(0)
    model = model_module.Model()
    train = opened.dataset.load_splits(0).train
    if hasattr(opened.dataset, "statistics"):
        model.load_state_dict(opened.dataset.statistics(train), strict=False)
    loss_fn = model_module.make_loss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    opened.settings.clip_norm = clip_norm
    step = opened.train.make_step(model, loss_fn, optimizer, scaler, opened.settings, CPU)
    return model, loss_fn, optimizer, step


class InOrder(Dataset[tuple[torch.Tensor, ...]]):
    """Some samples in a given order, one by one."""

    def __init__(self, split: Any, order: torch.Tensor) -> None:
        self.split, self.order = split, order.tolist()

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        sample: tuple[torch.Tensor, ...] = self.split[self.order[index]]
        return sample


@pytest.mark.parametrize("name", NETWORKS)
def test_an_epoch_is_that_of_a_plain_loop_to_the_bit(tmp_path: Path, name: str) -> None:
    project = make(tmp_path, **NETWORKS[name], data={"samples": 120}, training={"batch_size": 16})
    with opened(project, "--device", "cpu") as our:
        train = our.dataset.load_splits(0).train
        model, loss_fn, _, step = parts_of(our)
        loader = our.batches.make_loader(train, 16, CPU, shuffle=True)
        torch.manual_seed(7)
        loss = our.train.train_epoch(model, step, loader, our.settings, CPU)

        plain, _, optimizer, _ = parts_of(our)
        plain.train()
        torch.manual_seed(7)
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(7))
        total = 0.0
        for inputs, targets in DataLoader(
            InOrder(train, order), 16, generator=torch.Generator()
        ):  # with a generator of its own, so that dropout draws what it drew above
            if hasattr(plain, "standardize"):
                targets = plain.standardize(targets)
            mean = loss_fn(plain(inputs), targets)
            optimizer.zero_grad()
            mean.backward()
            optimizer.step()
            total += mean.item() * len(inputs)
        assert loss == pytest.approx(total / len(train), rel=1e-6)
        assert same(model.state_dict(), plain.state_dict())


def test_the_parts_of_a_batch_add_up_to_it(tmp_path: Path) -> None:
    project = make(tmp_path, task="regression", input_shape="4", output_shape="2", data={"samples": 90})
    with opened(project, "--accumulate", "3") as our:
        inputs, targets = our.dataset.load_splits(0).train[:40]  # 14, 13 and 13
        model, *_, step = parts_of(our, clip_norm=0.5)
        loss = step(inputs, targets)
        our.settings.accumulate = 1
        whole, *_, step = parts_of(our, clip_norm=0.5)
        torch.testing.assert_close(loss, step(inputs, targets))
        torch.testing.assert_close(model.state_dict(), whole.state_dict())
        our.settings.accumulate = 9
        step(inputs[:2], targets[:2])  # fewer samples than parts


@pytest.mark.parametrize("flags", [["--accumulate", "0"], ["--batch-size", "0"]])
def test_a_step_of_nothing_is_refused(
    tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(tmp_path, task="binary", input_shape="4", data={"samples": 60})
    assert script_fails(project, "train.py", *flags) == "2"
    assert flags[0] in capsys.readouterr().err


def test_batches_too_small_for_batchnorm_are_refused(tmp_path: Path) -> None:
    layers = {"layers": "linear(8) -> batchnorm -> relu"}
    project = make(tmp_path, task="binary", input_shape="4", data={"samples": 60}, model=layers)
    message = "2 or more samples a batch and process are needed; here 44 make batches of 1."
    assert script_fails(project, "train.py", "--batch-size", "1") == message
    run(project, "train.py", "--batch-size", "20", "--accumulate", "3", "--epochs", "1")


def test_what_does_not_fit_comes_in_the_same_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make(tmp_path, **NETWORKS["tokens"], data={"samples": 60})
    with opened(project) as our:
        compare_loaders(our, monkeypatch, "gathered by")


def compare_loaders(our: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Held or brought by workers, the batches of a split are the same."""
    train = our.dataset.load_splits(0).train
    held = our.batches.make_loader(train, 8, CPU, shuffle=True)
    assert "held on cpu" in our.batches.where(held, CPU)
    monkeypatch.setattr(our.batches, "fits", lambda *_: False)
    brought = our.batches.make_loader(train, 8, CPU, shuffle=True)
    assert words in our.batches.where(brought, CPU)
    assert len(held) == len(brought)
    for seed in (3, 4):
        epochs = []
        for loader in (held, brought):
            torch.manual_seed(seed)
            epochs.append(list(loader))
        torch.testing.assert_close(epochs[0], epochs[1])


def test_images_are_decoded_once_where_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    for number in range(40):
        folder = tmp_path / "pictures" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6, 5), number * 6).save(folder / f"{number}.png")
    project = make(tmp_path, data={"source": "images:pictures"})
    with opened(project) as our:
        compare_loaders(our, monkeypatch, "decoded by")
        train = our.dataset.load_splits(0).train
        monkeypatch.undo()
        size = len(train) * (5 * 6 * 4 + 4)
        for room, fits in ((size, True), (size - 1, False)):
            monkeypatch.setattr(our.batches, "ROOM", room)
            assert our.batches.fits(train, CPU) is fits


@pytest.mark.parametrize(
    ("error", "stops"),
    [("[gloo/transport/tcp/pair.cc:537] Connection reset by peer", True), ("mat1 and mat2 shapes", False)],
)
def test_a_lost_process_is_said_and_other_errors_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, stops: bool
) -> None:
    project = make(tmp_path, **NETWORKS["mlp"], data={"samples": 120})
    with opened(project) as our:
        monkeypatch.setattr(our.runtime, "WORLD_SIZE", 2)
        left: list[str] = []
        for name in ("init_process_group", "destroy_process_group"):
            monkeypatch.setattr(our.runtime.dist, name, lambda *_, name=name: left.append(name))
        with pytest.raises(SystemExit if stops else RuntimeError) as raised, our.runtime.processes(CPU):
            raise RuntimeError(error)
        assert left == ["init_process_group", "destroy_process_group"]
    assert ("has lost another. Start them again with --resume." in str(raised.value)) is stops


class FakeCuda:
    """What GraphedStep uses of torch.cuda, on the CPU.

    Recording a step must leave everything as it was, so the fake puts back what the step changed. Replaying runs the
    step on the recorded tensors.
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self.sync_mode = "default"
        self.refuses = ""
        self.replayed = 0
        self.graphed: Any = None

    def CUDAGraph(self) -> SimpleNamespace:
        return SimpleNamespace(replay=self.replay)

    def Stream(self) -> SimpleNamespace:
        return SimpleNamespace(wait_stream=lambda _: None)

    current_stream = Stream

    def stream(self, _: Any) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def set_sync_debug_mode(self, mode: str) -> None:
        self.sync_mode = mode

    @contextlib.contextmanager
    def graph(self, graph: SimpleNamespace, stream: Any, capture_error_mode: str) -> Iterator[None]:
        assert all(isinstance(group["lr"], torch.Tensor) for group in self.optimizer.param_groups)
        assert all(group["capturable"] for group in self.optimizer.param_groups)
        if self.refuses == "graph":
            raise RuntimeError("operation not permitted when stream is capturing")
        before = copy.deepcopy((self.model.state_dict(), self.optimizer.state_dict()["state"]))
        yield
        self.model.load_state_dict(before[0])
        for state, old in zip(self.optimizer.state.values(), before[1].values(), strict=True):
            for name, value in old.items():
                state[name].copy_(value)

    def replay(self) -> None:
        rates = [rate.item() for rate in self.graphed.rates]
        assert rates == pytest.approx([group["lr"] for group in self.optimizer.param_groups])
        self.graphed.loss.copy_(self.graphed.step(self.graphed.inputs, self.graphed.targets))
        self.replayed += 1


class TorchWith:
    """torch, with another torch.cuda."""

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda = cuda

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


SIZES = [8, 8, 8, 5, 8, 8, 8, 5]  # samples of the batches of two epochs


def ten_steps(our: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, refuses: str | None) -> Any:
    """Train on the batches of SIZES at a rate that changes; `refuses` None is without a graph."""
    model, _, optimizer, step = parts_of(our)
    model.train()
    fake = FakeCuda(model, optimizer)
    if refuses is not None:
        monkeypatch.setattr(our.runtime, "torch", TorchWith(fake))
        plain = step

        def watched(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            if fake.sync_mode == refuses:
                raise RuntimeError("called a synchronizing CUDA operation\nmore of it")
            loss: torch.Tensor = plain(inputs, targets)
            return loss

        fake.refuses = refuses
        step = fake.graphed = our.runtime.GraphedStep(watched, optimizer)
    torch.manual_seed(5)
    losses, start = [], 0
    for number, size in enumerate(SIZES):
        optimizer.param_groups[0]["lr"] = 0.01 / (1 + number)
        inputs, targets = our.dataset.load_splits(0).train[start : start + size]
        start += size
        losses.append(step(inputs, targets).clone())
    assert optimizer.param_groups[0]["lr"] == 0.01 / len(SIZES)  # a plain number still
    return losses, model.state_dict(), optimizer.state_dict(), fake


def test_a_replayed_graph_learns_what_single_steps_learn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make(tmp_path, **NETWORKS["cnn"], data={"samples": 120})
    with opened(project) as our:
        *plain, _ = ten_steps(our, monkeypatch, None)
        *graphed, fake = ten_steps(our, monkeypatch, "")
    assert fake.replayed == 3  # of six whole batches, three warm up
    assert same(plain, graphed)
    assert fake.sync_mode == "default"


def test_a_step_that_waits_for_the_gpu_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(tmp_path, **NETWORKS["cnn"], data={"samples": 120})
    with opened(project) as our:
        *plain, _ = ten_steps(our, monkeypatch, None)
        *graphed, fake = ten_steps(our, monkeypatch, "error")
    assert fake.replayed == 0
    assert same(plain, graphed)
    assert capsys.readouterr().out == (
        "Steps run without a CUDA graph: called a synchronizing CUDA operation.\n"
    )


def test_a_recording_that_fails_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make(tmp_path, **NETWORKS["mlp"], data={"samples": 120})
    with opened(project) as our, pytest.raises(SystemExit, match="use --eager"):
        ten_steps(our, monkeypatch, "graph")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [(["--eager"], "--eager"), (["--compile"], "--compile"), (["--amp", "fp16"], "--amp fp16")],
)
def test_what_stands_against_a_graph_is_said(
    tmp_path: Path, flags: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(tmp_path, **NETWORKS["mlp"], data={"samples": 120})
    with opened(project, *flags) as our:
        _, _, optimizer, step = parts_of(our)
        fast = our.runtime.fast(step, optimizer, our.settings, torch.device("cuda"))
    assert fast is step
    assert f"without a CUDA graph: {reason}." in capsys.readouterr().out


def test_nothing_slow_is_imported_before_the_first_step(tmp_path: Path) -> None:
    project = make(tmp_path, task="multiclass", input_shape="4", output_shape="3")
    probe = (
        "import runpy, sys, torch\n"
        "from torch.optim.optimizer import register_optimizer_step_post_hook\n"
        "def stop(*_):\n"
        "    print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
        "    raise SystemExit\n"
        "register_optimizer_step_post_hook(stop)\n"
        "sys.argv = ['train.py']\n"
        "runpy.run_path('train.py', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=project, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "torch" in loaded
    assert not loaded & {"sklearn", "matplotlib", "pandas", "tensorboard", "scipy"}
