"""What every test shares."""

from __future__ import annotations

import hypothesis
import pytest

hypothesis.settings.register_profile("torchgen", derandomize=True, deadline=None)
hypothesis.settings.load_profile("torchgen")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="property tests and faults in their full numbers")


def often(config: pytest.Config, *, nightly: int, otherwise: int) -> int:
    """How often a test that draws at random draws: `nightly` times with `--nightly`, else `otherwise`."""
    return nightly if config.getoption("--nightly") else otherwise


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run side by side: one thread each is faster than all of them fighting for two cores."""
    import torch

    torch.set_num_threads(1)
