"""Text from outside never becomes code: checked with the parser of each place, never with a mock."""

from __future__ import annotations

import ast
import doctest
import enum
import io
import json
import math
import re
import shlex
import subprocess
import tokenize
import tomllib

import black
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from torchgen_scaffold import escape
from torchgen_scaffold.errors import SpecError
from torchgen_scaffold.escape import Code

SURROGATES = ["\ud800", "\udfff", "\ud83d"]
ORDERS = [
    "type: ignore",
    "type:int",
    "noqa",
    "NOQA: F401",
    "fmt: off",
    "fmt:skip",
    "yapf: disable",
    "isort:skip_file",
    "ruff: noqa",
    "mypy: ignore-errors",
    "pyright: basic",
    "pylint: disable=all",
    "pragma: no cover",
    "pragma no cover",
    "nosec",
    "pyre-ignore",
    "coding: utf-7",
    "coding=latin-1",
    "vim: set fileencoding=utf-16 :",
    "-*- coding: utf-16 -*-",
]
FRAGMENTS = [
    *['"', "'", '"""', "'''", "\\", "\\\\", "\\N{DASH}", "\\x", "\\u202e", "{", "}", "{{ x }}", "{% if %}"],
    *["#", "# ", "; ", "//", "/// script", "`", "``", "|", "[a](b)", "<b>", "&amp;", "*", "_", "~~", "$x"],
    *["\n", "\r", "\r\n", "\v", "\f", "\t", " ", "  ", "\x1c", "\x1d", "\x1e", "\x85", "\xa0", "\u2028"],
    *[
        "\u2029",
        "\0",
        "\x07",
        "\x1b[31m",
        "\x7f",
        "\x9b",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\U000e0041",
    ],
    *["\uffff", "é", "漢", "😀", "import os", "\nimport os\n", ">>> 1", "\n>>> import os", "\n\t>>> x", "a"],
    *["https://x.y", "www.x.y", "a@b.c", "---", "===", "1. ", "- ", "> ", "]]>", "-->", "${{ x }}", "$(id)"],
]
WHOLE = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.sampled_from(ORDERS), st.characters(exclude_categories=["Cs"])),
    max_size=10,
).map("".join)
BROKEN = st.lists(st.one_of(WHOLE, st.sampled_from(SURROGATES)), max_size=5).map("".join)
thorough = settings(derandomize=True, deadline=None, max_examples=300, database=None)
brief = settings(thorough, max_examples=80)


def is_plain(text: str) -> bool:
    """Is it one line that UTF-8 can hold and that shows as it is?"""
    return text.isprintable() and bool(text.encode("utf-8") or not text)


def scalars(text: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    return st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), text)


def nested(leaves: st.SearchStrategy[object], text: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)
    )


@thorough
@given(BROKEN)
def test_python_strings_come_back_as_they_were(text: str) -> None:
    code = escape.python_string(text)
    assert type(code) is Code
    assert ast.literal_eval(code) == text
    assert is_plain(code)


@thorough
@given(nested(scalars(BROKEN) | st.none() | st.tuples(st.integers()) | st.just(()), BROKEN))
def test_python_values_come_back_as_they_were(value: object) -> None:
    code = escape.python_value(value)
    assert eval(code, {"__builtins__": {"float": float}}) == value
    assert is_plain(code)


def test_python_values_without_a_literal() -> None:
    assert escape.python_value([math.inf, -math.inf]) == '[float("inf"), float("-inf")]'
    assert escape.python_value(math.nan) == 'float("nan")'
    for value in (object(), {1}, b"x", 1j, [object()], {"a": {1}}):
        with pytest.raises(TypeError):
            escape.python_value(value)


def test_an_enum_that_is_a_string_or_number_is_written_as_its_value() -> None:
    class Text(enum.StrEnum):
        A = "x'y"

    class Number(enum.IntEnum):
        A = 3

    assert ast.literal_eval(escape.python_value([Text.A, Number.A])) == ["x'y", 3]
    assert escape.toml_value([Text.A, Number.A]) == '["x\'y", 3]'


@thorough
@given(BROKEN)
def test_a_comment_changes_nothing(text: str) -> None:
    comment = escape.comment(text)
    assert is_plain(comment)
    source = f"x = 1  # {comment}\ny = 2\n"
    harmless = ast.dump(ast.parse("x = 1\ny = 2\n", type_comments=True))
    assert ast.dump(ast.parse(source, type_comments=True)) == harmless
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(source).readline)]
    assert kinds.count(tokenize.COMMENT) == 1
    first_line = f"# {comment}\n".encode()
    assert tokenize.detect_encoding(io.BytesIO(first_line).readline)[0] == "utf-8"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("before", ["", "x ", "# ", "a # ", "x; ", "#", "\n#"])
def test_a_comment_gives_no_orders_to_tools(order: str, before: str) -> None:
    comment = escape.comment(before + order)
    tools = (
        r"(?i)(type|fmt|yapf|isort|ruff|mypy|pyright|pylint|coding|vim)\s*[:=]|noqa|nosec|pragma|pyre-|-\*-"
    )
    assert not re.search(tools, comment)
    formatted = black.format_str(f"x  =  1  # {comment}\ny  =  2\n", mode=black.Mode(line_length=200))
    assert formatted == f"x = 1  # {comment}\ny = 2\n"


def test_a_comment_opens_no_script_metadata() -> None:
    assert escape.comment("/// script") == r"\x2f// script"


def test_ordinary_comments_stay_as_they_are() -> None:
    for text in (
        "price (USD): 3",
        "the #1 column",
        "data/a_b-c.csv",
        "größe 漢 😀",
        "prototype: a",
        "https://x",
    ):
        assert escape.comment(text) == text
    assert escape.comment("  two\n lines ") == "two lines"


@thorough
@given(BROKEN, st.sampled_from(["", "Say what it is. ", "x\n\n    "]), st.sampled_from(["", ".", "\n    "]))
def test_a_docstring_ends_where_it_should(text: str, before: str, after: str) -> None:
    escaped = escape.docstring(text)
    assert all(is_plain(line) for line in escaped.split("\n"))
    module = ast.parse(f'def f():\n    """{before}{escaped}{after}"""\n    return 1\n')
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert len(module.body) == 1 and ast.dump(function.body[1]) == ast.dump(ast.parse("return 1").body[0])
    found = ast.get_docstring(function, clean=False)
    assert found is not None
    assert found.replace("> >>", ">>>") == before + text.replace("> >>", ">>>") + after
    assert doctest.DocTestParser().get_examples(found) == []


def test_a_docstring_is_readable() -> None:
    assert escape.docstring('the "price" column, in €') == 'the "price" column, in €'
    # At the start black would put a space before the quote, and the value would change.
    assert escape.docstring('"a" ""b') == r'\"a" \""b'
    assert escape.docstring("a\\b\n\tc") == "a\\\\b\n\\tc"


@brief
@given(BROKEN)
def test_black_keeps_the_tree_around_a_docstring(text: str) -> None:
    source = f'"""{escape.docstring(text)}"""\n\nx = 1  # {escape.comment(text)}\n'
    tree = ast.parse(black.format_str(source, mode=black.Mode()))
    assert ast.dump(ast.Module(tree.body[-1:], [])) == ast.dump(ast.parse("x = 1"))
    assert len(tree.body) == 2 and ast.get_docstring(tree) is not None


@thorough
@given(WHOLE)
def test_toml_strings_come_back_as_they_were(text: str) -> None:
    code = escape.toml_string(text)
    assert type(code) is Code
    assert tomllib.loads(f"x = {code}\n") == {"x": text}
    assert is_plain(code)


@thorough
@given(nested(scalars(WHOLE), WHOLE))
def test_toml_values_come_back_as_they_were(value: object) -> None:
    assert tomllib.loads(f"x = {escape.toml_value(value)}\n") == {"x": value}


def test_toml_has_no_null_and_no_numbered_keys() -> None:
    assert math.isnan(tomllib.loads(f"x = {escape.toml_value(math.nan)}")["x"])
    assert escape.toml_value((1, {"a b": True})) == '[1, { "a b" = true }]'
    for value in (None, {1: 2}, [None], object()):
        with pytest.raises(TypeError):
            escape.toml_value(value)


@thorough
@given(WHOLE)
def test_yaml_strings_are_json_without_anything_unprintable(text: str) -> None:
    code = escape.yaml_string(text)
    assert is_plain(code)  # YAML 1.1 breaks lines at U+0085 and U+2028 too; none is left
    assert code[0] == code[-1] == '"'

    def as_json(escaped: re.Match[str]) -> str:  # JSON has every escape that is used but the long one
        return json.dumps(chr(int(escaped[1], 16)))[1:-1] if escaped[1] else escaped[0]

    assert json.loads(re.sub(r"\\(?:U([0-9a-f]{8})|.)", as_json, code)) == text


@brief
@given(WHOLE)
def test_markdown_text_is_only_text(text: str) -> None:
    shown = escape.visible(" ".join(text.split()))
    escaped = escape.markdown(text)
    assert is_plain(escaped)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for around in ("{}", "- {}", "# {}", "> {}", "*see* {}", "| a |\n|---|\n| {} |"):
        tokens = parser.parse(around.format(escaped))
        inlines = [token.children or [] for token in tokens if token.type == "inline"]
        kinds = ["em_open", "text", "em_close"] if "*" in around else []
        children = inlines[-1][len(kinds) :] if inlines else []
        assert {child.type for child in children} <= {"text", "text_special"}
        assert "".join(child.content for child in children).strip() == shown


@brief
@given(WHOLE)
def test_markdown_code_is_only_code(text: str) -> None:
    shown = escape.visible(" ".join(text.split()))
    escaped = escape.markdown_code(text)
    assert is_plain(escaped)
    parser = MarkdownIt("commonmark").enable("table")
    for around in ("See {}.", "| a |\n|---|\n| See {}. |"):
        tokens = parser.parse(around.format(escaped))
        children = [token for token in tokens if token.type == "inline"][-1].children or []
        kinds = [child.type for child in children if child.type not in ("text", "text_special")]
        assert kinds in (["code_inline"], ["html_inline", "html_inline"])
        content = "".join(child.content for child in children if child.type != "html_inline")
        assert content == f"See {shown or ' '}."


def test_markdown_links_nothing_by_itself() -> None:
    assert escape.markdown("https://x.y") == "https\\://x.y"
    assert escape.markdown("see www.x.y, a@b.c") == "see www\\.x.y, a\\@b.c"
    assert escape.markdown("price_usd <b>") == "price\\_usd &#60;b&#62;"


@thorough
@given(WHOLE)
def test_shell_words_come_back_or_are_refused(text: str) -> None:
    try:
        word = escape.shell_word(text)
    except SpecError:
        assert not text.isprintable()
    else:
        assert shlex.split(f"cmd {word} end") == ["cmd", text, "end"]
        assert len(f"{word}x".splitlines()) == 1


def test_a_real_shell_reads_the_word() -> None:
    text = "a b'c\"d $(id) `id` ; \\ # é"
    command = f"printf %s {escape.shell_word(text)}"
    assert subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout == text.encode()


@pytest.mark.parametrize("char", ["\0", "\n", "\r", "\x1b", "\x85", "\u2028", "\u202e", "\u2066"])
def test_what_no_shell_line_can_hold_is_refused(char: str) -> None:
    with pytest.raises(SpecError, match="shell line"):
        escape.shell_word(f"a{char}b")


@pytest.mark.parametrize("lone", SURROGATES)
@pytest.mark.parametrize("place", ["toml_string", "yaml_string", "markdown", "markdown_code", "shell_word"])
def test_half_a_character_is_refused_with_a_way_out(place: str, lone: str) -> None:
    with pytest.raises(SpecError) as caught:
        getattr(escape, place)(f"a{lone}")
    (problem,) = caught.value.problems
    assert problem.what and problem.why and problem.instead
    str(caught.value).encode("utf-8")


def test_code_joined_to_other_text_is_no_longer_code() -> None:
    assert type(Code("a") + "b") is str


@thorough
@given(BROKEN)
def test_visible_text_can_be_printed(text: str) -> None:
    assert is_plain(escape.visible(text))
