"""What dataset.py, predict.py and the tests say about the data. Every string returned is `Code`."""

from __future__ import annotations

from math import prod
from pathlib import Path

from torchgen_scaffold.escape import Code, markdown, python_string, python_value
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.sources import SOURCES, Request
from torchgen_scaffold.sources.pictures import SUFFIXES
from torchgen_scaffold.sources.sklearn import SETS
from torchgen_scaffold.view.model import batch_shape

MOST_NAMES = 12  # made-up names that are written out; more of them are counted in the generated code


def names(plan: Plan) -> Code:
    """What the outputs are called, as a Python list: the classes, labels or targets of the data, or made-up names."""
    spec = plan.spec
    outputs = prod(spec.output_shape)
    known = spec.data.classes
    if spec.task_row.form == "regression":
        known = spec.data.target or _known_targets(plan)
        known = known if len(known) == outputs else ()
    if not known and spec.task_row.form == "binary":
        known = ("no", "yes")
    if known:
        return python_value(list(known))
    kind = {"regression": "target", "multilabel": "label"}.get(spec.task_row.form, "class")
    if outputs <= MOST_NAMES:
        return python_value([f"{kind}_{index}" for index in range(outputs)])
    return Code(f'[f"{kind}_{{index}}" for index in range({outputs})]')


def _known_targets(plan: Plan) -> tuple[str, ...]:
    """What a source calls the numbers to predict that nobody had to name."""
    source = SOURCES[plan.spec.data.source]
    facts = source.facts(plan.spec.data.place, Request(Path())) if source.is_known else None
    return facts.targets if facts else ()


def sentence(plan: Plan) -> str:
    """What the data is, for a docstring or a README; text from outside is not in it."""
    data = plan.spec.data
    if data.source == "sklearn":
        return f"{SETS[data.place].says}; from scikit-learn."
    what = SOURCES[data.source].samples
    if data.is_sequences:
        what = f"sequences from the {what}"
    return f"{data.samples:,} {what}."


def splits_sentence(plan: Plan) -> str:
    """How many samples each split has."""
    train, val, test = plan.splits
    about = "about " if plan.spec.data.streams else ""
    return f"{about}{train:,} train, {val:,} val and {test:,} test samples"


def statistics_dims(plan: Plan) -> tuple[Code, Code]:
    """The arguments of mean() that leave one number a feature or channel, and the reshape behind it."""
    shape, axes = plan.spec.input_shape, plan.spec.model.signal.axes
    if axes == "features":
        return Code("dim=0"), Code("")
    if axes == "sequence":
        return Code("dim=0" if plan.spec.data.padded else "dim=(0, 1)"), Code("")
    dims = python_value((0, *range(2, len(shape) + 1)))
    return Code(f"dim={dims}"), Code(f".reshape(-1{', 1' * (len(shape) - 1)})")


def buffers(plan: Plan) -> dict[Code, Code]:
    """The buffers of the model, each with its first value."""
    spec = plan.spec
    shape, axes = spec.input_shape, spec.model.signal.axes
    found: dict[Code, Code] = {}
    if axes != "tokens":
        sizes = (shape[-1],) if axes in ("features", "sequence") else (shape[0], *(1,) * (len(shape) - 1))
        inside = ", ".join(map(str, sizes))
        found[Code("input_mean")] = Code(f"torch.zeros({inside})")
        found[Code("input_std")] = Code(f"torch.ones({inside})")
    if spec.task_row.form == "regression":
        inside = ", ".join(map(str, spec.output_shape))
        found[Code("target_mean")] = Code(f"torch.zeros({inside})")
        found[Code("target_std")] = Code(f"torch.ones({inside})")
    return found


def target_reshape(plan: Plan) -> Code:
    """How targets get the shape of the loss: a class index has none, the others the output's own."""
    if plan.spec.task_row.form == "multiclass":
        return Code("")
    return Code(f".reshape(-1, {', '.join(map(str, plan.spec.output_shape))})")


def target_doc(plan: Plan) -> Code:
    """One target's dtype and shape: `long (N,)`."""
    task = plan.spec.task_row
    return Code(f"{_batch(task.target_shape(plan.spec.output_shape))} {task.target_dtype}")


def _batch(shape: tuple[int, ...]) -> str:
    return str(batch_shape(shape)) if shape else "(N,)"


def predict_example(plan: Plan) -> Code:
    """What a person types behind `python predict.py`."""
    if plan.spec.data.holds_images:
        return Code("photo.png")
    source = SOURCES[plan.spec.data.source]
    return Code(f"new{(*source.endings, '.csv' if source.is_table else '.npz')[0]}")


def predict_takes(plan: Plan) -> str:
    """What predict.py takes, in words."""
    return "image files" if plan.spec.data.holds_images else SOURCES[plan.spec.data.source].predicts_on


def requirements(plan: Plan) -> list[Code]:
    """The lines of requirements.txt: torch, what the data needs, what the profile and the tests need."""
    wanted = {"torch", *SOURCES[plan.spec.data.source].requires, "numpy", "pytest"}
    wanted |= {"pillow"} if plan.spec.data.holds_images else set()
    if plan.spec.project.profile == "standard":
        wanted |= {"scikit-learn", "matplotlib", "tqdm"}
    newer = {"torch": _TORCH_WITH_NORM_BIAS} if _chooses_norm_bias(plan) else {}
    floors = _FLOORS | newer
    known = [f"{name}{floors[name]}" for name in floors if name in wanted]
    return [
        Code(line) for line in (*known, *sorted(wanted - set(floors)))
    ]  # a plug-in's have floors of their own


def _chooses_norm_bias(plan: Plan) -> bool:
    return any(
        layer.kind.startswith(("BatchNorm", "GroupNorm")) and "bias" in layer.args for layer in plan.layers
    )


_TORCH_WITH_NORM_BIAS = ">=2.13"  # the release in which the argument was seen to work; 2.6 has none

# The oldest releases that the generated code works with, in the order of requirements.txt.
_FLOORS = {
    "torch": ">=2.6",
    "numpy": ">=1.26",
    "pandas": ">=2.2",
    "pyarrow": ">=17",
    "datasets": ">=3.2",
    "openpyxl": ">=3.1",
    "pillow": ">=10.4",
    "scikit-learn": ">=1.5",
    "matplotlib": ">=3.9",
    "tqdm": ">=4.66",
    "pytest": ">=8",
}


def suffixes() -> Code:
    """The file endings that count as images."""
    return python_value(SUFFIXES)


def place(plan: Plan) -> Code:
    """The data's path as a Python string."""
    return python_string(plan.spec.data.place)


def place_markdown(plan: Plan) -> Code:
    """The data's path as Markdown."""
    return markdown(plan.spec.data.place)
