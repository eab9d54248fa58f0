"""A folder of images, one folder a class: `images:DIR`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from torchgen_scaffold.errors import Problem, SpecError
from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.sources.base import (
    Facts,
    Request,
    Source,
    class_outputs,
    existing,
    first_few,
    need,
    refuse,
)
from torchgen_scaffold.spelling import counted

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
GREY_MODES = ("1", "L", "LA", "La")
COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV")


class Images(Source):
    """`images:DIR`: DIR/cat/1.png, DIR/dog/2.jpg; grey or colour, read when they are needed."""

    name = template = "images"
    form = "images:DIR"
    summary = "image files, one folder for each class"
    predicts_on = "image files"
    requires = ("numpy", "pillow")
    imports = ("numpy", "PIL")
    has_path = True

    def facts(self, place: str, request: Request) -> Facts:
        """Open every image's header: sizes, colour, and which cannot be read."""
        folder = existing(place, request, form=self.form, folder=True)
        files = _files(folder, place)
        if not files:
            raise refuse(
                f"{place!r} holds no folders of images",
                f"each class is a folder of files ending in {' '.join(SUFFIXES)}",
                "Lay them out as DIR/cat/1.png, DIR/dog/2.png.",
            )
        seen, skipped = _look_at_all(folder, files)
        if skipped and (request.strict or not seen):
            raise refuse(
                f"{len(skipped):,} of {len(skipped) + len(seen):,} images in {place!r} cannot be read",
                _named(skipped),
                "Remove or replace them.",
            )
        files = {name: [path for path in paths if path in seen] for name, paths in files.items()}
        files = {name: paths for name, paths in files.items() if paths}
        shape = _image_shape(seen, place, request.resize)
        return Facts(
            input_shapes=(shape,),
            output_shapes=class_outputs(tuple(files)),
            samples=sum(len(paths) for paths in files.values()),
            classes=tuple(files),
            counts=tuple(len(paths) for paths in files.values()),
            skipped=tuple(skipped),
            warnings=_told(skipped),
        )


def _named(skipped: dict[str, str]) -> str:
    """The first files that stay out, each with its reason."""
    return first_few([f"{name} ({reason})" for name, reason in skipped.items()])


def _told(skipped: dict[str, str]) -> tuple[str, ...]:
    """What a person hears of files that stay out."""
    if not skipped:
        return ()
    verb = "stays" if len(skipped) == 1 else "stay"
    return (
        f"{counted(len(skipped), 'image')} cannot be read and {verb} out: {_named(skipped)}. To refuse them: --strict",
    )


def _files(folder: Path, place: str) -> dict[str, list[Path]]:
    """{class: its image files}; hidden folders, folders without images and files beside them are no classes."""
    try:
        files = {
            child.name: sorted(path for path in child.rglob("*") if path.suffix.lower() in SUFFIXES)
            for child in sorted(folder.iterdir())
            if child.is_dir() and not child.name.startswith(".")
        }
    except OSError as error:
        raise refuse(
            f"the folder {place!r} cannot be read", error.strerror or str(error), "Make it readable."
        ) from error
    return {name: paths for name, paths in files.items() if paths}


Seen = dict[Path, tuple[int, int, bool]]  # height, width, and whether it is grey


def _look_at_all(folder: Path, files: dict[str, list[Path]]) -> tuple[Seen, dict[str, str]]:
    """What every image is, and {file: why} for those that cannot be read."""
    seen: Seen = {}
    skipped: dict[str, str] = {}
    for path in (path for paths in files.values() for path in paths):
        try:
            seen[path] = _look(path)
        except _Unreadable as unreadable:
            skipped[path.relative_to(folder).as_posix()] = str(unreadable)
    return seen, skipped


def _image_shape(seen: Seen, place: str, resize: Shape) -> Shape:
    """(channels, height, width) that every image has, or is brought to by `resize` = (height, width)."""
    sizes = Counter((height, width) for height, width, _ in seen.values())
    grey = all(is_grey for *_, is_grey in seen.values())
    channels = 1 if grey else 3
    if resize:
        return (channels, *resize)
    if len(sizes) > 1:
        named = ", ".join(f"{height}x{width} ({count:,})" for (height, width), count in sizes.most_common(3))
        what = f"data: the images in {place!r} have {len(sizes):,} different sizes"
        why = f"height x width: {named}; a batch needs one size"
        instead = "Bring them to one size: --set data.resize=64,64"
        raise SpecError(Problem(what, why, instead, "data.resize", missing=True))
    return (channels, *next(iter(sizes)))


class _Unreadable(Exception):
    """Why one file is no image that a project could read."""


def _look(path: Path) -> tuple[int, int, bool]:
    """Height, width, and whether it is grey; decodes the file, since a truncated one has a good header."""
    pillow = need("PIL.Image", "pillow", "reading image files")
    try:
        with pillow.open(path) as image:
            mode = image.mode
            upright = need("PIL.ImageOps", "pillow", "reading image files").exif_transpose(image)
            upright.load()
            size = upright.height, upright.width
    except pillow.UnidentifiedImageError as error:
        raise _Unreadable("it is no image") from error
    except Exception as error:  # Pillow raises many kinds for one cause: this file cannot be read
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error).strip()
        raise _Unreadable((reason.splitlines() or [type(error).__name__])[0][:80]) from error
    if mode not in (*GREY_MODES, *COLOUR_MODES):
        # convert("L") clips 16 bits to 255: nearly every pixel turns white.
        raise _Unreadable(f"its pixels are {mode}, not 8 bits a channel; save it as 8-bit grey or RGB")
    return *size, mode in GREY_MODES
