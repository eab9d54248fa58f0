"""Many projects from one file: a TOML with the keys of torchgen.toml, whose lists multiply out into cells.

`read.py` reads the file, `cells.py` multiplies it out (both are pure), `run.py` writes and verifies what comes out.
"""

from __future__ import annotations

from torchgen_scaffold.matrix.cells import Cell, cells_of
from torchgen_scaffold.matrix.read import Matrix, read_matrix

__all__ = ["Cell", "Matrix", "cells_of", "read_matrix"]
