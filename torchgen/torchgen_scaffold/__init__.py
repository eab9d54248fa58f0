"""torchgen: a standalone PyTorch project from an input shape, an output shape and a task.

from torchgen_scaffold import Spec, SpecError, plan, generate

spec = Spec.from_dict({"name": "digits", "data": {"source": "sklearn:digits"}})
plan(spec).layers   # every layer with its shapes, parameters and arithmetic
generate(spec)      # {relative path: text}; touches no disk
"""

from torchgen_scaffold.errors import LayerError, Problem, SpecError, TorchgenError
from torchgen_scaffold.generate import generate
from torchgen_scaffold.plan import Plan, plan
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.version import __version__

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
