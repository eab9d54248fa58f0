"""Compiled templates are kept where Python keeps compiled modules, and used for what they were made from only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

from torchgen_scaffold import Spec, plan
from torchgen_scaffold.overlay import own_templates
from torchgen_scaffold.render import environment, render

SPEC = {"name": "digits", "data": {"source": "sklearn:digits"}}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for them; the environment is a new one, as in a new process."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    environment.cache_clear()
    yield tmp_path
    environment.cache_clear()


def compiled(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, str], int]:
    """A project in a new environment, and how many templates had to be compiled for it."""
    environment.cache_clear()
    real, turns = Environment.compile, [0]

    def counted(self: Environment, *args: object, **kwargs: object) -> object:
        turns[0] += 1
        return real(self, *args, **kwargs)  # type: ignore[call-overload]  # as they came

    with monkeypatch.context() as patch:
        patch.setattr(Environment, "compile", counted)
        return render(plan(Spec.from_dict(SPEC))), turns[0]


def test_a_second_run_compiles_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, cold = compiled(monkeypatch)
    second, warm = compiled(monkeypatch)
    assert first == second
    assert cold > 10 and warm == 0
    assert len([path for path in kept.rglob("*") if path.is_file()]) == cold


def test_what_is_broken_or_of_another_text_is_made_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = compiled(monkeypatch)
    model, train = (next(kept.rglob(f"{name}.py*")) for name in ("model", "train"))
    model.write_bytes(b"broken")
    train.write_bytes(next(kept.rglob("eval.py*")).read_bytes())
    second, again = compiled(monkeypatch)
    assert first == second
    assert again == 2


def test_python_is_told_to_keep_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert compiled(monkeypatch)[1] > 10
    assert not list(kept.rglob("*"))


def test_a_folder_that_cannot_be_written_does_no_harm(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept / "file").touch()
    monkeypatch.setattr(sys, "pycache_prefix", str(kept / "file"))
    assert compiled(monkeypatch)[1] == compiled(monkeypatch)[1] > 10


def test_the_templates_are_those_of_the_checkout() -> None:
    assert (own_templates() / "common" / "model.py.jinja").is_file()
