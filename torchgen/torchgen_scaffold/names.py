"""Which names a project and its files may have, and what to call them instead.

A project's name is a directory name and appears in texts and commands, so it is plain ASCII and means
nothing to Python or to an operating system. The same name is good or bad on every Python and platform.
"""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from typing import TYPE_CHECKING

from torchgen_scaffold.errors import Problem
from torchgen_scaffold.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH = 64


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEYWORDS = frozenset(word.lower() for word in [*keyword.kwlist, *keyword.softkwlist, "type"])

# Modules that only older or only newer Pythons have: a name must not pass on one and fail on another.
_OTHER_PYTHONS = _words(
    "aifc annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression crypt distutils imghdr"
    " imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib tomllib uu"
    " xdrlib"
)
_STANDARD_LIBRARY = _OTHER_PYTHONS | {name.lower() for name in sys.stdlib_module_names}

# What a generated project imports or installs, and torchgen's own packages.
_PACKAGES = _words(
    "torch torchvision torchaudio torchgen torchgen_scaffold numpy scipy sklearn scikit_learn pandas pyarrow"
    " matplotlib pil pillow tensorboard tqdm pytest pip setuptools"
)

# Windows reads the superscripts as digits here.
_DEVICES = _words("aux con nul prn conin$ conout$") | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"
}
_LONGEST_PART = 255  # UTF-16 units on Windows, bytes elsewhere
# Signs that older disks of macOS leave out when they compare names.
_UNSEEN = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def project_name_problem(name: str) -> Problem | None:
    """Return what is wrong with `name` as a project's name, with a name that passes, or None."""
    shown = visible(name if len(name) <= MAX_LENGTH else f"{name[: MAX_LENGTH - 3]}...")
    found = _fault(name)
    if found is None:
        return None
    suggestion = suggest_name(name)
    instead = f"Try '{suggestion}'."
    if _is_path(name):
        instead = f"Give the name alone, and the directory with -o: torchgen new {suggestion} -o DIR"
    return Problem(f"'{shown}' cannot be a project's name.", found, instead, key="name")


def _fault(name: str) -> str | None:
    """Say why `name` is no project's name, or None."""
    if not name:
        return "It is empty."
    if _is_path(name):
        return "It is a path, and a name becomes a directory name and stands in the project's texts."
    if not name.isascii():
        plain = unicodedata.normalize("NFKC", name)
        if plain.isascii() and plain.isprintable():
            return f"It has characters that only look like '{plain}', and Python may read them as that."
        return "It has characters other than ASCII letters, digits, '-' and '_'."
    if re.fullmatch(r"__.*__", name):
        return "Python keeps names between double underscores for itself."
    if not name[0].isalpha():
        return f"It starts with '{visible(name[0])}'; a name starts with a letter."
    stray = sorted(set(re.findall(r"[^A-Za-z0-9_-]", name)))
    if stray:
        listed = ", ".join(f"'{visible(char)}'" for char in stray[:5])
        return f"It has {listed}; a name has only ASCII letters, digits, '-' and '_'."
    if len(name) > MAX_LENGTH:
        return f"It has {len(name)} characters; at most {MAX_LENGTH} fit everywhere it stands."
    return _taken(name)


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name in (".", "..", "~") or bool(re.match("[A-Za-z]:", name))


def _taken(name: str) -> str | None:
    """Say who has `name` already: Python, a package or Windows; in any case, since some disks have none."""
    module = name.lower().replace("-", "_")
    if module in _KEYWORDS:
        return "It is a word of the Python language."
    if module in _STANDARD_LIBRARY:
        return "It is a module of Python's standard library, which a directory of that name can hide."
    if module in _PACKAGES:
        return "It is a package that projects import, which a directory of that name can hide."
    if module in _DEVICES:
        return "Windows keeps it for a device and cannot make a directory of that name."
    return None


def suggest_name(name: str) -> str:
    """Return a valid project name that is near `name`: the last part of a path, accents dropped."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    plain = plain_text(re.sub(r"\A[A-Za-z]:", "", last))
    if not plain:
        return "my-project"
    if not plain[0].isalpha() or _taken(plain[:MAX_LENGTH].rstrip("-_")):
        plain = f"my-{plain}"
    return plain[:MAX_LENGTH].rstrip("-_")


def plain_text(text: str) -> str:
    """What of `text` can stand in a project's name: letters without accents, digits, and '-' for all between."""
    letters = unicodedata.normalize("NFKD", text)
    letters = "".join(char for char in letters if not unicodedata.combining(char))
    return re.sub(r"[^A-Za-z0-9_]+", "-", letters).strip("-_")


def path_problem(path: str, *, windows: bool = sys.platform == "win32") -> str | None:
    """Say why `path` cannot be a file inside a project (relative, `/` between its parts), or None.

    What Windows alone cannot hold is refused there only: data may be called so where it comes from.
    """
    if not path or "\0" in path or any("\ud800" <= char <= "\udfff" for char in path):
        return "is empty or has a character that file names cannot have"
    if "\\" in path or path.startswith("/") or re.match("[A-Za-z]:", path):
        return "is not a relative path with forward slashes"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "has an empty part, '.' or '..'"
    if any(_is_git(part) for part in parts):
        return "is inside .git"
    faults = (windows_problem(part) for part in parts) if windows else ()
    return next((fault for fault in faults if fault), None)


def _is_git(part: str) -> bool:
    """Whether `part` is git's own folder, on any disk: a file in it, such as a hook, would be run by git."""
    # Windows drops trailing dots and spaces, reads what follows a colon as a stream, and knows short names.
    seen = _UNSEEN.sub("", part).partition(":")[0].rstrip(". ").lower()
    return seen in (".git", "git~1")


def windows_problem(part: str) -> str | None:
    """Say why Windows cannot hold a file or folder called `part` (one part of a path), or None."""
    stray = next((char for char in part if char in '<>:"/\\|?*' or char < " "), None)
    if stray is not None:
        return f"has '{visible(stray)}', which no name on Windows can have"
    if part.endswith((".", " ")):
        return f"ends in '{part[-1]}', which Windows drops"
    if part.partition(".")[0].rstrip(" ").lower() in _DEVICES:
        return f"is called '{visible(part)}', and Windows keeps that name for a device"
    if len(part.encode("utf-16-le", "surrogatepass")) // 2 > _LONGEST_PART:
        return f"has a part of more than {_LONGEST_PART} characters"
    return None


def windows_clash(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of `paths`, or of their directories, that differ here and are one on other disks.

    Windows and macOS hold names apart neither by case nor (macOS) by the way accents are composed, and Windows drops
    trailing dots and spaces. Each pair is (first seen, second), in the order of `paths`.
    """
    seen: dict[str, str] = {}
    clashes: list[tuple[str, str]] = []
    for path in paths:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            spelled = "/".join(parts[:end])
            first = seen.setdefault(_on_disk(parts[:end]), spelled)
            if first != spelled and (first, spelled) not in clashes:
                clashes.append((first, spelled))
    return clashes


def _on_disk(parts: list[str]) -> str:
    """The same text for all paths that are one on some disk."""
    spelled = "/".join(part.rstrip(". ") for part in parts)
    folded = unicodedata.normalize("NFD", spelled).casefold()
    return unicodedata.normalize("NFC", folded)
