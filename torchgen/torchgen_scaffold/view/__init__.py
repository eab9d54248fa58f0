"""The plan as templates see it: one object, `plan`, whose every text is already safe where it lands.

Decisions are made here and in the modules beside this one; a template only prints. What comes from outside passes
an escape of `escape.py` on its way, and render.py refuses any text that did not.
"""

from __future__ import annotations

from torchgen_scaffold.view.ci import CiFile
from torchgen_scaffold.view.files import TrainFile
from torchgen_scaffold.view.gaps import GapFile
from torchgen_scaffold.view.table import TableFile
from torchgen_scaffold.view.use import UseFiles


class View(GapFile, UseFiles, TrainFile, TableFile, CiFile):
    """Everything that a template prints about one plan."""
