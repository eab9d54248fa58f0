"""What model.py, dataset.py and train.py print, each from its own module of this package."""

from __future__ import annotations

from functools import cached_property

from torchgen_scaffold.escape import Code, python_value
from torchgen_scaffold.training import LOSSES
from torchgen_scaffold.view import data, model, training
from torchgen_scaffold.view.basics import Basics


class ModelFile(Basics):
    """What model.py prints."""

    @cached_property
    def model_title(self) -> Code:
        """The first line of model.py's docstring."""
        made = self._spec.model.preset or "own layers"
        return Code(f"The network ({made}) and the loss that fits its outputs.")

    @cached_property
    def buffers(self) -> dict[Code, Code]:
        """The buffers of the model with their first values."""
        return data.buffers(self._plan)

    @cached_property
    def define_layers(self) -> list[Code]:
        """The lines that make the layers."""
        return list(model.definitions(self._plan))

    @cached_property
    def forward(self) -> list[Code]:
        """The lines of forward()."""
        return list(model.forward(self._plan))

    @cached_property
    def pack_imports(self) -> Code:
        """What packs sequences of several lengths; empty where there are none."""
        return model.pack_imports(self._plan)

    @cached_property
    def loss_call(self) -> Code:
        """`nn.CrossEntropyLoss()`."""
        return training.loss_call(self._plan)

    @cached_property
    def loss_doc(self) -> Code:
        """What the loss is."""
        summary = LOSSES[self._spec.training.loss].summary
        return Code(f"{summary[0].upper()}{summary[1:]}.")


class DatasetFile(Basics):
    """What dataset.py prints."""

    @property
    def data_title(self) -> Code:
        """The first line of dataset.py's docstring."""
        return Code(data.sentence(self._plan))

    data_sentence = data_title

    @cached_property
    def names_constant(self) -> Code:
        """What the names of the outputs are called in dataset.py."""
        return Code("TARGETS" if self.is_regression else "CLASSES")

    @cached_property
    def names_list(self) -> Code:
        """The names of the outputs as a Python list."""
        return data.names(self._plan)

    @cached_property
    def named_classes(self) -> bool:
        """Whether raw targets are looked up in CLASSES."""
        return self._task.form in ("binary", "multiclass")

    @cached_property
    def cut_doc(self) -> Code:
        """How the samples are cut, as the beginning of a sentence that goes on with the sizes."""
        if self.streams:
            return Code(
                {"group": "Cut by the group of each row:", "time": "Cut along time:"}.get(
                    self.cuts_by, "Cut row by row, by chance and the seed:"
                )
            )
        if not self.cut_parts:
            return Code("As the data is cut already, whatever the seed:")
        return Code(
            {
                "group": "Shuffle the groups with the seed, then cut them: about",
                "time": "Cut along time:",
                "class": "Shuffle once with the seed, then cut class by class:",
                "chance": "Shuffle once with the seed, then cut:",
            }[self.cuts_by]
        )

    @cached_property
    def cut_arguments(self) -> Code:
        """What cut() goes by: the class of each sample, how many there are, or a column of the rows."""
        labels = "targets.flatten()" if self.is_binary else "targets"
        return Code(
            {
                "group": "rows, seed",
                "time": "rows",
                "class": f"{labels}, seed",
                "chance": "len(targets), seed",
            }[self.cuts_by]
        )

    @cached_property
    def cut_names(self) -> Code:
        """The splits that cut() makes."""
        *first, last = self._cut_splits
        return Code(f"{', '.join(first)} and {last}")

    @cached_property
    def cut_parts(self) -> int:
        """How many splits cut() makes: none where the data brings them all."""
        return len(self._cut_splits) if len(self._cut_splits) > 1 else 0

    @cached_property
    def is_npy(self) -> bool:
        """Whether inputs and targets have a file each."""
        return self._spec.data.source == "npy"

    @cached_property
    def loader(self) -> Code:
        """scikit-learn's function for the set."""
        from torchgen_scaffold.sources.sklearn import SETS

        return Code(SETS[self._spec.data.place].loader)

    @cached_property
    def splits_doc(self) -> Code:
        """The sizes of the splits."""
        return Code(data.splits_sentence(self._plan))

    @cached_property
    def statistics_dims(self) -> Code:
        """The dims that a mean over samples and positions runs over."""
        return data.statistics_dims(self._plan)[0]

    @cached_property
    def statistics_reshape(self) -> Code:
        """What brings such a mean to the buffer's shape."""
        return data.statistics_dims(self._plan)[1]

    @cached_property
    def target_reshape(self) -> Code:
        """What brings targets to the shape that the loss wants."""
        return data.target_reshape(self._plan)

    @cached_property
    def pattern_owner(self) -> Code:
        """What has a pattern in made data."""
        return Code({"regression": "target", "multilabel": "label"}.get(self._task.form, "class"))

    @cached_property
    def place(self) -> Code:
        """The data's path as a Python string."""
        return data.place(self._plan)

    @cached_property
    def columns(self) -> Code:
        """The input columns as a Python list."""
        return python_value(list(self._spec.data.columns))

    @cached_property
    def target_columns(self) -> Code:
        """The target columns as a Python list."""
        return python_value(list(self._spec.data.target))

    @cached_property
    def skipped(self) -> Code:
        """The files that cannot be read, as a Python list; empty where there is none."""
        return python_value(list(self._spec.data.skipped)) if self._spec.data.skipped else Code("")

    @cached_property
    def suffixes(self) -> Code:
        """The endings of image files."""
        return data.suffixes()


class TrainFile(Basics):
    """What train.py prints."""

    @cached_property
    def train_title(self) -> Code:
        """The first line of train.py's docstring."""
        return Code(
            f"Train the network on {data.sentence(self._plan)[0].lower()}{data.sentence(self._plan)[1:]}"
        )

    @cached_property
    def train_settings(self) -> list[Code]:
        """The settings of the standard profile's train.py."""
        return list(training.train_settings(self._plan))

    @cached_property
    def has_switch(self) -> bool:
        """Whether one of them is yes or no."""
        return training.has_switch(self._plan)

    @cached_property
    def lesson_constants(self) -> list[Code]:
        """The settings of the lesson profile's train.py."""
        return list(training.lesson_constants(self._plan))

    @cached_property
    def optimizer_call(self) -> Code:
        """The optimizer."""
        return training.optimizer_call(self._plan)

    @cached_property
    def scheduler_call(self) -> Code:
        """The schedule; empty where there is none."""
        return training.scheduler_call(self._plan)

    @cached_property
    def train_epoch_arguments(self) -> Code:
        """What main() passes to train_epoch()."""
        scheduler = ["scheduler"] if self.steps_every_batch else []
        if self.predicts:
            return Code(", ".join(["model", "step", "train_loader", *scheduler, "settings", "device"]))
        return Code(", ".join(["model", "train_loader", "loss_fn", "optimizer", *scheduler, "device"]))

    @cached_property
    def has_batchnorm(self) -> bool:
        """Whether there are batch statistics, which each of several processes has of its own."""
        return any(layer.kind.startswith("BatchNorm") for layer in self._plan.layers)

    @cached_property
    def convolves_images(self) -> bool:
        """Whether there are convolutions over images, which channels_last makes faster."""
        return any(layer.kind in ("Conv2d", "ConvTranspose2d") for layer in self._plan.layers)
