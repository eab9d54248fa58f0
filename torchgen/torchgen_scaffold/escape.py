"""Text from outside, made safe for the place where it lands: one function a place.

A template prints nothing but `Code`. What comes from outside (names, paths, column names, class names)
is a bare `str` and becomes `Code` only here, by the escape of its place, so that text can never turn
into code. Whatever a place cannot hold as it is stands there as a visible escape, such as `\\u202e`.
"""

from __future__ import annotations

import math
import re
import shlex
import unicodedata

from torchgen_scaffold.errors import Problem, SpecError


class Code(str):
    """Text that is safe where it lands: made by torchgen itself, or by an escape of this module.

    It is a mark, not a check. Joined to a bare `str` it gives a bare `str` again, which templates refuse.
    """

    __slots__ = ()


def visible(text: str) -> str:
    """Return `text` with every character that is not printable as an escape, for messages on a terminal.

    Line breaks, terminal escapes, bidirectional marks and lone surrogates come out as `\\n`, `\\x1b`,
    `\\u202e` and `\\ud800`. Backslashes stay, so this is for reading, not for reading back.
    """
    return "".join(char if char.isprintable() else str.__repr__(char)[1:-1] for char in text)


def python_string(text: str) -> Code:
    """Return the Python literal of `text`, with its quotes; any text survives, lone surrogates too.

    Double quotes as black has them: unless single ones would leave fewer quotes to escape.
    """
    # The base class's own: an enum that is also a string has a repr that is no literal.
    literal = str.__repr__(text)
    if literal[0] == '"' or text.count('"') > text.count("'"):
        return Code(literal)
    inside = literal[1:-1].replace("\\'", "'").replace('"', '\\"')
    return Code(f'"{inside}"')


def python_value(value: object) -> Code:
    """Return the Python literal of None, a bool, int, float or str, or a tuple, list or dict of these.

    A float that is not finite has no literal and comes out as `float("nan")`, `float("inf")` or
    `float("-inf")`. Raises TypeError for every other type, rather than trust its repr.
    """
    if value is None or isinstance(value, bool):
        return Code(repr(value))
    if isinstance(value, str):
        return python_string(value)
    if isinstance(value, int):
        return Code(int.__repr__(value))
    if isinstance(value, float):
        text = float.__repr__(value)
        return Code(text if math.isfinite(value) else f'float("{text}")')
    if isinstance(value, tuple):
        items = ", ".join(python_value(item) for item in value)
        return Code(f"({items},)" if len(value) == 1 else f"({items})")
    if isinstance(value, list):
        return Code(f"[{', '.join(python_value(item) for item in value)}]")
    if isinstance(value, dict):
        pairs = (f"{python_value(key)}: {python_value(item)}" for key, item in value.items())
        return Code(f"{{{', '.join(pairs)}}}")
    raise TypeError(f"{type(value).__name__} has no Python literal")


# Words by which a comment speaks to a tool: the interpreter, type checkers, linters, formatters, editors.
# The word stays readable; one character of it is written as its escape, which no tool acts on.
_BEFORE_COLON = (
    "autopep8|codespell|cython|distutils|doctest|ex|flake8|fmt|isort|local variables|mypy|pylint|pyrefly"
    "|pyright|pytype|ruff|ty|type|vim?[<=>]*[0-9]*|yapf"
)
_DIRECTIVE = re.compile(
    rf"""
      (?<= coding) [:=]                                   # the source's encoding, on line 1 or 2
    | (?: (?<![\w-]) (?:{_BEFORE_COLON}) \ * ) (?P<colon> :)
    | (?<!\w) (?P<letter> n) (?= o (?:qa|sec|semgrep|sonar|lint|inspection))
    | (?<!\w) (?P<pragma> p) (?= ragma | yre-)            # "pragma no cover" needs no colon
    | \A / (?= //) | - (?= \*-)                           # a script's inline metadata; Emacs variables
    """,
    re.VERBOSE | re.IGNORECASE,
)


def comment(text: str) -> Code:
    """Return `text` as the inside of a one-line `#` comment (Python, TOML, YAML, shell).

    Runs of whitespace, line breaks of every kind among them, become one space. Characters that are not
    printable become escapes, and so does one character of any word that is an order to a tool
    (`type: ignore`, `noqa`, `fmt: off`, `coding: utf-7`): a comment from outside informs people only.
    """
    return Code(_DIRECTIVE.sub(_disarm, _one_line(text)))


def _disarm(match: re.Match[str]) -> str:
    """Write the character that makes the directive one as its escape."""
    whole = match.group()
    at = len(whole) - 1 if match["colon"] else 0
    return f"{whole[:at]}\\x{ord(whole[at]):02x}{whole[at + 1:]}"


def _one_line(text: str) -> str:
    """Collapse whitespace, line breaks of every kind among it, and show what is not printable."""
    return visible(" ".join(text.split()))


def docstring(text: str) -> Code:
    r"""Return `text` as (part of) the inside of a non-raw docstring in triple double quotes.

    Line breaks "\n" stay; other characters that are not printable, backslashes, and quotes that could
    meet other quotes become escapes, so that the docstring's value is `text`. One thing does change:
    a line that starts with `>>>` gets a space, because doctest would run it.
    """
    text = re.sub(r"(?m)^([ \t]*)>>>", r"\1> >>", text)
    lines = text.replace("\\", "\\\\").split("\n")
    # A quote is dangerous at either end, where the template's own quotes may be, and beside another one.
    return Code(re.sub(r'\A"|"(?="|\Z)', r"\"", "\n".join(visible(line) for line in lines)))


def toml_string(text: str) -> Code:
    """Return `text` as a TOML basic string with its quotes; raises SpecError for lone surrogates."""
    return Code(_json_string(text, "TOML"))


def toml_value(value: object) -> Code:
    """Return the TOML of a bool, int, float or str, or a tuple, list or dict (inline table) of these.

    Raises TypeError for other types, None among them, since TOML has no null, and for keys that are not
    strings; SpecError for lone surrogates.
    """
    if isinstance(value, bool):
        return Code("true" if value else "false")
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, int):
        return Code(int.__repr__(value))
    if isinstance(value, float):
        return Code(float.__repr__(value))
    if isinstance(value, (tuple, list)):
        return Code(f"[{', '.join(toml_value(item) for item in value)}]")
    if isinstance(value, dict):
        pairs = ", ".join(f"{_toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return Code(f"{{ {pairs} }}" if pairs else "{}")
    raise TypeError(f"{type(value).__name__} has no TOML value")


def _toml_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a TOML key is a string, not {type(key).__name__}")
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_string(key)


def yaml_string(text: str) -> Code:
    """Return `text` as a double-quoted YAML scalar on one line, for YAML 1.1 and 1.2.

    Raises SpecError for lone surrogates. What reads the YAML may give some text a meaning of its own
    (`${{ ... }}` in a GitHub workflow): only checked names belong there.
    """
    return Code(_json_string(text, "YAML"))


def _json_string(text: str, place: str) -> str:
    """Quote `text` by JSON's rules, which TOML and YAML share, and escape what is not printable."""
    import json  # here: `torchgen plan` prints no TOML

    _refuse_surrogates(text, place)
    # ensure_ascii=True would write an emoji as two surrogates, which TOML refuses.
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _long_escape(char) for char in quoted)


def _long_escape(char: str) -> str:
    """Write the escape that TOML and YAML share: `\\u` and 4 digits, or `\\U` and 8."""
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


# As entities where Markdown's dialects differ in what a backslash can escape.
_MARKDOWN = {ord(char): f"\\{char}" for char in "\\`*_{}[]#"} | {
    ord(char): f"&#{ord(char)};" for char in "<>&|~$"
}


def markdown(text: str) -> Code:
    """Return `text` as inline Markdown on one line: no markup, HTML, link, list, heading or table cell.

    Whitespace collapses and what is not printable becomes a visible escape. Raises SpecError for lone
    surrogates.
    """
    _refuse_surrogates(text, "Markdown")
    escaped = _one_line(text).translate(_MARKDOWN)
    # Bare web and mail addresses turn into links by themselves.
    escaped = re.sub(r":(?=//)|(?i:(?<=www))\.|@", r"\\\g<0>", escaped)
    # At the start of a line these are lists, rules and underlines.
    return Code(re.sub(r"\A([0-9]*)([-+=.):])", r"\1\\\2", escaped))


def markdown_code(text: str) -> Code:
    """Return `text` as an inline code span, backticks and table cells survived; see `markdown`."""
    _refuse_surrogates(text, "Markdown")
    line = _one_line(text)
    if "|" in line:  # A table cell ends at a pipe, even inside a code span.
        return Code(f"<code>{markdown(line)}</code>")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if not line or line.startswith("`") or line.endswith("`") else ""
    return Code(f"{fence}{pad}{line}{pad if line else ''}{fence}")


_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shell_word(text: str) -> Code:
    """Return `text` as one word of a POSIX shell line; a leading dash stays, so put `--` before it.

    Raises SpecError for what no line can hold or show as it is: NUL, line breaks and other control
    characters, characters that reorder the line, and lone surrogates.
    """
    _refuse_surrogates(text, "a shell line")
    for char in text:
        if unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in _BIDI_CONTROLS:
            raise SpecError(_refused(text, "a shell line", f"{visible(char)} is a control character."))
    return Code(shlex.quote(text))


def _refuse_surrogates(text: str, place: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise SpecError(_refused(text, place, "It has half of a character (a lone surrogate)."))


def _refused(text: str, place: str, why: str) -> Problem:
    shown = visible(text if len(text) <= 60 else f"{text[:57]}...")
    return Problem(f"'{shown}' cannot stand in {place}.", why, "Rename it, using printable characters.")
