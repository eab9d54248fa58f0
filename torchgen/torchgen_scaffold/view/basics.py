"""What several templates print: names, sizes, shapes, and which parts a task or a profile has."""

from __future__ import annotations

import re
from functools import cached_property
from math import prod

from torchgen_scaffold.escape import Code, python_value
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import SCHEDULES, Schedule
from torchgen_scaffold.view import data, model

_PLOTS = {
    "regression": ("parts/plot_regression.py.jinja", "predicted.png"),
    "multilabel": ("parts/plot_labels.py.jinja", "labels.png"),
    "binary": ("parts/plot_confusion.py.jinja", "confusion_matrix.png"),
    "multiclass": ("parts/plot_confusion.py.jinja", "confusion_matrix.png"),
}
# What the metrics of eval.py take from sklearn.metrics.
_SCORES = {
    "regression": "mean_absolute_error, r2_score, root_mean_squared_error",
    "multilabel": "f1_score, roc_auc_score",
    "binary": "accuracy_score, f1_score, roc_auc_score",
    "multiclass": "accuracy_score, f1_score, roc_auc_score",
}


class Basics:
    """The facts of one plan that every file may print."""

    def __init__(self, plan: Plan) -> None:
        spec = plan.spec
        row = TASKS[spec.task]
        schedule = SCHEDULES[spec.training.schedule]
        self._plan, self._spec, self._task = plan, spec, row
        self.name = Code(spec.name)  # checked: ASCII letters, digits, - and _
        self.predicts = spec.project.profile == "standard"
        self.compares_samples = plan.network.compares_samples
        self.params_literal = Code(f"{plan.params:_}")
        self.seed = spec.training.seed
        self.batch_size = spec.training.batch_size
        self.samples = spec.data.samples
        self.outputs = prod(spec.output_shape)
        self.input_size = prod(spec.input_shape)
        self.vocab_size = spec.model.vocab_size or 0
        self.is_tokens = bool(spec.model.vocab_size)
        self.cuts_by = Code(spec.data.cut_by or ("class" if row.chooses else "chance"))
        self.has_codes = bool(spec.model.codes)
        self.streams = spec.data.streams
        self.is_padded = spec.data.padded
        self.holds_nan = self.is_padded and not self.is_tokens  # past the end of a sequence
        self.is_sequences = spec.data.is_sequences
        self.is_flat = len(spec.input_shape) == 1
        self.is_regression = row.form == "regression"
        self.is_multiclass = row.form == "multiclass"
        self.is_binary = row.form == "binary"
        self.has_test_set = spec.data.test_samples > 0
        self.has_val_set = spec.data.val_samples > 0
        self.reads_images = spec.data.holds_images
        self.outputs_name = Code(row.output_name)
        self.target_is = Code(row.target_is)
        self.target_dtype = Code(row.target_dtype)
        self.input_dtype = Code("long" if self.is_tokens else "float32")
        self.numpy_dtype = Code("int64" if self.is_tokens else "float32")
        self._training(schedule)
        self.plot_part, self.plot_file = map(Code, _PLOTS[row.form])
        self.scores = Code(_SCORES[row.form])
        self.metrics_part = Code(f"parts/metrics_{row.form}.py.jinja")
        self.lesson_metrics_part = Code(f"parts/lesson_metrics_{row.form}.py.jinja")
        self.predict_part = Code(f"parts/predict_{row.form}.py.jinja")
        self.toml = Code(spec.to_toml().rstrip("\n"))
        self.requirements = data.requirements(plan)

    def _training(self, schedule: Schedule) -> None:
        spec = self._spec
        self.schedule_reads_val_loss = schedule.reads_val_loss
        self.steps_every_batch = schedule.every == "batch"
        self.schedule_span = Code(schedule.arguments.get(schedule.span, ""))
        batchwise = self.steps_every_batch
        self.schedule_unit = Code("steps" if batchwise else "epochs")
        self.schedule_flags = Code("--epochs and --batch-size" if batchwise else "--epochs")
        self.steps_every_epoch = schedule.every == "epoch"
        self.clips = spec.training.clip_norm > 0
        self.stops_early = spec.training.patience > 0

    @cached_property
    def _cut_splits(self) -> list[str]:
        """The splits that are cut from the data, rather than brought by it."""
        own = {"val": self.has_val_set, "test": self.has_test_set}
        return ["train", *(name for name, brought in own.items() if not brought)]

    @cached_property
    def inputs_doc(self) -> Code:
        """`(N, 1, 8, 8) float32`."""
        return Code(f"{model.batch_shape(self._spec.input_shape)} {self.input_dtype}")

    @cached_property
    def outputs_doc(self) -> Code:
        """`(N, 10)`."""
        return model.batch_shape(self._spec.output_shape)

    @cached_property
    def targets_doc(self) -> Code:
        """`(N,) long`."""
        return data.target_doc(self._plan)

    @cached_property
    def input_tuple(self) -> Code:
        """The input shape as a Python tuple."""
        return python_value(self._spec.input_shape)

    @cached_property
    def output_sizes(self) -> Code:
        """The output shape as arguments: `2, 4`."""
        return Code(", ".join(map(str, self._spec.output_shape)))

    def _batch_of(self, size: int, shape: Shape) -> Code:
        return python_value((size, *shape))

    @cached_property
    def five_inputs(self) -> Code:
        """The shape of a batch of five inputs."""
        return self._batch_of(5, self._spec.input_shape)

    @cached_property
    def five_outputs(self) -> Code:
        """The shape of a batch of five outputs."""
        return self._batch_of(5, self._spec.output_shape)

    @cached_property
    def five_targets(self) -> Code:
        """The shape of a batch of five targets."""
        return self._batch_of(5, self._task.target_shape(self._spec.output_shape))

    @cached_property
    def two_outputs(self) -> Code:
        """The shape of a batch of two outputs."""
        return self._batch_of(2, self._spec.output_shape)

    @cached_property
    def zero_batch(self) -> Code:
        """A batch of two inputs of zeros."""
        dtype = ", dtype=torch.long" if self.is_tokens else ""
        made = "ones" if self.is_tokens and self.is_padded else "zeros"  # id 0 would be no token
        return Code(f"torch.{made}(2, {', '.join(map(str, self._spec.input_shape))}{dtype})")

    @cached_property
    def whole_labels(self) -> bool:
        """Whether the classes are whole numbers, which a file may also hold as 1.0."""
        return all(re.fullmatch(r"0|-?[1-9][0-9]*", name) for name in self._spec.data.classes)
