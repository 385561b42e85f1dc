"""Formatting changes white space and nothing else: comments, tokens and nodes stay; and it has one result only."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from specforge.diagnostics import Findings
from specforge.formatting import format_text, layout
from specforge.source import Node, Scalar, Sequence, parse
from tests.messy_yaml import PIECES, Scribe, shaken, widened

ROOT = Path(__file__).parents[1]
SPECS = sorted([*(ROOT / "specs").rglob("*.yaml"), *(ROOT / "specforge" / "templates").glob("*.yaml")])
GOLDEN = sorted((ROOT / "tests" / "golden").rglob("*.yaml"))
QUICK = settings(deadline=None, max_examples=150, derandomize=True)
CHOICES = st.integers(0, 2**32).map(random.Random)
BREAKS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")


def formatted(text: str) -> str:
    findings = Findings()
    result = format_text(text, "a.yaml", findings)
    assert not len(findings), [found.message for found in findings]
    assert result is not None
    return result


def nodes(text: str) -> Node | None:
    findings = Findings()
    node = parse(text, "a.yaml", findings)
    return None if len(findings) else node


def without_spans(node: Node) -> Any:
    if isinstance(node, Scalar):
        return (repr(node.value), node.text, node.plain)
    if isinstance(node, Sequence):
        return [without_spans(item) for item in node.items]
    return [(key, without_spans(entry.value)) for key, entry in node.entries.items()]


def words_and_comments(text: str) -> list[str]:
    """All that is no white space, in order: comments, and every token but the insides of texts over several lines."""
    found: list[str] = []
    position = 0
    for token in yaml.scan(text, Loader=layout.LOADER):
        start, end = token.start_mark.index, token.end_mark.index
        found += comments(text[position:start])
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            found += [token.value, *comments(lines(text[start:end])[0].lstrip("|>-+0123456789"))]
        elif isinstance(token, yaml.ScalarToken):
            found += [str(token.style), token.value]
        elif end > start:
            found.append(text[start:end])
        position = max(position, end)
    return found


def comments(gap: str) -> list[str]:
    return [line.strip(" \t") for line in lines(gap) if line.strip(" \t")]


def lines(text: str) -> list[str]:
    for line_break in BREAKS:
        text = text.replace(line_break, "\n")
    return text.split("\n")


def check_promises(text: str) -> None:
    """What formatting promises of every text; one that does not parse has no result but findings."""
    node = nodes(text)
    if node is None:
        findings = Findings()
        assert format_text(text, "a.yaml", findings) is None
        assert len(findings)
        return
    result = formatted(text)
    again = nodes(result)
    assert again is not None
    assert without_spans(again) == without_spans(node)
    assert words_and_comments(result) == words_and_comments(text)
    assert formatted(result) == result


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_a_checked_in_spec_is_canonical(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


def test_promises_hold_for_every_checked_in_text() -> None:
    assert len(SPECS) + len(GOLDEN) > 300
    for path in SPECS + GOLDEN:
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        check_promises(text)


@QUICK
@given(CHOICES)
def test_promises_hold_for_careless_writing(choices: random.Random) -> None:
    check_promises(Scribe(choices).document())


def test_careless_writing_is_mostly_yaml() -> None:
    texts = [Scribe(random.Random(seed)).document() for seed in range(200)]
    assert sum(nodes(text) is not None for text in texts) > 150


@QUICK
@given(st.sampled_from(SPECS), CHOICES)
def test_promises_hold_for_shaken_specs(path: Path, choices: random.Random) -> None:
    check_promises(shaken(path.read_text(encoding="utf-8"), choices))


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_promises_hold_for_pieces_of_yaml(text: str) -> None:
    check_promises(text)


@pytest.mark.parametrize("width", [3, 4, 8])
def test_wider_indentation_becomes_canonical(width: int) -> None:
    for path in SPECS:
        text = path.read_text(encoding="utf-8")
        wide = widened(text, width)
        assert wide != text
        # how far comments stand behind is not compared: widening moved them out of their column
        assert squeezed(formatted(wide)) == squeezed(text)


def squeezed(text: str) -> str:
    return re.sub(r"(?<=\S) +#", " #", text)


def test_both_parsers_of_pyyaml_lay_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [Scribe(random.Random(seed)).document() for seed in range(100)]
    # the parser in Python takes no tabs between tokens
    texts = [text.replace("\t", " ") for text in texts if nodes(text.replace("\t", " ")) is not None]
    expected = [formatted(text) for text in texts]
    monkeypatch.setattr(layout, "LOADER", yaml.SafeLoader)
    assert [formatted(text) for text in texts] == expected


CASES = {
    "indentation": ("a:\n    b:\n        c: 1\n", "a:\n  b:\n    c: 1\n"),
    "dashes below their key": ("a:\n- 1\n- b: 2\n  c: 3\nd: 4\n", "a:\n  - 1\n  - b: 2\n    c: 3\nd: 4\n"),
    "deep dashes": ("a:\n     -   b:  2\n         c: 3\n", "a:\n  - b: 2\n    c: 3\n"),
    "dash behind dash": ("-   -  1\n    -  2\n", "- - 1\n  - 2\n"),
    "spaces in flow": ("{ a : 1,b: [ 1,2 ] , c: { } }\n", "{a: 1, b: [1, 2], c: {}}\n"),
    "a word without arguments": ("- { when: $x,relu:   }\n", "- {when: $x, relu: }\n"),
    "an expression": ('a: {out_channels:   "$(widths[0])"}\n', 'a: {out_channels: "$(widths[0])"}\n'),
    "a key in quotes": ('{"a":1, "b" : 2}\n', '{"a": 1, "b": 2}\n'),
    "an alias as a key": ("- &a x\n- *a  : 1\n", "- &a x\n- *a : 1\n"),
    "an anchor on a line of its own": ("a:\n    &b\n    c: 1\nd:   *b\n", "a:\n  &b\n  c: 1\nd: *b\n"),
    "blank lines": ("\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"),
    "blank lines with spaces": ("a: 1\n  \n   \nb: 2\n", "a: 1\n\nb: 2\n"),
    "spaces at the end": ("a: 1   \nb:  \n  c: 2\t\n", "a: 1\nb:\n  c: 2\n"),
    "line ends": ("a: 1\r\nb: |\r\n  c\r\n", "a: 1\nb: |\n  c\n"),
    "no line end": ("a: 1", "a: 1\n"),
    "document markers": ("%YAML 1.2\n--- # x\n  a: 1\n...\n\n", "%YAML 1.2\n---  # x\na: 1\n...\n"),
    "an explicit key": ("?   a\n:    - 1\n     - 2\n", "? a\n: - 1\n  - 2\n"),
    "values on their own lines": ("a:\n      1\nb:\n   {c: 2}\n", "a:\n  1\nb:\n  {c: 2}\n"),
    "a folded text": ("a: >\n      one\n        two\n\n\n      three\n\n\nb: 1\n",
                      "a: >\n  one\n    two\n\n\n  three\n\nb: 1\n"),
    "a text that keeps its end": ("a: |+\n     one\n\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n"),
    "a text that says its indentation":
                     ("a:\n  b: |4-\n         one\n      two\n", "a:\n  b: |2-\n       one\n    two\n"),
    "spaces inside a text": ("a: |\n    one  \n      \n    two\n", "a: |\n  one  \n    \n  two\n"),
    "a text that the file ends": ("a: |\n   one", "a: |-\n  one\n"),
    "a comment behind a header": ("a: |  # why\n     one\n", "a: |  # why\n  one\n"),
    "a comment below a text": ("a: |\n     one\n  # why\nb: 1\n", "a: |\n  one\n# why\nb: 1\n"),
    "an unquoted text over lines": ("a: one\n        two\n\n        three   \n", "a: one\n  two\n\n  three\n"),
    "a quoted text over lines": ('a: "one  \n\n     two\\  \n   three\\\n  four"\n',
                                 'a: "one\n\n  two\\ \n  three\\\n  four"\n'),
    "an apostrophe's text over lines": ("a: 'it''s\n      so'\n", "a: 'it''s\n  so'\n"),
    "flow aligned behind its bracket": ("a: {b: 1,\n  c: [2,\n 3]}\n", "a: {b: 1,\n    c: [2,\n        3]}\n"),
    "flow below its bracket": ("a: [\n1,\n      {b: 2},\n      ]\n", "a: [\n  1,\n  {b: 2},\n]\n"),
    "flow below its bracket in a list":
                     ("- a: {\n   b: 1\n  }\n- [\n1\n]\n", "- a: {\n    b: 1\n  }\n- [\n    1\n  ]\n"),
    "comments in flow": ("a: [1,# one\n#two\n  3]\n", "a: [1,  # one\n    #two\n    3]\n"),
    "a marker as a word": ("  --- b: 1\n", "  --- b: 1\n"),
}  # fmt: skip

COMMENTS = {
    "two spaces before": ("a: 1 # x\nbb: 2# y\n", "a: 1  # x\nbb: 2# y\n"),
    "a distance is kept": ("a:   1      # x\n", "a: 1      # x\n"),
    "a column stays": ("a: 1      # x\nbbb:  2   # y\n", "a: 1      # x\nbbb: 2    # y\n"),
    "a column moves together": ("a: 1    # x\nb:\n- {c: 1}# y\n", "a: 1        # x\nb:\n  - {c: 1}  # y\n"),
    "a column through the file": ("a:       # x\n    b: 1\n\nc: 1     # y\n", "a:       # x\n  b: 1\n\nc: 1     # y\n"),
    "one that goes on below": ("a:   1   # x\n         # y\nb: 2\n", "a: 1   # x\n       # y\nb: 2\n"),
    "the indentation of the next line": ("a:\n    # x\n  # y\n    - 1\n", "a:\n  # x\n  # y\n  - 1\n"),
    "between items": ("a:\n- 1\n# x\n- 2\n", "a:\n  - 1\n  # x\n  - 2\n"),
    "at the end of a list": ("a:\n    - 1\n    # - 2\nb: 1\n", "a:\n  - 1\n  # - 2\nb: 1\n"),
    "behind the last item of an item": ("- a: 1\n  # x\n- b: 2\n", "- a: 1\n  # x\n- b: 2\n"),
    "before the next key": ("a:\n    b: 1\n# x\n    # y\nc: 1\n", "a:\n  b: 1\n# x\n  # y\nc: 1\n"),
    "at both ends of the file": ("\n   # x\n\n\n# y\na: 1\n\n\n  # z", "# x\n\n# y\na: 1\n\n# z\n"),
    "white space at its end": ("a: 1  # x \t\n# y  \n", "a: 1  # x\n# y\n"),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_layout(before: str, after: str) -> None:
    assert formatted(before) == after
    check_promises(before)


@pytest.mark.parametrize(("before", "after"), COMMENTS.values(), ids=COMMENTS)
def test_comments(before: str, after: str) -> None:
    assert formatted(before) == after
    check_promises(before)


def test_a_text_that_does_not_parse_has_findings() -> None:
    for text, code in (("a: [1\n", "SF102"), ("a: 1\na: 2\n", "SF104"), ("", "SF103"), ("a: !!int 1\n", "SF105")):
        findings = Findings()
        assert format_text(text, "a.yaml", findings) is None
        assert [found.code for found in findings] == [code]


def test_a_layout_that_changed_the_meaning_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specforge.formatting.lay_out", lambda text: text.replace("1", "2"))
    with pytest.raises(AssertionError, match=r"a\.yaml would change"):
        format_text("a: 1\n", "a.yaml", Findings())
