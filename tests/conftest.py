"""What every test shares."""

from __future__ import annotations

import hypothesis
import pytest

hypothesis.settings.register_profile("torchgen", derandomize=True, deadline=None)
hypothesis.settings.load_profile("torchgen")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run side by side: one thread each is faster than all of them fighting for two cores."""
    import torch

    torch.set_num_threads(1)
