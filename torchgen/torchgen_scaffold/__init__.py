"""torchgen: a standalone PyTorch project from an input shape, an output shape and a task.

from torchgen_scaffold import Spec, SpecError, plan, generate

spec = Spec.from_dict({"name": "digits", "data": {"source": "sklearn:digits"}})
plan(spec).layers   # every layer with its shapes, parameters and arithmetic
generate(spec)      # {relative path: text}; touches no disk
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from torchgen_scaffold.version import __version__

if TYPE_CHECKING:
    from torchgen_scaffold.errors import LayerError, Problem, SpecError, TorchgenError
    from torchgen_scaffold.generate import generate
    from torchgen_scaffold.plan import Plan, plan
    from torchgen_scaffold.spec import Spec

__all__ = [
    "LayerError",
    "Plan",
    "Problem",
    "Spec",
    "SpecError",
    "TorchgenError",
    "__version__",
    "generate",
    "plan",
]

# Where each of them is: imported when it is first asked for, since `torchgen --help` needs none of them.
_HOMES = {
    "LayerError": "errors",
    "Plan": "plan",
    "Problem": "errors",
    "Spec": "spec",
    "SpecError": "errors",
    "TorchgenError": "errors",
    "generate": "generate",
    "plan": "plan",
}


class _Package(ModuleType):
    """This package as a module that imports what it offers when it is asked for."""

    def __getattr__(self, name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{self.__name__}.{_HOMES[name]}"), name)
        setattr(self, name, found)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        # Two functions are called as their modules are, and Python puts a module here when it is imported.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
