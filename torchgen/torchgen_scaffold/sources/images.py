"""A folder of images, one folder a class: `images:DIR`; folders for train, val and test around them are kept."""

from __future__ import annotations

from pathlib import Path

from torchgen_scaffold.sources.base import Facts, Request, Source, class_outputs, existing, refuse
from torchgen_scaffold.sources.pictures import SUFFIXES, check_skipped, image_shape, look_at_all, told

# What people call the folders of each split.
_PARTS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


class Images(Source):
    """`images:DIR`: DIR/cat/1.png, DIR/dog/2.jpg; grey or colour, read when they are needed."""

    name = template = "images"
    form = "images:DIR"
    summary = "image files, one folder for each class; folders train, val and test around them are kept"
    samples = "images, a folder for each class"
    predicts_on = "image files"
    requires = ("numpy", "pillow")
    imports = ("numpy", "PIL")
    has_path = True
    brings_splits = names_splits = True

    def recognises(self, path: Path) -> bool:
        """A folder holds images."""
        return path.is_dir()

    def facts(self, place: str, request: Request) -> Facts:
        """Open every image: sizes, colour, and which cannot be read."""
        folder = existing(place, request, form=self.form, folder=True)
        parts = _parts(folder, place)
        held = {part: _files(folder / name, place) for part, name in parts.items()}
        if not held["train"]:
            raise refuse(
                f"{place!r} holds no folders of images",
                f"each class is a folder of files ending in {' '.join(SUFFIXES)}",
                "Lay them out as DIR/cat/1.png, DIR/dog/2.png; or list them in a table: --data images.csv --target LABEL",
            )
        every = [path for files in held.values() for paths in files.values() for path in paths]
        looked = look_at_all(folder, every)
        check_skipped(looked, place, strict=request.strict)
        counts = {
            part: {name: sum(path in looked.seen for path in paths) for name, paths in files.items()}
            for part, files in held.items()
        }
        classes = tuple(name for name, count in counts["train"].items() if count)
        _check_parts(counts, classes, place)
        shape, says = image_shape(looked, request.resize)
        totals = {part: sum(of_class.values()) for part, of_class in counts.items()}
        return Facts(
            input_shapes=(shape,),
            output_shapes=class_outputs(classes),
            samples=sum(totals.values()),
            val_samples=totals.get("val", 0),
            test_samples=totals.get("test", 0),
            parts=tuple(parts.values()) if len(parts) > 1 else (),
            classes=classes,
            counts=tuple(counts["train"][name] for name in classes),
            skipped=tuple(looked.skipped),
            says=says,
            warnings=told(looked.skipped),
        )


def _parts(folder: Path, place: str) -> dict[str, str]:
    """{split: its folder} where there is a folder for training; else everything is for training, to be cut."""
    try:
        there = {child.name.lower(): child.name for child in folder.iterdir() if child.is_dir()}
    except OSError as error:
        raise _not_readable(place, error) from error
    found = {
        part: next((there[name] for name in names if name in there), "") for part, names in _PARTS.items()
    }
    if not found["train"] or not (found["val"] or found["test"]):
        return {"train": ""}
    return {part: name for part, name in found.items() if name}


def _not_readable(place: str, error: OSError) -> Exception:
    return refuse(f"the folder {place!r} cannot be read", error.strerror or str(error), "Make it readable.")


def _files(folder: Path, place: str) -> dict[str, list[Path]]:
    """{class: its image files}; hidden folders, folders without images and files beside them are no classes."""
    try:
        files = {
            child.name: sorted(path for path in child.rglob("*") if path.suffix.lower() in SUFFIXES)
            for child in sorted(folder.iterdir())
            if child.is_dir() and not child.name.startswith(".")
        }
    except OSError as error:
        raise _not_readable(place, error) from error
    return {name: paths for name, paths in files.items() if paths}


def _check_parts(counts: dict[str, dict[str, int]], classes: tuple[str, ...], place: str) -> None:
    """Raises SpecError where a split has a class that train has not, or nothing at all."""
    for part, of_class in counts.items():
        unknown = sorted(name for name, count in of_class.items() if count and name not in classes)
        if unknown:
            raise refuse(
                f"{place!r} has the class {unknown[0][:40]!r} for {part} and not for train",
                "what training has not seen cannot be told",
                "Bring images of it for train, or move that folder away.",
            )
        if not sum(of_class.values()):
            raise refuse(f"{place!r} has a folder for {part} without images", "", "Fill it, or move it away.")
