"""Arrays in an `.npz` file: X and y, or X_train, y_train, X_test and y_test."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.shapes import looks_channels_last, show_sizes
from torchgen_scaffold.sources.base import (
    Facts,
    Request,
    Source,
    class_facts,
    class_outputs,
    existing,
    few_classes,
    need,
    refuse,
)
from torchgen_scaffold.sources.table.table import FLOAT32_MAX

MOST_CLASSES = 1000
SURELY_CLASSES = 20  # so few whole numbers are classes, unless somebody says regression


class Npz(Source):
    """`npz:PATH`: NumPy arrays, a sample along the first axis."""

    name = template = "npz"
    form = "npz:PATH"
    summary = "NumPy arrays X and y (or X_train, y_train, X_test, y_test)"
    samples = "samples from an .npz file"
    predicts_on = "an .npz file with an array X"
    requires = ("numpy",)
    imports = ("numpy",)
    has_path = True
    brings_splits = True
    endings = (".npz",)

    def facts(self, place: str, request: Request) -> Facts:
        """Read the arrays and say what they hold."""
        path = existing(place, request, form=self.form)
        arrays = self.load(path, place)
        parts = tuple(arrays)  # inputs and their targets by turns
        for inputs, targets in zip(parts[::2], parts[1::2], strict=True):
            _check_pair(place, inputs, arrays[inputs], targets, arrays[targets])
        if len(parts) == 4:
            _check_same(arrays)
        return _facts(arrays, request)

    def load(self, path: Path, place: str) -> dict[str, Any]:
        """The arrays by name, inputs and their targets by turns. Raises SpecError."""
        return _load(path, place)


class Npy(Npz):
    """`npy:PATH`: inputs in a file such as X.npy, and their targets in y.npy beside it."""

    name = "npy"
    form = "npy:PATH"
    summary = "a NumPy array X.npy with y.npy beside it (or X_train.npy and its like)"
    samples = "samples from .npy files"
    predicts_on = "an .npy file"
    endings = (".npy",)
    names_files = True

    def load(self, path: Path, place: str) -> dict[str, Any]:
        """X and y from their files, and X_test and y_test where the name says X_train."""
        if not path.name.startswith("X"):
            raise refuse(
                f"{place!r} does not say where its targets are",
                "inputs are in a file X.npy, or X_train.npy, and targets in y.npy beside it",
                "Rename both, or save them as one: numpy.savez(path, X=inputs, y=targets).",
            )
        names = {"X": path.name, "y": "y" + path.name[1:]}
        if path.name == "X_train.npy" and path.with_name("X_test.npy").is_file():
            names = {name: f"{name}.npy" for name in ("X_train", "y_train", "X_test", "y_test")}
        missing = [name for name in names.values() if not path.with_name(name).is_file()]
        if missing:
            raise refuse(
                f"there is no {' and no '.join(missing)} beside {place!r}",
                "each sample needs its target",
                f"Save it there: numpy.save({missing[0]!r}, targets)",
            )
        return {key: _read_npy(path.with_name(name)) for key, name in names.items()}


def _read_npy(path: Path) -> Any:
    numpy = need("numpy", "numpy", "reading an .npy file")
    try:
        # allow_pickle stays off: a pickle in a data file runs whatever its author wanted.
        return numpy.load(path, allow_pickle=False)
    except Exception as error:  # numpy raises many kinds for one cause: no such array
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise refuse(
            f"{path.name!r} cannot be read as an .npy file",
            reason[0][:200],
            "Save it with numpy.save(path, array).",
        ) from error


_SAVE_IT = "Save it with numpy.savez(path, X=inputs, y=targets)."


def _load(path: Path, place: str) -> dict[str, Any]:
    """The arrays by name: X and y, or X_train, y_train, X_test and y_test. Raises SpecError."""
    from zipfile import is_zipfile

    numpy = need("numpy", "numpy", "reading an .npz file")
    try:
        if not is_zipfile(path):
            raise ValueError("it is no .npz archive")
        # allow_pickle stays off: a pickle in a data file runs whatever its author wanted.
        with numpy.load(path, allow_pickle=False) as loaded:
            held = set(loaded.files)
            parts = ("X_train", "y_train", "X_test", "y_test") if "X_train" in held else ("X", "y")
            arrays = {name: _array(loaded, name) for name in parts if name in held}
    except Exception as error:  # numpy and zipfile raise many kinds for one cause: no such archive
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise refuse(f"{place!r} cannot be read as an .npz file", reason[0][:200], _SAVE_IT) from error
    missing = [name for name in parts if name not in arrays]
    if missing:
        named = ", ".join(sorted(held)[:20]) or "no arrays"
        raise refuse(f"{place!r} has no array {' and no array '.join(missing)}", f"it has {named}", _SAVE_IT)
    return arrays


def _array(loaded: Any, name: str) -> Any:
    try:
        array = loaded[name]
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise ValueError(f"{name} holds Python objects, and unpickling them could run code") from error
        raise
    if not hasattr(array, "ndim"):  # numpy hands on what is no array as bytes
        raise ValueError(f"{name} is no array")
    return array


def _check_pair(place: str, inputs_name: str, inputs: Any, targets_name: str, targets: Any) -> None:
    numpy = need("numpy", "numpy", "reading an .npz file")
    for name, array, least in ((inputs_name, inputs, 2), (targets_name, targets, 1)):
        if array.ndim < least or array.size == 0:
            raise refuse(
                f"{name} of {place!r} has shape {tuple(array.shape)}",
                "the first axis counts the samples, the others are one sample's shape, and none is 0",
                "Give arrays such as X (1000, 1, 28, 28) and y (1000,).",
            )
    if len(inputs) != len(targets):
        raise refuse(
            f"{inputs_name} has {len(inputs):,} samples and {targets_name} has {len(targets):,}",
            "each sample needs its target",
            "Save both from the same rows.",
        )
    if inputs.dtype.kind not in "fiub":
        raise refuse(
            f"{inputs_name} holds {inputs.dtype}, not numbers",
            "a network reads float32 numbers, or whole numbers as token ids",
            "Save it as float32.",
        )
    for name, array in ((inputs_name, inputs), (targets_name, targets)):
        if array.dtype.kind != "f" or (name == inputs_name and _ends_in_nan(array)):
            continue
        unfit = ~numpy.isfinite(array) | (abs(array) > FLOAT32_MAX)
        if unfit.any():
            where = tuple(int(axis) for axis in numpy.argwhere(unfit)[0])
            raise refuse(
                f"{name} holds {float(array[where])} at index {where}",
                "it is no finite float32 number, and one such makes every weight NaN after a step",
                "Drop those samples or fill them in before saving.",
            )


def _ends_in_nan(inputs: Any) -> bool:
    """Whether these are sequences (N, T, F) of several lengths: past its end, and nowhere else, one holds NaN."""
    numpy = need("numpy", "numpy", "reading an .npz file")
    if inputs.ndim != 3:
        return False
    gone = numpy.isnan(inputs)
    if not gone.any():
        return False
    ended = gone.all(axis=2)
    rest = numpy.where(gone, 0, inputs)
    finite = numpy.isfinite(rest).all() and (abs(rest) <= FLOAT32_MAX).all()
    stays = (ended[:, 1:] >= ended[:, :-1]).all() and not ended[:, 0].any()
    return bool(finite and stays and (gone == ended[:, :, None]).all())


def _check_same(arrays: dict[str, Any]) -> None:
    """The two sets hold samples of one kind."""
    for one, other in (("X_train", "X_test"), ("y_train", "y_test")):
        train, test = arrays[one], arrays[other]
        letters = train.dtype.kind == "U", test.dtype.kind == "U"
        if train.shape[1:] != test.shape[1:] or letters[0] != letters[1]:
            raise refuse(
                f"{one} has samples of shape {tuple(train.shape[1:])} {train.dtype}, "
                f"and {other} of {tuple(test.shape[1:])} {test.dtype}",
                "the test set is scored by the network that the train set taught",
                "Save both in one form.",
            )


def _facts(arrays: dict[str, Any], request: Request) -> Facts:
    numpy = need("numpy", "numpy", "reading an .npz file")
    parts = tuple(arrays)
    inputs = [arrays[name] for name in parts[::2]]
    targets = numpy.concatenate([arrays[name] for name in parts[1::2]])
    shape = tuple(int(size) for size in inputs[0].shape[1:])
    if looks_channels_last(shape) and request.layout != "cl":
        right = (shape[-1], *shape[:-1])
        raise refuse(
            f"{parts[0]} looks channels-last: one sample is {show_sizes(shape)}",
            f"PyTorch wants the channels first: {show_sizes(right)}",
            f"Save numpy.moveaxis({parts[0]}, -1, 1); if {shape[0]} really are channels, add --layout cl.",
        )
    views: list[Shape] = [shape]
    padded = any(array.dtype.kind == "f" and numpy.isnan(array).any() for array in inputs)  # at ends alone
    if len(shape) == 2 and not padded:
        views.append((1, *shape))  # grey images without their channel axis
    if len(shape) > 1 and not padded:
        views.append((prod(shape),))
    tokens = all(array.dtype.kind in "iu" and array.min() >= 0 for array in inputs)
    return Facts(
        input_shapes=tuple(views),
        samples=sum(map(len, inputs)),
        test_samples=sum(map(len, inputs[1:])),
        padded=padded,
        whole_numbers=tokens,
        largest=max(int(array.max()) for array in inputs) if tokens else 0,
        **_target_facts(targets, len(inputs[0]), request.task),
    )


def _target_facts(targets: Any, own: int, task: str | None) -> dict[str, Any]:
    """What the targets allow: classes, labels or measured numbers; counts are of the first `own`, no test set's."""
    kind = targets.dtype.kind
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    shape = tuple(int(size) for size in targets.shape[1:]) or (1,)
    if kind == "U" and targets.ndim == 1:
        few_classes(targets.tolist(), "y")
        classes, counts = _class_counts(targets.tolist(), own)
        return {"output_shapes": class_outputs(classes), "classes": classes, "counts": counts}
    if kind not in "iubf":
        raise refuse(
            f"y holds {targets.dtype} of shape {tuple(targets.shape)}",
            "targets are numbers, or one string for each sample",
            "Save y as numbers.",
        )
    whole = kind in "iub" or bool((targets == targets.round()).all())
    if not whole or targets.ndim > 2 or task == "regression":
        return {"output_shapes": {"regression": shape}}
    if targets.ndim == 2:
        return _label_facts(targets, shape, own)
    return _class_facts(targets, own, sure=kind in "iub")


def _label_facts(targets: Any, shape: Shape, own: int) -> dict[str, Any]:
    """Several whole numbers a sample: labels where all are 0 or 1."""
    if not ((targets == 0) | (targets == 1)).all():
        return {"output_shapes": {"regression": shape}}
    # With one 1 in every row they may be classes in another spelling, so that is asked.
    one_hot = bool((targets.sum(axis=1) == 1).all())
    return {
        "output_shapes": {"multilabel": shape, "regression": shape},
        "sure": not one_hot,
        "classes": tuple(f"label_{index}" for index in range(shape[0])),
        "counts": tuple(int(count) for count in targets[:own].sum(axis=0)),
    }


def _class_facts(targets: Any, own: int, *, sure: bool) -> dict[str, Any]:
    """A whole number a sample: a class where there are few, or a count."""
    different = sorted({int(value) for value in targets.tolist()})
    if len(different) > MOST_CLASSES:
        return {"output_shapes": {"regression": (1,)}}
    classes, counts = _class_counts([str(int(value)) for value in targets.tolist()], own)
    sure = (sure and len(classes) <= SURELY_CLASSES) or different == [0, 1]
    shapes = class_outputs(classes) | {"regression": (1,)}
    return {"output_shapes": shapes, "sure": sure, "classes": classes, "counts": counts}


def _class_counts(labels: list[str], own: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The classes of all labels, and how many of the first `own` each has."""
    classes, _ = class_facts(labels)
    held = Counter(labels[:own])
    return classes, tuple(held[name] for name in classes)
