"""The tree of a text that may be broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specforge.lsp.loose import MAX_OPEN, read_loosely
from specforge.lsp.parts import Part
from specforge.lsp.text import Text
from tests.lsp.specs import LAB


def shown(part: Part) -> object:
    """A tree as Python values; a key without `:` is in a set of its own."""
    if part.kind == "text":
        return part.text
    if part.kind == "list":
        return [None if item.value is None else shown(item.value) for item in part.children]
    if part.kind == "mapping":
        return {e.text if e.colon else (e.text,): None if e.value is None else shown(e.value) for e in part.entries()}
    return None if part.value is None else shown(part.value)


def read(text: str) -> object:
    return shown(read_loosely(Text(text).lines))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a: 1\nb: {c: [1, 2], d: }", {"a": "1", "b": {"c": ["1", "2"], "d": None}}),
        ("a:\n- b\n- c: 1\n  d: 2\ne: 3", {"a": ["b", {"c": "1", "d": "2"}], "e": "3"}),
        ("a:\n  - - x\n    - y\n  -\n", {"a": [["x", "y"], None]}),
        ("a: |\n  b: c\n\n  - d\ne: f", {"a": None, "e": "f"}),
        ("a: 'it''s: x' # c: d\nb: \"{\"", {"a": "it''s: x", "b": "{"}),
        ("[conv: 8, relu, {b}]", [{"conv": "8"}, "relu", {("b",): None}]),
        ("a: &x !!t 1\nb: *x", {"a": "1", "b": None}),
        ("a: {b: 1,\n    c: 2}\nd: 3", {"a": {"b": "1", "c": "2"}, "d": "3"}),
        ("---\na: http://x#y\n...", {"a": "http://x#y"}),
        ('"a b": 1\n? x\n', {"a b": "1", ("? x",): None}),
        # broken
        ("a: {b: 1, c\nd: 2", {"a": {"b": "1", ("c",): None}, "d": "2"}),
        ("a:\n  - conv: {x: [1, 2\n  - relu\n", {"a": [{"conv": {"x": ["1", "2"]}}, "relu"]}),
        ("a:\n  b: 1\n  c", {"a": {"b": "1", ("c",): None}}),
        ("a: ]}\nb: }", {"a": "]}", "b": "}"}),
        ("a: {b: 'x\nc: 1", {"a": {"b": "x"}, "c": "1"}),
        ("\ta: 1", {"a": "1"}),
        ("", None),
        ("spec", "spec"),
    ],
)
def test_trees(text: str, tree: object) -> None:
    assert read(text) == tree


def test_a_right_spec_is_read_as_the_parser_reads_it() -> None:
    from specforge.diagnostics import Findings
    from specforge.source import Mapping, Node, Scalar, parse

    def plain(node: Node) -> object:
        if isinstance(node, Scalar):
            return node.text
        if isinstance(node, Mapping):
            return {key: plain(entry.value) for key, entry in node.entries.items()}
        return [plain(item) for item in node.items]

    root = parse(LAB, "lab.yaml", Findings())
    assert root is not None
    assert read(LAB) == plain(root)


def test_places_are_exact() -> None:
    root = read_loosely(Text("a:\n  - {b: 12}\n").lines)
    value = root.value
    assert value is not None
    found = value.get("a", 0, "b")
    assert found is not None
    assert (found.start, found.end) == ((2, 9), (2, 11))
    assert found.path() == ("a", 0, "b")


@pytest.mark.parametrize("text", ["[" * 5_000, "{a: " * 5_000, "- " * 5_000, "a:\n" * 3, "}" * 5_000, "'" * 999])
def test_depth_costs_no_recursion(text: str) -> None:
    deepest = max(len(part.path()) for part in read_loosely(Text(text).lines).walk())
    assert deepest <= MAX_OPEN + 1


@settings(max_examples=150)
@given(st.lists(st.sampled_from([*"ab:-{}[],#'\"|$&*?!\n \t", "  ", ": ", "- ", "\n  ", "x: ", "𝟙"]), max_size=40))
def test_any_text_has_a_tree_whose_parts_lie_in_order(pieces: list[str]) -> None:
    root = read_loosely(Text("".join(pieces)).lines)
    for part in root.walk():
        assert all(child.start >= part.start for child in part.children)
        assert all(child.parent is part for child in part.children)
        starts = [child.start for child in part.children]
        assert starts == sorted(starts)
