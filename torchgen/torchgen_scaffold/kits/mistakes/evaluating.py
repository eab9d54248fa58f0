"""Mistakes in eval.py."""

from __future__ import annotations

from torchgen_scaffold.kits.mistakes.row import Mistake

ROWS: tuple[Mistake, ...] = ()
