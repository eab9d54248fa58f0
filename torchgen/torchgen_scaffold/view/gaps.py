"""What stands in a gap of a teaching kit: what to do, the rule, and the line that says that it is open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from torchgen_scaffold.escape import Code, python_string
from torchgen_scaffold.gaps import GAPS
from torchgen_scaffold.layers.base import Traced
from torchgen_scaffold.network import Block
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.training import OPTIMIZERS
from torchgen_scaffold.view import model
from torchgen_scaffold.view.basics import Basics

# What the layer before decides, and a learner is to work out.
_SIZES = ("in_channels", "in_features", "input_size", "num_features", "normalized_shape", "num_channels")
_WIDTH = 78  # of a line of layers, so that it fits behind its indentation


class Opened(frozenset[str]):
    """The open gaps, as templates ask for them: a name that no gap has is a slip, which would leave its gap closed."""

    def __contains__(self, name: object) -> bool:
        if name not in GAPS:
            raise ValueError(f"no gap is called {name!r}; there are {', '.join(GAPS)}")
        return super().__contains__(name)


class GapFile(Basics):
    """What the files of a kit print where a gap is open."""

    def __init__(self, plan: Plan, opened: frozenset[str] = frozenset()) -> None:
        super().__init__(plan)
        self.opened = Opened(opened)  # the gaps that are open; none in a project that is no kit

    def todo(self, name: str) -> Code:
        """The first line of what to do."""
        return Code(f"TODO gap {GAPS[name].number}: {GAPS[name].title}")

    def rule(self, name: str) -> Code:
        """The rule that a gap follows."""
        return Code(f"Rule: {GAPS[name].rule}")

    def open_gap(self, name: str) -> Code:
        """The line that stands for what is to be written."""
        said = python_string(f"gap {GAPS[name].number}: {GAPS[name].title}")
        return Code(f"raise NotImplementedError({said})")

    @cached_property
    def layers_todo(self) -> list[Code]:
        """Each attribute of the model and its layers, without the sizes that are to be worked out."""
        return [Code(line) for block in self._plan.network.blocks for line in _described(block)]

    @cached_property
    def forward_todo(self) -> list[Code]:
        """What forward() does, in words."""
        blocks = self._plan.network.blocks
        lines = []
        if not self._spec.model.vocab_size:
            lines.append("Subtract self.input_mean from the inputs, and divide by self.input_std.")
        names = [f"self.{block.name}" for block in blocks if block.name]
        lines += _folded(f"Then through {', '.join(names)}.")
        if any(layer.kind == "LastStep" for layer in self._plan.layers):
            lines.append("A recurrent layer returns a tuple, and the last time step goes on.")
        lines.append(f"Return the raw {self.outputs_name}, {self.outputs_doc}.")
        return [Code(line) for line in lines]

    @cached_property
    def loss_todo(self) -> Code:
        """What the loss has to fit."""
        return Code(
            f"The loss in torch.nn that fits raw {self.outputs_name} {self.outputs_doc} and such targets."
        )

    @cached_property
    def optimizer_todo(self) -> Code:
        """Which optimizer, with which settings."""
        row = OPTIMIZERS[self._spec.training.optimizer]
        used = [
            name for name in row.settings if self._spec.training.settings[name] or row.settings[name].default
        ]
        behind = f", with {', '.join(name.upper() for name in used)}" if used else ""
        return Code(f"{row.torch_class} from torch.optim with the learning rate lr{behind}.")

    @cached_property
    def evaluate_todo(self) -> Code:
        """Which numbers evaluate() returns."""
        return Code(
            {
                "multiclass": 'return a dict of "loss" and "accuracy", from 0 to 1.',
                "regression": 'return a dict of "loss", "mae", "rmse" and "r2".',
            }.get(self._task.form, 'return a dict of "loss" and "accuracy" (a logit above 0 is a yes).')
        )


def _described(block: Block) -> Iterator[str]:
    """`self.features: Conv2d(32, kernel_size=3, padding=1), ReLU, MaxPool2d(2)`."""
    if block.name:
        said = ", ".join(_without_sizes(layer) for layer in block.layers if layer.form != "operation")
        yield from _folded(f"self.{block.name}: {'a Sequential of ' if block.sequential else ''}{said}")


def _without_sizes(layer: Traced) -> str:
    left = {name: value for name, value in layer.args.items() if name not in _SIZES}
    call = str(model.call(type(layer)(**{**vars(layer), "args": left})))
    return call.removeprefix("nn.").removesuffix("()")


def _folded(text: str) -> list[str]:
    import textwrap

    first, *rest = textwrap.wrap(text, _WIDTH)
    return [first, *(f"  {line}" for line in rest)]
