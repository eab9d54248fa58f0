"""What predict.py, test_project.py and README.md print."""

from __future__ import annotations

from functools import cached_property

from torchgen_scaffold.escape import Code, markdown, python_value
from torchgen_scaffold.layers.base import show_shape
from torchgen_scaffold.sources.sklearn import SETS
from torchgen_scaffold.spec import Spec
from torchgen_scaffold.training import LOSSES
from torchgen_scaffold.view import data, model
from torchgen_scaffold.view.files import DatasetFile, ModelFile
from torchgen_scaffold.view.images import ImageFolder
from torchgen_scaffold.view.table import TableFile


class UseFiles(ModelFile, DatasetFile, TableFile, ImageFolder):
    """What the files say that use the model and the data: predictions, tests, and the README."""

    @cached_property
    def predict_example(self) -> Code:
        """A file to predict on."""
        return data.predict_example(self._plan)

    @cached_property
    def predict_takes(self) -> Code:
        """What predict.py takes."""
        return Code(data.predict_takes(self._plan))

    @cached_property
    def predict_imports(self) -> Code:
        """What predict.py takes from dataset.py."""
        reader = "load_image" if self.reads_images else "load_inputs"
        encoder = ["Encoder"] if self.encodes else []
        return Code(", ".join(_in_order([str(self.names_constant), *encoder, reader, "load_splits"])))

    @cached_property
    def known_warnings(self) -> list[Code]:
        """What torch warns of though it is meant, as pytest's filters."""
        return model.known_warnings(self._plan)

    @cached_property
    def expected(self) -> Code:
        """What a first run reaches, for a known set with the usual model and training; empty otherwise."""
        spec = self._spec
        if spec.data.source != "sklearn":
            return Code("")
        project = {"profile": spec.project.profile}
        plain = {"name": spec.name, "data": {"source": spec.data.text}, "project": project}
        usual = Spec.from_dict(plain)
        floor = (
            SETS[spec.data.place].floor
            if (spec.model, spec.training) == (usual.model, usual.training)
            else ""
        )
        return Code(f"Expect at least {floor} on the test split." if floor else "")

    @cached_property
    def split_sizes(self) -> Code:
        """How many samples train, val and test have, as a Python list."""
        return python_value(list(self._plan.splits))

    @cached_property
    def handful(self) -> int:
        """How many samples the network learns by heart in the tests: two where it has little to work with."""
        widths = [layer.in_shape[-1] for layer in self._plan.layers if layer.kind == "Linear"]
        # Adam's large steps here can kill the ReLUs of a network that convolves towards measured numbers.
        jumpy = self.is_regression and any(layer.kind.startswith("Conv") for layer in self._plan.layers)
        return 8 if min(widths) >= 16 and 16 <= self.input_size < 10_000 and not jumpy else 2

    @cached_property
    def learned(self) -> Code:
        """When a handful counts as learned."""
        if self.is_regression:
            return Code("loss.item() < 0.05")
        if self.is_multiclass:
            return Code("(model(inputs).argmax(dim=1) == targets).all()")
        return Code("((model(inputs) > 0) == (targets > 0)).all()")

    @cached_property
    def known_first_loss(self) -> Code:
        """The loss of a guess, where it is known by arithmetic; empty otherwise."""
        settings = self._spec.training.settings
        if self.is_multiclass:
            # torch weighs the smoothed part of the target otherwise than the rest.
            known = settings["class_weights"] == "none" or not settings["label_smoothing"]
            return Code(f"math.log({self.outputs})" if known else "")
        return Code("math.log(2)") if settings.get("pos_weight") == "none" else Code("")

    @cached_property
    def first_loss_doc(self) -> Code:
        """What the first loss should be near."""
        if self.is_multiclass:
            return Code(f"Before training, {self.outputs} classes are equally likely: ln {self.outputs}.")
        if self.is_regression:
            return Code("Before training, predicting the mean is as good as it gets.")
        return Code("Before training, yes and no are equally likely: ln 2 for each output.")

    @cached_property
    def shapes_test_doc(self) -> Code:
        """What shapes and dtypes the loss wants."""
        return Code(f"{LOSSES[self._spec.training.loss].torch_class} wants targets {self.targets_doc}.")

    @cached_property
    def input_cross(self) -> Code:
        """The input shape with crosses."""
        return Code(show_shape(self._spec.input_shape))

    @cached_property
    def layer_rows(self) -> list[Code]:
        """The rows of the README's table."""
        return [
            Code(
                f"{markdown(layer.item)} | {show_shape(layer.out_shape)} | {layer.params or 0:,} | "
                f"{markdown(layer.formula)}"
            )
            for layer in self._plan.layers
        ]

    @cached_property
    def params_text(self) -> Code:
        """The number of parameters, with commas."""
        return Code(f"{self._plan.params:,}")

    @cached_property
    def macs_text(self) -> Code:
        """The number of multiply-accumulates, with commas."""
        return Code(f"{self._plan.macs:,}")

    @cached_property
    def loss_sentence(self) -> Code:
        """The loss and what it applies."""
        return Code(f"The loss is `{self.loss_call}`: {LOSSES[self._spec.training.loss].summary}.")

    @cached_property
    def splits_sentence(self) -> Code:
        """The splits as a sentence."""
        if not self.cut_parts:
            return Code(f"They come split: {self.splits_doc}.")
        kept = "Its own splits are kept, the rest is cut" if self.cut_parts == 2 else "They are split"
        return Code(f"{kept} once, by the seed: {self.splits_doc}.")

    @cached_property
    def readme_intro(self) -> Code:
        """What the project does."""
        spec = self._spec
        made = spec.model.preset or "own layers"
        return Code(
            f"A PyTorch network ({made}) for a {self._task.name} task: input {show_shape(spec.input_shape)}, "
            f"output {show_shape(spec.output_shape)}."
        )

    @cached_property
    def readme_train_comment(self) -> Code:
        """What train.py leaves."""
        return Code("   # writes outputs/" if self.predicts else "   # writes checkpoint.pt")

    @cached_property
    def readme_eval_comment(self) -> Code:
        """What eval.py says."""
        return Code("    # the test split's metrics")

    @cached_property
    def predict_takes_md(self) -> Code:
        """What predict.py takes, as Markdown."""
        return markdown(data.predict_takes(self._plan))


def _in_order(names: list[str]) -> list[str]:
    """As import sorters want names: constants, classes, functions."""
    return sorted(names, key=lambda name: (not name.isupper(), name.islower(), name))
