"""What image files are: which can be read, how large they are, and the size that all of them are brought to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from torchgen_scaffold.layers.base import Shape
from torchgen_scaffold.records import record
from torchgen_scaffold.sources.base import first_few, need, refuse
from torchgen_scaffold.spelling import counted

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
GREY_MODES = ("1", "L", "LA", "La")
COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV")
KEPT_SIDE = 256  # images of one size are left as they are up to here
USUAL_SIDE = 128  # the longer side of what others are brought to


@record
class Looked:
    """What was seen of some files: height, width and whether it is grey; and why others cannot be read."""

    seen: dict[Path, tuple[int, int, bool]]
    skipped: dict[str, str]


def look_at_all(folder: Path, files: list[Path]) -> Looked:
    """Open every file; those that cannot be read are named as seen from `folder`."""
    seen: dict[Path, tuple[int, int, bool]] = {}
    skipped: dict[str, str] = {}
    for path in files:
        try:
            seen[path] = _look(path)
        except Unreadable as unreadable:
            name = path.relative_to(folder) if path.is_relative_to(folder) else path
            skipped[name.as_posix()] = str(unreadable)
    return Looked(seen, skipped)


def check_skipped(looked: Looked, place: str, *, strict: bool) -> None:
    """Raises SpecError where no image can be read, or one cannot and that was asked for."""
    if looked.skipped and (strict or not looked.seen):
        raise refuse(
            f"{len(looked.skipped):,} of {len(looked.skipped) + len(looked.seen):,} images in {place!r} cannot be read",
            _named(looked.skipped),
            "Remove or replace them.",
        )


def _named(skipped: dict[str, str]) -> str:
    """The first files that stay out, each with its reason."""
    return first_few([f"{name} ({reason})" for name, reason in skipped.items()])


def told(skipped: dict[str, str]) -> tuple[str, ...]:
    """What a person hears of files that stay out."""
    if not skipped:
        return ()
    verb = "stays" if len(skipped) == 1 else "stay"
    return (
        f"{counted(len(skipped), 'image')} cannot be read and {verb} out: {_named(skipped)}. To refuse them: --strict",
    )


def image_shape(looked: Looked, resize: Shape) -> tuple[Shape, tuple[tuple[str, str], ...]]:
    """(channels, height, width) that every image has or is brought to, and a line about it where they are brought."""
    sizes = Counter((height, width) for height, width, _ in looked.seen.values())
    channels = 1 if all(is_grey for *_, is_grey in looked.seen.values()) else 3
    usual = _usual_size(sizes)
    height, width = resize or usual
    if set(sizes) == {(height, width)}:
        return (channels, height, width), ()
    spans = [
        f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        for shortest, longest in ((min(side), max(side)) for side in zip(*sizes, strict=True))
    ]
    other = "" if resize else "; to choose: --set data.resize=HEIGHT,WIDTH"
    says = f"{spans[0]} high and {spans[1]} wide: brought to {height}x{width}{other}"
    return (channels, height, width), (("(images)", says),)


def _usual_size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """The one size that all have; else the median height and width, its longer side no more than USUAL_SIDE."""
    from statistics import median  # here: it brings fractions and decimals, which no other source needs

    height, width = (round(median(side)) for side in zip(*sizes.elements(), strict=True))
    if len(sizes) == 1 and max(height, width) <= KEPT_SIDE:
        return height, width
    scale = min(1.0, USUAL_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


class Unreadable(Exception):
    """Why one file is no image that a project could read."""


def _look(path: Path) -> tuple[int, int, bool]:
    """Height, width, and whether it is grey; decodes the file, since a truncated one has a good header."""
    pillow = need("PIL.Image", "pillow", "reading image files")
    try:
        with pillow.open(path) as image:
            return look(image)
    except Unreadable:
        raise
    except pillow.UnidentifiedImageError as error:
        raise Unreadable("it is no image") from error
    except Exception as error:  # Pillow raises many kinds for one cause: this file cannot be read
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error).strip()
        raise Unreadable((reason.splitlines() or [type(error).__name__])[0][:80]) from error


def look(image: Any) -> tuple[int, int, bool]:
    """Height, width, and whether it is grey, of a PIL image. Raises Unreadable for pixels that would be clipped."""
    mode = image.mode
    upright = need("PIL.ImageOps", "pillow", "reading image files").exif_transpose(image)
    upright.load()
    if mode not in (*GREY_MODES, *COLOUR_MODES):
        # convert("L") clips 16 bits to 255: nearly every pixel turns white.
        raise Unreadable(f"its pixels are {mode}, not 8 bits a channel; save it as 8-bit grey or RGB")
    return upright.height, upright.width, mode in GREY_MODES
