"""The language of expressions: what it computes, what it refuses, and that no text breaks or delays it."""

import math
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specforge.expand.expressions import (
    MAX_ITEMS,
    MAX_LENGTH,
    MAX_LEVELS,
    MAX_LIST,
    MAX_NUMBER,
    ExpressionError,
    evaluate,
    evaluate_text,
    in_words,
    is_too_large,
)

NAMES: dict[str, Any] = {
    "width": 32,
    "rate": 0.5,
    "deep": True,
    "name": "lab",
    "widths": (8, 16, 32),
    "rows": ((1, 2), (3, 4)),
    "nothing": None,
    "body": object(),  # stands for layers: expressions must not look inside
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("width", 32),
        (" width ", 32),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ** 10", 1024),
        ("7 / 2", 3.5),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("-width", -32),
        ("+width", 32),
        ("1e-3 * 2", 0.002),
        ("width > 16", True),
        ("8 <= width < 32", False),
        ("width == 32 and deep", True),
        ("deep or 1 / 0", True),
        ("not deep", False),
        ("false or true", True),
        ("64 if deep else 32", 64),
        ("64 if not deep else 32", 32),
        ("1 if deep else 1 / 0", 1),
        ("widths[0]", 8),
        ("widths[-1]", 32),
        ("widths[1:]", (16, 32)),
        ("widths[::-1]", (32, 16, 8)),
        ("rows[1][0]", 3),
        ("name[0]", "l"),
        ("[width, 2 * width]", (32, 64)),
        ("[]", ()),
        ("[1] + [2]", (1, 2)),
        ("[0] * 3", (0, 0, 0)),
        ("8 in widths", True),
        ("9 not in widths", True),
        ("'lab' == name", True),
        ("name + '_2'", "lab_2"),
        ("min(3, 2)", 2),
        ("max(widths)", 32),
        ("sum(widths)", 56),
        ("round(2.6)", 3),
        ("round(2.345, 1)", 2.3),
        ("ceil(2.1)", 3),
        ("floor(2.9)", 2),
        ("len(widths)", 3),
        ("nothing == 0", False),
        ("1 +\n2", 3),
    ],
)
def test_values(expression: str, expected: Any) -> None:
    found = evaluate(expression, NAMES)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$width", 32),
        ("$(width)", 32),
        ("$rate", 0.5),
        ("$deep", True),
        ("$widths", (8, 16, 32)),
        ("$nothing", None),
        ("conv_$width", "conv_32"),
        ("$(width)x$(width)", "32x32"),
        ("$name$width", "lab32"),
        ("$name.yaml", "lab.yaml"),
        ("$deep ", "true "),
        ("$nothing ", "null "),
        ("$rows ", "[[1, 2], [3, 4]] "),
        ("$$5", "$5"),
        ("$$$width", "$32"),
        ("$$$$", "$$"),
        ("$(')')", ")"),
        ('$(name + "(")', "lab("),
        ("$(rows[(1)][0])", 3),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_texts(text: str, expected: Any) -> None:
    found = evaluate_text(text, NAMES)
    assert found == expected
    assert type(found) is type(expected)


def test_a_whole_text_keeps_what_the_name_holds() -> None:
    assert evaluate_text("$body", NAMES) is NAMES["body"]


REFUSED = [
    "(1).__class__",
    "name.upper()",
    "name.format(width)",
    "lambda: 1",
    "(lambda: 1)()",
    "[n for n in widths]",
    "{n for n in widths}",
    "{1: 2}",
    "{1}",
    "(1, 2)",
    "f'{width}'",
    "b'x'",
    "1j",
    "...",
    "None",
    "(width := 3)",
    "[*widths]",
    "min(*widths)",
    "max(widths, key=len)",
    "width @ 2",
    "width << 2",
    "width & 1",
    "~width",
    "width is 32",
    "await width",
    "yield",
    "open('x')",
    "__import__('os')",
    "eval('1')",
    "getattr(name, 'upper')",
    "abs(1)",
    "range(3)",
    "import os",
    "x = 1",
    "1; 2",
    "del width",
    "",
    " ",
    "1 +",
    ")",
    "'",
    "\\",
    "a b",
    "1 if 2",
    "0777",
    "\x00",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_not_in_the_language(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, NAMES)


FAILING = [
    ("1 / 0", "divides by zero"),
    ("1 // (width - 32)", "divides by zero"),
    ("1 % 0", "divides by zero"),
    ("0 ** -1", "divides by zero"),
    ("widths[3]", "lies outside of the list"),
    ("width[0]", "`width` is not a list"),
    ("widths['a']", "can't be computed"),
    ("name + 1", "can't be computed"),
    ("name < 1", "can't be computed"),
    ("-name", "can't be computed"),
    ("1 in 2", "can't be computed"),
    ("len(3)", "can't be computed"),
    ("min()", "can't be computed"),
    ("ceil(name)", "can't be computed"),
    ("round(1, name)", "can't be computed"),
    ("body + 1", "can't be computed"),
    ("len(body)", "can't be computed"),
    ("name % 3", "can't be formatted"),
    ("(-8) ** 0.5", "complex"),
    ("10 ** 19", "larger than 10^18"),
    ("10 ** 18 + 1", "larger than 10^18"),
    ("1e308 * 10", "larger than 10^18"),
    ("1e-30 * 1e-30", "smaller than 10^-37"),
    ("9 ** 9 ** 9", "exponent over 64"),
    ("2 ** -65", "exponent over 64"),
    ("1e18 ** 64", "too large"),
    ("'a' * 10001", "too long"),
    ("[0] * 10 ** 9", "too long"),
    ("10 ** 9 * [0]", "too long"),
    ("[[0] * 200] * 200", "has more than 1,000 values"),
    ("nope + 1", "unknown name `nope`"),
    ("class", "reserved word"),
]


@pytest.mark.parametrize(("expression", "message"), FAILING)
def test_what_fails_says_why(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate(expression, NAMES)
    assert message in error.value.message


def test_a_failure_shows_the_values_at_hand() -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate("widths[width // rate]", NAMES)
    assert error.value.hint == "here `rate` is 0.5, `width` is 32, `widths` is [8, 16, 32]"


def test_a_failure_names_the_part_that_failed() -> None:
    with pytest.raises(ExpressionError, match=r"`1 / \(width - 32\)` divides by zero"):
        evaluate("min(3, 2 + 1 / (width - 32))", NAMES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$", "starts a name"),
        ("5$", "starts a name"),
        ("$ 5", "starts a name"),
        ("$1", "starts a name"),
        ("${width}", "starts no expression"),
        ("$(width", "not closed"),
        ("$((width)", "not closed"),
        ("$(')", "not closed"),
        ("uses $body", "holds layers"),
        ("$" * 3, "starts a name"),
        ("$name" * MAX_ITEMS, "characters"),
    ],
)
def test_texts_that_are_wrong(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate_text(text, NAMES)
    assert message in error.value.message


def test_an_unknown_name_is_given_apart() -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate("2 * widht", NAMES)
    assert error.value.name == "widht"


def test_length_and_depth_have_limits() -> None:
    assert evaluate("1" + " " * (MAX_LENGTH - 10) + "+ 1", {}) == 2
    assert evaluate("-" * (MAX_LEVELS - 1) + "1", {}) == -1
    for expression in (
        "1" * MAX_LENGTH + "1",
        "-" * (MAX_LEVELS + 1) + "1",
        "(" * 900 + "1" + ")" * 900,
        "-" * 999 + "1",
    ):
        with pytest.raises(ExpressionError):
            evaluate(expression, {})


def test_lists_that_double_are_stopped_without_being_walked() -> None:
    shared: Any = (0,)
    for _ in range(60):
        shared = (shared, shared)
    assert is_too_large(shared) == f"has more than {MAX_LIST:,} values"
    with pytest.raises(ExpressionError, match="more than"):
        evaluate("[x, x]", {"x": shared})
    assert len(in_words(shared)) < 100


def test_lists_that_nest_are_stopped() -> None:
    nested: Any = ()
    for _ in range(MAX_LEVELS + 1):
        nested = (nested,)
    assert is_too_large(nested) == f"is nested more than {MAX_LEVELS} levels deep"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "true"),
        (None, "null"),
        (0.5, "0.5"),
        ("lab", "lab"),
        ((1, "a", (2,)), "[1, a, [2]]"),
        (tuple(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
        ("x" * 50, "x" * 39 + "…"),
        (object(), "layers"),
    ],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert in_words(value) == words


def allowed(value: Any) -> bool:
    if isinstance(value, bool | str) or value is None or value is NAMES["body"]:
        return True
    if isinstance(value, tuple):
        return len(value) <= MAX_ITEMS and all(map(allowed, value))
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) <= MAX_NUMBER


CALLS = ["min(", "max(", "sum(", "len(", "round(", "ceil("]
OPERATORS = ["**", "//", "==", " if ", " else ", " and ", " or ", "not ", " in ", " for ", "lambda "]
CHARACTERS = "()[]+-*/%<>=!,.:'\"$ 0189_"
PIECES = st.lists(
    st.sampled_from([*NAMES, *CHARACTERS, *CALLS, *OPERATORS, "$(", "1e9", "widths[", "[0]"]), max_size=25
)


@settings(max_examples=1_000, deadline=5_000)
@given(PIECES.map("".join))
def test_no_expression_raises_anything_else_or_gives_anything_else(expression: str) -> None:
    with suppress(ExpressionError):
        assert allowed(evaluate(expression, NAMES))


@settings(deadline=5_000)
@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    for attempt in (text, f"$({text})", f"$({text}"):
        with suppress(ExpressionError):
            assert allowed(evaluate_text(attempt, NAMES))


@pytest.mark.parametrize(
    "expression",
    [
        "9" * 900 + " ** 9",
        "(" * 100 + "9 ** 60" + ") ** 60" * 100,
        "[" * 60 + "0" + "] * 9999" * 60,
        "+".join(["'aaaaaaaaaa' * 1000"] * 40),
        "*".join(["10"] * 300),
        "sum(" * 50 + "[1]" + ")" * 50,
    ],
)
def test_work_that_would_explode_is_refused_quickly(expression: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ExpressionError):
        evaluate(expression, {})
    assert time.perf_counter() - start < 5
