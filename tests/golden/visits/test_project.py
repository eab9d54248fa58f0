"""What usually goes wrong in a PyTorch project, as tests: pytest test_project.py"""

import math
import pickle
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from dataset import load_splits, statistics
from model import Model, make_loss

SEED = 0


def make_model() -> Model:
    """The model as train.py starts with it, in eval mode."""
    torch.manual_seed(SEED)
    model = Model()
    model.load_state_dict(statistics(load_splits(SEED).train), strict=False)
    return model.eval()


def batch(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first samples of the train split."""
    inputs, targets = next(iter(DataLoader(load_splits(SEED).train, size)))
    return inputs, targets


def loss_of(model: Model, inputs: torch.Tensor, targets: torch.Tensor) -> Any:
    """The loss of one batch, as train.py computes it."""
    return make_loss()(model(inputs), targets)


def test_shapes_and_dtypes_fit_together() -> None:
    """BCEWithLogitsLoss wants targets (N, 1) float32."""
    inputs, targets = batch(5)
    assert inputs.shape == (5, 14, 2)
    assert inputs.dtype == torch.float32
    assert targets.shape == (5, 1)
    assert targets.dtype == torch.float32
    outputs = make_model()(inputs)
    assert outputs.shape == (5, 1)
    assert outputs.dtype == torch.float32


def test_one_sample_is_a_batch_too() -> None:
    """predict.py may be asked about a single sample."""
    inputs, _ = batch(3)
    model = make_model()
    torch.testing.assert_close(
        model(inputs[:1]), model(inputs)[:1], rtol=1e-3, atol=1e-4
    )


def test_splits_share_nothing_and_depend_on_the_seed_alone() -> None:
    """The same seed gives the same splits, of the sizes that the data has."""
    first, again = load_splits(SEED), load_splits(SEED)
    assert [len(split) for split in first[:3]] == [84, 18, 18]
    for split, same in zip(first[:3], again[:3], strict=True):
        torch.testing.assert_close(split[0], same[0], equal_nan=True)


def test_the_first_loss_is_that_of_a_guess() -> None:
    """Before training, yes and no are equally likely: ln 2 for each output."""
    inputs, targets = batch(256)
    model = make_model()
    outputs = model(inputs)
    zeros = torch.zeros_like(outputs)
    guess = make_loss()(zeros, targets).item()
    assert math.isclose(guess, math.log(2), rel_tol=1e-3)
    assert guess / 4 < loss_of(model, inputs, targets).item() < guess * 4


def test_gradients_reach_every_parameter() -> None:
    """A parameter without a gradient never learns."""
    inputs, targets = batch(8)
    model = make_model()
    loss_of(model, inputs, targets).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    first = next(model.parameters()).grad
    assert first is not None and first.abs().sum() > 0


def test_samples_of_a_batch_do_not_leak_into_each_other() -> None:
    """In the opposite order, every sample gives what it gave before."""
    inputs, _ = batch(4)
    model = make_model()
    turned = model(inputs.flip(0)).flip(0)
    torch.testing.assert_close(turned, model(inputs), rtol=1e-3, atol=1e-4)


def test_a_handful_of_samples_can_be_learned_by_heart() -> None:
    """A network that cannot do even this has a broken layer, loss or step."""
    inputs, targets = batch(8)
    model = make_model()  # in eval mode: dropout would get in the way
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(500):
        loss = loss_of(model, inputs, targets)
        if ((model(inputs) > 0) == (targets > 0)).all():
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise AssertionError(f"after 500 steps the loss is still {loss.item()}")


def test_eval_mode_gives_the_same_twice() -> None:
    """Dropout is off, and batch statistics stand still."""
    inputs, _ = batch(4)
    model = make_model()
    torch.testing.assert_close(model(inputs), model(inputs), rtol=0, atol=0)


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    """Saved and loaded with weights_only=True, the model gives the same outputs."""
    inputs, _ = batch(4)
    model = make_model()
    torch.save(model.state_dict(), tmp_path / "model.pt")
    again = Model().eval()
    again.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    torch.testing.assert_close(again(inputs), model(inputs), rtol=0, atol=0)


def test_the_dataset_can_be_sent_to_workers() -> None:
    """DataLoader workers get a pickled copy."""
    train = load_splits(SEED).train
    again = pickle.loads(pickle.dumps(train))
    torch.testing.assert_close(again[0], train[0], equal_nan=True)
