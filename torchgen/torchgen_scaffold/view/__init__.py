"""The plan as templates see it: one object, `plan`, whose every text is already safe where it lands.

Decisions are made here and in the modules beside this one; a template only prints. What comes from outside passes
an escape of `escape.py` on its way, and render.py refuses any text that did not.
"""

from __future__ import annotations

from functools import cached_property
from math import prod

from torchgen_scaffold.escape import Code, markdown, python_value
from torchgen_scaffold.layers.base import Shape, show_shape
from torchgen_scaffold.plan import Plan
from torchgen_scaffold.sources import SOURCES
from torchgen_scaffold.tasks import TASKS
from torchgen_scaffold.training import LOSSES, SCHEDULES
from torchgen_scaffold.view import data, model, training

_PLOTS = {
    "regression": ("parts/plot_regression.py.jinja", "predicted.png"),
    "multilabel": ("parts/plot_labels.py.jinja", "labels.png"),
    "binary": ("parts/plot_confusion.py.jinja", "confusion_matrix.png"),
    "multiclass": ("parts/plot_confusion.py.jinja", "confusion_matrix.png"),
}


class View:
    """Everything that a template prints about one plan."""

    def __init__(self, plan: Plan) -> None:
        spec = plan.spec
        row = TASKS[spec.task]
        schedule = SCHEDULES[spec.training.schedule]
        self._plan, self._spec, self._task = plan, spec, row
        self.name = Code(spec.name)  # checked: ASCII letters, digits, - and _
        self.predicts = spec.project.profile == "standard"
        self.drop_last = plan.drop_last
        self.params_literal = Code(f"{plan.params:_}")
        self.seed = spec.training.seed
        self.batch_size = spec.training.batch_size
        self.samples = spec.data.samples
        self.outputs = prod(spec.output_shape)
        self.input_size = prod(spec.input_shape)
        self.vocab_size = spec.model.vocab_size or 0
        self.is_tokens = bool(spec.model.vocab_size)
        self.is_regression = spec.task == "regression"
        self.is_multiclass = spec.task == "multiclass"
        self.is_recurrent = any(layer.form == "recurrent" for layer in plan.layers)
        self.is_binary = spec.task == "binary"
        self.has_test_set = spec.data.test_samples > 0
        self.reads_images = spec.data.source == "images"
        self.outputs_name = Code(row.output_name)
        self.target_is = Code(row.target_is)
        self.target_dtype = Code(row.target_dtype)
        self.input_dtype = Code("long" if self.is_tokens else "float32")
        self.numpy_dtype = Code("int64" if self.is_tokens else "float32")
        self.schedule_spans = schedule.spans_the_run
        self.schedule_reads_val_loss = schedule.reads_val_loss
        self.steps_every_batch = schedule.every == "batch"
        self.steps_every_epoch = schedule.every == "epoch"
        self.clips = spec.training.clip_norm > 0
        self.stops_early = spec.training.patience > 0
        self.plot_part, self.plot_file = map(Code, _PLOTS[spec.task])
        self.metrics_part = Code(f"parts/metrics_{spec.task}.py.jinja")
        self.lesson_metrics_part = Code(f"parts/lesson_metrics_{spec.task}.py.jinja")
        self.predict_part = Code(f"parts/predict_{spec.task}.py.jinja")
        self.toml = Code(spec.to_toml().rstrip("\n"))
        self.requirements = data.requirements(plan)

    # --- shapes and docstrings

    @property
    def inputs_doc(self) -> Code:
        """`(N, 1, 8, 8) float32`."""
        return Code(f"{model.batch_shape(self._spec.input_shape)} {self.input_dtype}")

    @property
    def outputs_doc(self) -> Code:
        """`(N, 10)`."""
        return model.batch_shape(self._spec.output_shape)

    @property
    def targets_doc(self) -> Code:
        """`(N,) long`."""
        return data.target_doc(self._plan)

    @property
    def input_tuple(self) -> Code:
        """The input shape as a Python tuple."""
        return python_value(self._spec.input_shape)

    @property
    def output_tuple(self) -> Code:
        """The output shape as a Python tuple."""
        return python_value(self._spec.output_shape)

    def _batch_of(self, size: int, shape: Shape) -> Code:
        return python_value((size, *shape))

    @property
    def five_inputs(self) -> Code:
        """The shape of a batch of five inputs."""
        return self._batch_of(5, self._spec.input_shape)

    @property
    def five_outputs(self) -> Code:
        """The shape of a batch of five outputs."""
        return self._batch_of(5, self._spec.output_shape)

    @property
    def five_targets(self) -> Code:
        """The shape of a batch of five targets."""
        return self._batch_of(5, self._task.target_shape(self._spec.output_shape))

    @property
    def two_outputs(self) -> Code:
        """The shape of a batch of two outputs."""
        return self._batch_of(2, self._spec.output_shape)

    @property
    def zero_batch(self) -> Code:
        """A batch of two inputs of zeros."""
        dtype = ", dtype=torch.long" if self.is_tokens else ""
        return Code(f"torch.zeros(2, {', '.join(map(str, self._spec.input_shape))}{dtype})")

    # --- model.py

    @cached_property
    def model_title(self) -> Code:
        """The first line of model.py's docstring."""
        made = self._spec.model.preset or "own layers"
        return Code(f"The network ({made}) and the loss that fits its outputs.")

    @property
    def buffers(self) -> dict[Code, Code]:
        """The buffers of the model with their first values."""
        return data.buffers(self._plan)

    @property
    def define_layers(self) -> list[Code]:
        """The lines that make the layers."""
        return list(model.definitions(self._plan))

    @property
    def forward(self) -> list[Code]:
        """The lines of forward()."""
        return list(model.forward(self._plan))

    @property
    def loss_call(self) -> Code:
        """`nn.CrossEntropyLoss()`."""
        return training.loss_call(self._plan)

    @property
    def loss_doc(self) -> Code:
        """What the loss is."""
        summary = LOSSES[self._spec.training.loss].summary
        return Code(f"{summary[0].upper()}{summary[1:]}.")

    # --- dataset.py

    @property
    def data_title(self) -> Code:
        """The first line of dataset.py's docstring."""
        return Code(data.sentence(self._plan))

    data_sentence = data_title

    @property
    def names_constant(self) -> Code:
        """What the names of the outputs are called in dataset.py."""
        return Code("TARGETS" if self.is_regression else "CLASSES")

    @property
    def names_list(self) -> Code:
        """The names of the outputs as a Python list."""
        return python_value(list(data.names(self._plan)))

    @property
    def named_classes(self) -> bool:
        """Whether raw targets are looked up in CLASSES."""
        return self._spec.task in ("binary", "multiclass")

    @property
    def whole_labels(self) -> bool:
        """Whether the classes are whole numbers, which a file may also hold as 1.0."""
        return all(name.lstrip("-").isdigit() and name.isascii() for name in self._spec.data.classes)

    @property
    def loader(self) -> Code:
        """scikit-learn's function for the set."""
        from torchgen_scaffold.sources.sklearn import SETS

        return Code(SETS[self._spec.data.place].loader)

    @property
    def splits_doc(self) -> Code:
        """The sizes of the splits."""
        return Code(data.splits_sentence(self._plan))

    @property
    def statistics_dims(self) -> Code:
        """The dims that a mean over samples and positions runs over."""
        return data.statistics_dims(self._plan)[0]

    @property
    def statistics_reshape(self) -> Code:
        """What brings such a mean to the buffer's shape."""
        return data.statistics_dims(self._plan)[1]

    @property
    def target_reshape(self) -> Code:
        """What brings targets to the shape that the loss wants."""
        return data.target_reshape(self._plan)

    @property
    def target_doc(self) -> Code:
        """One target of an image."""
        return Code("() long" if self.is_multiclass else "(1,) float32")

    @property
    def image_target(self) -> Code:
        """The target of an image from its label."""
        return Code("label" if self.is_multiclass else "[float(label)]")

    @property
    def pattern_owner(self) -> Code:
        """What has a pattern in made data."""
        return Code({"regression": "target", "multilabel": "label"}.get(self._spec.task, "class"))

    @property
    def place(self) -> Code:
        """The data's path as a Python string."""
        return data.place(self._plan)

    @property
    def columns(self) -> Code:
        """The input columns as a Python list."""
        return python_value(list(self._spec.data.columns))

    @property
    def target_columns(self) -> Code:
        """The target columns as a Python list."""
        return python_value(list(self._spec.data.target))

    @property
    def suffixes(self) -> Code:
        """The endings of image files."""
        return data.suffixes()

    # --- train.py

    @property
    def train_title(self) -> Code:
        """The first line of train.py's docstring."""
        return Code(
            f"Train the network on {data.sentence(self._plan)[0].lower()}{data.sentence(self._plan)[1:]}"
        )

    @property
    def train_settings(self) -> list[Code]:
        """The settings of the standard profile's train.py."""
        return list(training.train_settings(self._plan))

    @property
    def has_switch(self) -> bool:
        """Whether one of them is yes or no."""
        return training.has_switch(self._plan)

    @property
    def lesson_constants(self) -> list[Code]:
        """The settings of the lesson profile's train.py."""
        return list(training.lesson_constants(self._plan))

    @property
    def optimizer_call(self) -> Code:
        """The optimizer."""
        return training.optimizer_call(self._plan)

    @property
    def scheduler_call(self) -> Code:
        """The schedule; empty where there is none."""
        return training.scheduler_call(self._plan)

    @property
    def train_epoch_arguments(self) -> Code:
        """What main() passes to train_epoch()."""
        scheduler = ["scheduler"] if self.steps_every_batch else []
        rest = ["scaler", "settings", "device"] if self.predicts else ["device"]
        return Code(", ".join(["model", "train_loader", "loss_fn", "optimizer", *scheduler, *rest]))

    # --- predict.py, README.md, tests

    @property
    def predict_example(self) -> Code:
        """A file to predict on."""
        return data.predict_example(self._plan)

    @property
    def predict_takes(self) -> Code:
        """What predict.py takes."""
        return Code(SOURCES[self._spec.data.source].predicts_on)

    @property
    def predict_imports(self) -> Code:
        """What predict.py takes from dataset.py."""
        reader = "load_image" if self.reads_images else "load_inputs"
        return Code(", ".join(sorted([str(self.names_constant), reader, "load_splits"])))

    @property
    def known_warnings(self) -> list[Code]:
        """What torch warns of though it is meant, as pytest's filters."""
        return model.known_warnings(self._plan)

    @property
    def handful(self) -> int:
        """How many samples the network learns by heart in the tests: two where it has little to work with."""
        widths = [layer.in_shape[-1] for layer in self._plan.layers if layer.kind == "Linear"]
        return 8 if min(widths) >= 16 and 16 <= self.input_size < 10_000 else 2

    @property
    def learned(self) -> Code:
        """When a handful counts as learned."""
        if self.is_regression:
            return Code("loss.item() < 0.05")
        if self.is_multiclass:
            return Code("(model(inputs).argmax(dim=1) == targets).all()")
        return Code("((model(inputs) > 0) == (targets > 0)).all()")

    @property
    def known_first_loss(self) -> Code:
        """The loss of a guess, where it is known by arithmetic; empty otherwise."""
        settings = self._spec.training.settings
        if self.is_multiclass:
            # torch weighs the smoothed part of the target otherwise than the rest.
            known = settings["class_weights"] == "none" or not settings["label_smoothing"]
            return Code(f"math.log({self.outputs})" if known else "")
        return Code("math.log(2)") if settings.get("pos_weight") == "none" else Code("")

    @property
    def first_loss_doc(self) -> Code:
        """What the first loss should be near."""
        if self.is_multiclass:
            return Code(f"Before training, {self.outputs} classes are equally likely: ln {self.outputs}.")
        if self.is_regression:
            return Code("Before training, predicting the mean is as good as it gets.")
        return Code("Before training, yes and no are equally likely: ln 2 for each output.")

    @property
    def shapes_test_doc(self) -> Code:
        """What shapes and dtypes the loss wants."""
        return Code(f"{LOSSES[self._spec.training.loss].torch_class} wants targets {self.targets_doc}.")

    @property
    def input_cross(self) -> Code:
        """The input shape with crosses."""
        return Code(show_shape(self._spec.input_shape))

    @property
    def layer_rows(self) -> list[Code]:
        """The rows of the README's table."""
        return [
            Code(
                f"{markdown(layer.item)} | {show_shape(layer.out_shape)} | {layer.params or 0:,} | "
                f"{markdown(layer.formula)}"
            )
            for layer in self._plan.layers
        ]

    @property
    def params_text(self) -> Code:
        """The number of parameters, with commas."""
        return Code(f"{self._plan.params:,}")

    @property
    def macs_text(self) -> Code:
        """The number of multiply-accumulates, with commas."""
        return Code(f"{self._plan.macs:,}")

    @property
    def loss_sentence(self) -> Code:
        """The loss and what it applies."""
        return Code(f"The loss is `{self.loss_call}`: {LOSSES[self._spec.training.loss].summary}.")

    @property
    def splits_sentence(self) -> Code:
        """The splits as a sentence."""
        return Code(f"They are split once, by the seed: {self.splits_doc}.")

    @property
    def readme_intro(self) -> Code:
        """What the project does."""
        spec = self._spec
        made = spec.model.preset or "own layers"
        return Code(
            f"A PyTorch network ({made}) for {self._task.name}: input {show_shape(spec.input_shape)}, "
            f"output {show_shape(spec.output_shape)}."
        )

    @property
    def readme_train_comment(self) -> Code:
        """What train.py leaves."""
        return Code("   # writes outputs/" if self.predicts else "   # writes checkpoint.pt")

    @property
    def readme_eval_comment(self) -> Code:
        """What eval.py says."""
        return Code("    # the test split's metrics")

    @property
    def predict_takes_md(self) -> Code:
        """What predict.py takes, as Markdown."""
        return markdown(SOURCES[self._spec.data.source].predicts_on)
