"""Arrays in an `.npz` file: X and y, or X_train, y_train, X_test and y_test."""

from __future__ import annotations

from math import prod
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
    need,
    refuse,
)

MOST_CLASSES = 1000


class Npz(Source):
    """`npz:PATH`: NumPy arrays, a sample along the first axis."""

    name = "npz"
    form = "npz:PATH"
    summary = "NumPy arrays X and y (or X_train, y_train, X_test, y_test)"
    predicts_on = "an .npz file with an array X"
    requires = ("numpy",)
    imports = ("numpy",)
    has_path = True

    def facts(self, place: str, request: Request) -> Facts:
        """Read the arrays and say what they hold."""
        path = existing(place, request, form=self.form)
        arrays = _load(path, place)
        parts = ("X_train", "y_train", "X_test", "y_test") if "X_train" in arrays else ("X", "y")
        missing = [name for name in parts if name not in arrays]
        if missing:
            raise refuse(
                f"{place!r} has no array {' or '.join(missing)}",
                f"it has {', '.join(sorted(arrays)) or 'no arrays'}",
                "Save it with numpy.savez(path, X=inputs, y=targets).",
            )
        for inputs, targets in zip(parts[::2], parts[1::2], strict=True):
            _check_pair(place, inputs, arrays[inputs], targets, arrays[targets])
        return _facts(arrays, parts, request)


def _load(path: Any, place: str) -> dict[str, Any]:
    numpy = need("numpy", "numpy", "reading an .npz file")
    try:
        # allow_pickle stays off: a pickle in a data file runs whatever its author wanted.
        with numpy.load(path, allow_pickle=False) as loaded:
            if not hasattr(loaded, "files"):
                raise ValueError("it holds a single array")
            return {name: loaded[name] for name in loaded.files}
    except Exception as error:  # numpy raises many kinds for one cause: the file is not such an archive
        raise refuse(
            f"{place!r} cannot be read as an .npz file",
            str(error).splitlines()[0] if str(error) else type(error).__name__,
            "Save it with numpy.savez(path, X=inputs, y=targets), without objects.",
        ) from error


def _check_pair(place: str, inputs_name: str, inputs: Any, targets_name: str, targets: Any) -> None:
    numpy = need("numpy", "numpy", "reading an .npz file")
    if inputs.ndim < 2 or targets.ndim < 1 or prod(inputs.shape) == 0:
        raise refuse(
            f"{inputs_name} of {place!r} has shape {tuple(inputs.shape)}",
            "the first axis counts the samples, the others are one sample's shape",
            "Give arrays such as X (1000, 1, 28, 28) and y (1000,).",
        )
    if len(inputs) != len(targets):
        raise refuse(
            f"{inputs_name} has {len(inputs):,} samples and {targets_name} has {len(targets):,}",
            "each sample needs its target",
            "Save both from the same rows.",
        )
    if inputs.dtype.kind not in "fiub":
        raise refuse(f"{inputs_name} holds {inputs.dtype}, not numbers", "", "Save it as float32.")
    for name, array in ((inputs_name, inputs), (targets_name, targets)):
        if array.dtype.kind == "f" and not numpy.isfinite(array).all():
            where = tuple(int(axis) for axis in numpy.argwhere(~numpy.isfinite(array))[0])
            raise refuse(
                f"{name} holds {array[where]} at index {where}",
                "one NaN or infinity makes every weight NaN after a step",
                "Drop those samples or fill them in before saving.",
            )


def _facts(arrays: dict[str, Any], parts: tuple[str, ...], request: Request) -> Facts:
    numpy = need("numpy", "numpy", "reading an .npz file")
    inputs = arrays[parts[0]]
    tests = len(arrays[parts[2]]) if len(parts) == 4 else 0
    targets = numpy.concatenate([arrays[name] for name in parts[1::2]])
    shape = tuple(int(size) for size in inputs.shape[1:])
    if looks_channels_last(shape):
        right = (shape[-1], *shape[:-1])
        raise refuse(
            f"X looks channels-last: one sample is {show_sizes(shape)}",
            f"PyTorch wants the channels first: {show_sizes(right)}",
            f"Save numpy.moveaxis(X, -1, 1), which is {show_sizes(right)} a sample.",
        )
    views: list[Shape] = [shape]
    if len(shape) == 2:
        views.append((1, *shape))  # grey images without their channel axis
    if len(shape) > 1:
        views.append((prod(shape),))
    return Facts(
        input_shapes=tuple(views),
        samples=len(inputs) + tests,
        test_samples=tests,
        whole_numbers=inputs.dtype.kind in "iu",
        largest=int(inputs.max()) if inputs.dtype.kind in "iu" else 0,
        **_target_facts(targets, request.task),
    )


def _target_facts(targets: Any, task: str | None) -> dict[str, Any]:
    """What the targets allow: classes, labels or measured numbers."""
    kind = targets.dtype.kind
    if targets.ndim == 2 and targets.shape[1] == 1 and (kind != "f" or task in ("binary", "multiclass")):
        targets = targets[:, 0]
    whole = kind in "iub" or (kind == "f" and bool((targets == targets.round()).all()))
    shape = tuple(int(size) for size in targets.shape[1:]) or (1,)
    if kind == "U" and targets.ndim == 1:
        classes, counts = class_facts(targets.tolist())
        return {"output_shapes": class_outputs(classes), "classes": classes, "counts": counts}
    if kind not in "iubf":
        raise refuse(f"y holds {targets.dtype}", "targets are numbers or strings", "Save y as numbers.")
    if targets.ndim == 2 and whole and set(targets.ravel().tolist()) <= {0, 1} and task != "regression":
        counts = tuple(int(count) for count in targets.sum(axis=0))
        labels = tuple(f"label_{index}" for index in range(shape[0]))
        shapes = {"multilabel": shape, "regression": shape}
        return {"output_shapes": shapes, "classes": labels, "counts": counts}
    if targets.ndim == 1 and whole and task != "regression":
        values = targets.astype("int64").tolist()
        if len(set(values)) <= MOST_CLASSES:
            classes, counts = class_facts([str(value) for value in values])
            shapes = class_outputs(classes) | {"regression": (1,)}
            sure = kind in "iub" and len(classes) <= 20
            return {"output_shapes": shapes, "sure": sure, "classes": classes, "counts": counts}
    return {"output_shapes": {"regression": shape}}
