"""Trees with their expressions replaced: what holds none stays the object that it is."""

from specforge.binding import plain
from specforge.diagnostics import Findings, Span, Use
from specforge.expand.substitution import Budget, Scope, substitute
from specforge.source import Mapping, Sequence, parse


def tree(text: str) -> Mapping:
    found = parse(text, "a.yaml", Findings())
    assert isinstance(found, Mapping)
    return found


def scope(use: Use | None = None) -> Scope:
    return Scope(Budget(Findings()), "here", "define NAME", {"width": 8}, use)


def test_a_tree_without_expressions_is_left_as_it_is() -> None:
    here, written = scope(), tree("a: [1, {b: text}]\nc: null\n")
    assert substitute(written, here, Findings()) is written
    assert here.budget.values == 6  # what it holds is counted all the same


def test_only_what_leads_to_an_expression_is_made_anew() -> None:
    written = tree("a: {b: $width}\nc: {d: 1}\n")
    found = substitute(written, scope(), Findings())
    assert isinstance(found, Mapping)
    assert plain(found) == {"a": {"b": 8}, "c": {"d": 1}}
    assert found.get("c") is written.get("c")
    assert [entry.key for entry in found.entries.values()] == [entry.key for entry in written.entries.values()]


def test_text_of_a_block_says_who_uses_it() -> None:
    use = Use("unit", Span("a.yaml", 9, 3, 9, 7))
    found = substitute(tree("a: [1]\n"), scope(use), Findings())
    assert isinstance(found, Mapping)
    key, value = found.entries["a"]
    assert isinstance(value, Sequence)
    assert [span.used_by for span in (found.span, key, value.span, value.items[0].span)] == [use] * 4
