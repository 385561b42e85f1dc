"""YAML 1.2 text to nodes: values, spans, limits, and no exception whatever the text."""

import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specforge.binding import plain
from specforge.diagnostics import Diagnostic, Findings, Span
from specforge.source import (
    DISK,
    MAX_ALIASES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NODES,
    MAX_NUMBER,
    Mapping,
    Node,
    Scalar,
    Sequence,
    decode,
    nearest_file,
    parse,
    read,
)


def parsed(text: str) -> Node:
    findings = Findings()
    node = parse(text, "a.yaml", findings)
    assert not len(findings), [found.message for found in findings]
    assert node is not None
    return node


def the_finding(text: str) -> Diagnostic:
    findings = Findings()
    parse(text, "a.yaml", findings)
    (found,) = findings
    return found


def value(text: str) -> Any:
    """What `x: text` holds."""
    return plain(parsed(f"x: {text}\n"))["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("nUll", "nUll"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("tRue", "tRue"),
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-7", -7),
        ("010", 10),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1F", "-0x1F"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("2001-12-14", "2001-12-14"),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("+1.5e2", 150.0),
        (".", "."),
        ("e3", "e3"),
        ("1e", "1e"),
        ("1.2.3", "1.2.3"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("+.Inf", math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        ("=", "="),
        ("'12'", "12"),
        ('"true"', "true"),
        ("''", ""),
        ('"a\\tb"', "a\tb"),
        ("lab 2", "lab 2"),
        ("[1, a, 2.5]", (1, "a", 2.5)),
        ("{a: 1}", {"a": 1}),
    ],
)
def test_values_follow_yaml_1_2(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_not_a_number() -> None:
    assert math.isnan(value(".NaN"))


def test_keys_are_text_as_written() -> None:
    assert plain(parsed("1e-3: a\ntrue: b\n010: c\n")) == {"1e-3": "a", "true": "b", "010": "c"}


def test_the_last_allowed_number_and_the_first_too_large_one() -> None:
    assert value(str(MAX_NUMBER)) == MAX_NUMBER
    assert value(f"-{MAX_NUMBER}") == -MAX_NUMBER
    for text in (str(MAX_NUMBER + 1), f"-{MAX_NUMBER + 1}", hex(MAX_NUMBER + 1), "9" * 5_000):
        assert the_finding(f"x: {text}\n").code == "SF106"


def test_reals_lie_between_the_smallest_and_the_largest_number() -> None:
    assert [value(text) for text in ("1e18", "-1e18", "1e-37", "0e-99", "-0.0")] == [1e18, -1e18, 1e-37, 0, 0]
    for text in ("1.1e18", "-1e19", "1e999"):
        assert the_finding(f"x: {text}\n").message == f"`{text}` is too large"
    for text in ("1e-38", "-1e-400", "0.9e-37"):
        assert the_finding(f"x: {text}\n").message == f"`{text}` is too small"


def test_absurdly_long_fractions_are_refused_and_long_texts_are_not() -> None:
    assert value("0." + "3" * 300) == pytest.approx(1 / 3)
    assert the_finding("x: 0." + "3" * MAX_DIGITS + "\n").code == "SF106"
    assert value("a" * 10_000) == "a" * 10_000


def test_a_refused_number_is_broken_so_that_nothing_more_is_said() -> None:
    findings = Findings()
    node = parse(f"x: {MAX_NUMBER + 1}\n", "a.yaml", findings)
    assert isinstance(node, Mapping)
    below = node.get("x")
    assert isinstance(below, Scalar)
    assert below.broken


SPANS = """\
name: lab
model:
  input: [3, 32]
  layers:
    - conv: {out_channels: 8}
    - 'relu'
note: |
  two
  lines
none:
"""


def piece(span: Span) -> str:
    """The text of a span."""
    lines = SPANS.split("\n")
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    middle = lines[span.line : span.end_line - 1]
    return "\n".join(
        [lines[span.line - 1][span.column - 1 :], *middle, lines[span.end_line - 1][: span.end_column - 1]]
    )


def below(node: Node | None, *steps: str | int) -> Node:
    for step in steps:
        if isinstance(step, int):
            assert isinstance(node, Sequence)
            node = node.items[step]
        else:
            assert isinstance(node, Mapping)
            node = node.get(step)
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (("name",), "lab"),
        (("model", "input"), "[3, 32]"),
        (("model", "input", 1), "32"),
        (("model", "layers", 0), "conv: {out_channels: 8}"),
        (("model", "layers", 0, "conv"), "{out_channels: 8}"),
        (("model", "layers", 0, "conv", "out_channels"), "8"),
        (("model", "layers", 1), "'relu'"),
        (("model", "layers"), "- conv: {out_channels: 8}\n    - 'relu'"),
        (("model",), "input: [3, 32]\n  layers:\n    - conv: {out_channels: 8}\n    - 'relu'"),
    ],
)
def test_a_value_s_span_is_its_text(steps: tuple[str | int, ...], text: str) -> None:
    assert piece(below(parsed(SPANS), *steps).span) == text


@pytest.mark.parametrize(
    ("steps", "key"), [((), "model"), (("model",), "layers"), (("model", "layers", 0), "conv"), ((), "none")]
)
def test_a_key_s_span_is_its_text(steps: tuple[str | int, ...], key: str) -> None:
    node = below(parsed(SPANS), *steps)
    assert isinstance(node, Mapping)
    assert piece(node.entries[key].key) == key


def test_an_absent_value_stands_behind_its_key() -> None:
    span = below(parsed(SPANS), "none").span
    assert (span.line, span.column) == (10, 6)


def test_columns_count_characters_not_bytes() -> None:
    node = parsed("näme: {größe: 3}\n")
    assert isinstance(node, Mapping)
    assert below(node, "näme", "größe").span.column == 15


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "SF103", 1, 1),
        ("# nothing\n", "SF103", 1, 1),
        ("---\n...\n", "SF103", 1, 1),
        ("a: 1\na: 2\n", "SF104", 2, 1),
        ("{a: 1, a: 2}\n", "SF104", 1, 8),
        ("a: !!str 1\n", "SF105", 1, 4),
        ("a: !x [1]\n", "SF105", 1, 4),
        ("? [a]\n: 1\n", "SF107", 1, 3),
        ("<<: {a: 1}\n", "SF107", 1, 1),
        ("a: *b\n", "SF108", 1, 4),
        ("a: &a [*a]\n", "SF108", 1, 8),
        ("a: 1\n---\nb: 2\n", "SF109", 2, 1),
        ("a: [1\n", "SF102", 1, 4),
        ("a: b: c\n", "SF102", 1, 5),
        ("\ta: 1\n", "SF102", 1, 1),
        ("a: {b: \n", "SF102", 1, 7),
        ("a: \x00\n", "SF102", 1, 4),
        ("é: \x1b\n", "SF102", 1, 4),
        ("a: \ud800\n", "SF102", 1, 4),
        ("a: b\n\ufeff: 1\n", "SF102", 2, 1),
    ],
)
def test_what_is_no_document_is_located(text: str, code: str, line: int, column: int) -> None:
    found = the_finding(text)
    assert (found.code, found.span.line, found.span.column) == (code, line, column)


def test_a_merge_key_in_quotes_is_a_word() -> None:
    assert plain(parsed('"<<": 1\n')) == {"<<": 1}


def test_an_alias_repeats_its_node_with_its_own_span() -> None:
    node = parsed("a: &x [1, 2]\nb: *x\n")
    assert plain(node) == {"a": (1, 2), "b": (1, 2)}
    assert below(node, "b").span.line == 1


def test_the_deepest_nesting() -> None:
    assert parsed("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert the_finding("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).code == "SF106"


def test_a_hundred_thousand_levels_cost_no_recursion() -> None:
    assert the_finding("- " * 100_000).code == "SF106"
    assert the_finding("[" * 100_000).code == "SF106"


def test_depth_counts_through_aliases() -> None:
    def chain(length: int) -> str:
        return "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, length))

    assert parsed(chain(MAX_DEPTH - 1))
    assert the_finding(chain(MAX_DEPTH)).code == "SF106"


def test_the_values_that_aliases_repeat_are_counted() -> None:
    letters = "abcdefghij"
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in pairwise(letters)
    )
    found = the_finding(bomb)
    assert found.code == "SF106"
    assert f"{MAX_NODES:,}" in found.message


def test_the_number_of_aliases() -> None:
    aliases = "".join("- *a\n" for _ in range(MAX_ALIASES))
    assert parsed("- &a 1\n" + aliases)
    assert the_finding("- &a 1\n" + aliases + "- *a\n").code == "SF106"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"a: \xff\n", 1, 4),
        ("a: é\nb: ü".encode() + b"\xe9", 2, 5),
        (b"\xef\xbb\xbfa: \xff", 1, 4),
        (b"a: 1\nb: \x00", 2, 4),
        ("a: 1\n".encode("utf-16"), 1, 1),
        (b"\x89PNG\r\n\x1a\n", 1, 1),
        (b"#" * (MAX_BYTES + 1), 1, 1),
    ],
)
def test_bytes_that_are_no_text_are_located(data: bytes, line: int, column: int) -> None:
    findings = Findings()
    assert decode(data, "a.yaml", findings) is None
    (found,) = findings
    assert (found.code, found.span.line, found.span.column) == ("SF101", line, column)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbfa: 1", "a.yaml", Findings()) == "a: 1"


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("bsae.yaml", ["base.yaml", "bare.yaml"], "base.yaml"),
        ("nte.yaml", ["net.yaml"], "net.yaml"),
        ("base.yml", ["base.yaml"], "base.yaml"),
        ("Unit", ["units.yaml"], "units.yaml"),
        ("parent.yaml", ["bare.yaml"], None),
        ("residual.yaml", ["cifar.yaml"], None),
        ("a.yaml", [], None),
    ],
)
def test_a_file_is_suggested_that_is_much_like_it(name: str, names: list[str], meant: str | None) -> None:
    assert nearest_file(name, names) == meant


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a:\n\tb: 1\n", 1, "a tab indents this line"),
        ("a:\n  \tb: 1\n  c: 1\n", 3, "a tab indents this line"),
        ("a:\n-\tb: 1\n", 2, "a tab stands where YAML takes spaces only"),
    ],
)
def test_a_tab_is_located(text: str, column: int, message: str) -> None:
    found = the_finding(text)
    assert (found.span.line, found.span.column, found.message) == (2, column, message)


def test_reading_what_is_no_file(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path / ("a" * 300), "too long"),
        (Path("a\0b"), "null byte"),
    ):
        findings = Findings()
        assert read(path, findings, files=DISK, name="it") is None
        (found,) = findings
        assert found.code == "SF101"
        assert reason in found.message


@given(st.text())
def test_no_text_raises(text: str) -> None:
    findings = Findings()
    assert parse(text, "a.yaml", findings) is not None or findings.has_errors


YAML_LIKE = st.lists(st.sampled_from([*"{}[],:-#&*!|>'\"%@`?<=~ \n\ta0é", "a: ", "- ", "\n  ", "$(", "...", "---"]))


@settings(max_examples=300)
@given(YAML_LIKE.map("".join))
def test_no_punctuation_raises(text: str) -> None:
    findings = Findings()
    assert parse(text, "a.yaml", findings) is not None or findings.has_errors
    lines = text.split("\n")
    for found in findings:
        assert 1 <= found.span.line <= len(lines)
        assert 1 <= found.span.column <= len(lines[found.span.line - 1]) + 2


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    findings = Findings()
    assert (decode(data, "a.yaml", findings) is None) == findings.has_errors


REALS = st.floats(-1e18, 1e18).filter(lambda value: value == 0 or abs(value) >= 1e-37) | st.just(float("inf"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | REALS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_json_is_yaml(data: Any) -> None:
    """JSON is a part of YAML 1.2, so data comes back as it was."""
    import json

    def as_tuples(below: Any) -> Any:
        if isinstance(below, dict):
            return {key: as_tuples(item) for key, item in below.items()}
        return tuple(map(as_tuples, below)) if isinstance(below, list) else below

    text = json.dumps({"x": data})
    if re.search(r'"[^"]*Infinity', text) or "\\ud" in text.lower():  # text that says so, and JSON's surrogate pairs
        return
    text = text.replace("Infinity", ".inf")
    assert plain(parsed(text))["x"] == as_tuples(data)
