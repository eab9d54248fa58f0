"""Hugging Face datasets: by name from the hub, or from a folder that `save_to_disk` wrote."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torchgen_scaffold.records import record, replace
from torchgen_scaffold.sources.base import Facts, Request, Source, existing, need, refuse
from torchgen_scaffold.sources.pictures import Looked, Unreadable, image_shape, look
from torchgen_scaffold.sources.table.facts import table_facts
from torchgen_scaffold.sources.table.read import frame_to_table
from torchgen_scaffold.sources.table.table import Table
from torchgen_scaffold.sources.table.targets import rows_with_targets, target_columns, target_facts

IMAGE = ("image",)  # what `kinds` records of a set of images

# What the hub calls the splits.
_PARTS = {"train": ("train",), "val": ("validation", "valid", "val", "dev"), "test": ("test",)}
_PLAIN = ("bool", "int", "uint", "float", "string", "large_string", "date", "timestamp")


class HuggingFace(Source):
    """`hf:NAME`: a dataset of the hub, such as `hf:stanfordnlp/imdb`, or NAME:CONFIG where it has several."""

    name = "hf"
    template = "huggingface"
    form = "hf:NAME"
    summary = "a Hugging Face dataset of columns or of images; --target names the column to predict"
    samples = "samples of a Hugging Face dataset"
    predicts_on = "a .csv file with the same columns"
    requires = ("numpy", "pandas", "datasets")
    imports = ("numpy", "pandas", "datasets")
    needs_target = True
    is_table = True
    roles = ("drop",)
    brings_splits = names_splits = True

    def open(self, place: str, request: Request) -> Any:
        """The dataset, or its splits by name. Raises SpecError, MachineError."""
        datasets = need("datasets", "datasets", "reading a Hugging Face dataset")
        name, _, config = place.partition(":")
        try:
            return datasets.load_dataset(name, config or None)
        except (
            Exception
        ) as error:  # the library raises many kinds: no such name, no network, no such configuration
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise refuse(
                f"the dataset {name!r} cannot be loaded",
                reason[0][:200],
                "Check its name and the network; with several configurations, give --data hf:NAME:CONFIG. "
                "A folder that save_to_disk wrote is --data hfdir:DIR",
            ) from error

    def facts(self, place: str, request: Request) -> Facts:
        """Read the columns, or look at every image; splits for val and test are kept."""
        parts = _parts(self.open(place, request), place)
        first = next(iter(parts.values()))
        request = replace(request, targets=request.targets or _only_label(first.dataset))
        images = [
            name
            for name, feature in first.dataset.features.items()
            if type(feature).__name__ == "Image" and name not in request.drop
        ]
        return _image_facts(parts, images[0], place, request) if images else _facts(parts, place, request)


class HuggingFaceFolder(HuggingFace):
    """`hfdir:DIR`: a folder that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote."""

    name = "hfdir"
    form = "hfdir:DIR"
    summary = "a Hugging Face dataset in a folder that save_to_disk wrote"
    has_path = True

    def recognises(self, path: Path) -> bool:
        """Such a folder holds a description of itself."""
        return any((path / name).is_file() for name in ("dataset_dict.json", "state.json"))

    def open(self, place: str, request: Request) -> Any:
        """The dataset, or its splits by name. Raises SpecError, MachineError."""
        folder = existing(place, request, form=self.form, folder=True)
        datasets = need("datasets", "datasets", "reading a Hugging Face dataset")
        try:
            return datasets.load_from_disk(str(folder))
        except Exception as error:  # many kinds for one cause: it is no such folder
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise refuse(
                f"{place!r} holds no dataset",
                reason[0][:200],
                "Give the folder that dataset.save_to_disk wrote.",
            ) from error


@record
class _Part:
    """One split: what the data calls it ("" where there are none), and its rows."""

    name: str
    dataset: Any


def _parts(loaded: Any, place: str) -> dict[str, _Part]:
    """{train, val, test: the split}, as far as they are there. Raises SpecError where none is for training."""
    if not isinstance(loaded, dict):
        return {"train": _Part("", loaded)}
    found = {
        part: next((name for name in names if name in loaded), "" if part != "train" else next(iter(loaded)))
        for part, names in _PARTS.items()
    }
    if len(loaded) > 1 and found["train"] not in _PARTS["train"]:
        raise refuse(
            f"{place!r} has no split for training",
            f"it has {', '.join(loaded)}",
            "Choose a dataset with a split called train.",
        )
    return {part: _Part(name, loaded[name]) for part, name in found.items() if name}


def _only_label(dataset: Any) -> tuple[str, ...]:
    """The one column of class labels, which nobody needs to name."""
    labels = [name for name, feature in dataset.features.items() if type(feature).__name__ == "ClassLabel"]
    return (labels[0],) if len(labels) == 1 else ()


def _table(dataset: Any, columns: Sequence[str], place: str) -> Table:
    """Some columns as text; numbers that stand for class names become these."""
    frame = dataset.select_columns(list(columns)).to_pandas()
    for name in columns:
        feature = dataset.features[name]
        if type(feature).__name__ == "ClassLabel":
            frame[name] = [feature.int2str(int(code)) if code >= 0 else "" for code in frame[name]]
    return frame_to_table(frame, place)


def _together(parts: dict[str, _Part], columns: Sequence[str], place: str) -> tuple[Table, list[int]]:
    """The rows of all splits as one table, and where each split ends in it."""
    tables = [_table(part.dataset, columns, place) for part in parts.values()]
    rows = [row for table in tables for row in table.rows]
    ends = [sum(len(table.rows) for table in tables[: index + 1]) for index in range(len(tables))]
    return Table(tables[0].names, rows, list(range(1, len(rows) + 1))), ends


def _facts(parts: dict[str, _Part], place: str, request: Request) -> Facts:
    features = parts["train"].dataset.features
    plain = [name for name, feature in features.items() if _is_plain(feature)]
    table, ends = _together(parts, plain, place)
    facts = table_facts(table, place, request)
    kept = rows_with_targets(table, facts.targets, place)
    left_out = [(name, "left out: its cells are no single values") for name in features if name not in plain]
    sizes = _sizes(parts, kept, ends)
    own = kept[: sizes["train"][1]]
    return replace(
        facts, **_split_facts(sizes), counts=_counts(facts, table, own), says=(*facts.says, *left_out)
    )


def _is_plain(feature: Any) -> bool:
    """Whether a column holds numbers, texts, dates or class labels, rather than lists or sounds."""
    kind = str(getattr(feature, "dtype", "")).rstrip("0123456789").partition("[")[0]
    return type(feature).__name__ == "ClassLabel" or (type(feature).__name__ == "Value" and kind in _PLAIN)


def _sizes(parts: dict[str, _Part], kept: Sequence[int], ends: Sequence[int]) -> dict[str, tuple[str, int]]:
    """{split: (its name, its rows that have a target)}; a published test set often has none, and is no test set."""
    bounds = [0, *(bisect_left(kept, end) for end in ends)]
    sizes = {
        part: (found.name, after - before)
        for (part, found), before, after in zip(parts.items(), bounds[:-1], bounds[1:], strict=True)
    }
    return {part: size for part, size in sizes.items() if size[1] or part == "train"}


def _split_facts(sizes: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """How many samples each split has, and what it is called; keys of Facts."""
    return {
        "samples": sum(size for _, size in sizes.values()),
        "val_samples": sizes.get("val", ("", 0))[1],
        "test_samples": sizes.get("test", ("", 0))[1],
        "parts": tuple(name for name, _ in sizes.values() if name),
    }


def _counts(facts: Facts, table: Table, own: Sequence[int]) -> tuple[int, ...]:
    """The samples of each class in the train split."""
    columns = [table.column(name) for name in facts.targets]
    if len(columns) > 1:
        return (
            tuple(sum(float(column[row]) == 1 for row in own) for column in columns) if facts.classes else ()
        )
    whole = "regression" in facts.output_shapes  # whole numbers, which may be written 1.0
    held = (
        Counter(str(int(float(columns[0][row]))) if whole else columns[0][row] for row in own)
        if facts.classes
        else {}
    )
    return tuple(held[name] for name in facts.classes)


def _image_facts(parts: dict[str, _Part], image: str, place: str, request: Request) -> Facts:
    """A set of images: the size of each, and what the target column allows."""
    names = [name for name, feature in parts["train"].dataset.features.items() if _is_plain(feature)]
    targets = target_columns(names, request.targets, place)
    table, ends = _together(parts, targets, place)
    kept = rows_with_targets(table, targets, place)
    cells = [[table.column(name)[row] for row in kept] for name in targets]
    about = target_facts(targets, cells, kept, ".", request.task)
    shape, says = image_shape(_look_at_rows(parts, image, place), request.resize)
    sizes = _sizes(parts, kept, ends)
    facts = Facts(
        input_shapes=(shape,),
        targets=targets,
        columns=(image,),
        kinds=IMAGE,
        says=((image, "images"), *says),
        **about,
        **_split_facts(sizes),
    )
    return replace(facts, counts=_counts(facts, table, kept[: sizes["train"][1]]))


def _look_at_rows(parts: dict[str, _Part], image: str, place: str) -> Looked:
    """What every image is. Raises SpecError for one that cannot be read."""
    seen = {}
    for part in parts.values():
        for row in range(len(part.dataset)):
            at = Path(part.name or "rows", str(row))
            try:
                seen[at] = look(part.dataset[row][image])
            except Exception as error:  # Pillow raises many kinds for one cause: this image cannot be read
                reason = str(error) if isinstance(error, Unreadable) else type(error).__name__
                raise refuse(
                    f"image {row:,} of {part.name or 'the rows'} in {place!r} cannot be read",
                    reason,
                    "Filter it out of the dataset, and save that.",
                ) from error
    return Looked(seen, {})
