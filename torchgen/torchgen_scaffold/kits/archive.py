"""Zips that are the same bytes each time, on any machine: one order, one date, one kind of permissions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say
_PERMISSIONS = 0o100644 << 16
_UNIX = 3


def write_zip(place: Path, files: Mapping[str, str | Path], folder: str) -> str:
    """Write `files` ({name: text, or the file to copy}) below `folder` into a new zip; returns its sha256.

    Nothing is compressed: what zlib makes of the same text differs from build to build.
    """
    from shutil import copyfileobj
    from zipfile import ZipFile, ZipInfo

    with ZipFile(place, "x") as archive:
        for name in sorted(files):
            entry = ZipInfo(f"{folder}/{name}", _DATE)
            entry.external_attr, entry.create_system = _PERMISSIONS, _UNIX
            content = files[name]
            if isinstance(content, str):
                archive.writestr(entry, content.encode("utf-8"))
            else:
                entry.file_size = content.stat().st_size
                with content.open("rb") as source, archive.open(entry, "w") as target:
                    copyfileobj(source, target)
    with place.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()
