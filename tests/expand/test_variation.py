"""Values of a search space put into a tree."""

from textwrap import dedent

import pytest

from specforge.analysis import choices
from specforge.binding import plain
from specforge.diagnostics import Findings, Span
from specforge.expand.variation import Value, vary, words_of
from specforge.source import Mapping, Node, parse

ROOT = """\
train: {batch_size: 64, optimizer: adam}
data: {augment: [{crop: 4}, horizontal_flip]}
"""


def node(text: str) -> Node:
    findings = Findings()
    found = parse(dedent(text), "a.yaml", findings)
    assert found is not None, [each.message for each in findings]
    return found


def varied(*given: tuple[str, str], words: tuple[str, ...] = ()) -> tuple[object, list[str]]:
    findings, root = Findings(), node(ROOT)
    assert isinstance(root, Mapping)
    at = Span("a.yaml", 9, 5, 9, 5 + len(given[0][0]))
    values = [Value(path, at, node(text), frozenset(words)) for path, text in given]
    tree = vary(root, values, choices(), findings)
    return plain(tree), [f"{found.span.column}-{found.span.end_column} {found.message}" for found in findings]


def test_the_shortest_path_comes_first() -> None:
    tree, said = varied(("train.optimizer.lr", "0.5"), ("train.batch_size", "8"), ("train.optimizer", "sgd"))
    assert said == []
    assert tree["train"] == {"batch_size": 8, "optimizer": {"sgd": {"lr": 0.5}}}  # type: ignore[index]


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("sgd", {"sgd": {"momentum": 0.9}}),
        ("{sgd: 0.1}", {"sgd": {"lr": 0.1, "momentum": 0.9}}),
        ("{sgd: {lr: 0.1}}", {"sgd": {"lr": 0.1, "momentum": 0.9}}),
        ("rmsprop", "rmsprop"),
        ("{adam: {lr: 0.1}}", {"adam": {"lr": 0.1}}),
    ],
)
def test_a_path_that_names_a_word_counts_where_it_is_chosen(optimizer: str, expected: object) -> None:
    given = ("train.optimizer", optimizer), ("train.optimizer.sgd.momentum", "0.9")
    tree, said = varied(*given, words=("sgd", "rmsprop", "adam"))
    assert (tree["train"]["optimizer"], said) == (expected, [])  # type: ignore[index]


def test_null_removes_and_lists_are_entered() -> None:
    tree, said = varied(("train.optimizer", "null"), ("data.augment.0.padding", "2"))
    assert (tree, said) == (
        {"train": {"batch_size": 64}, "data": {"augment": ({"crop": {"padding": 2}}, "horizontal_flip")}},
        [],
    )


def test_a_path_that_leads_nowhere_is_told_at_its_step() -> None:
    assert varied(("data.augment.7", "crop"))[1] == [
        "18-19 `data.augment` is a list of 2: there is no `7` in it",
    ]


def test_words_of_values() -> None:
    assert words_of([node("adam"), node("{sgd: {lr: 1}}"), node("3"), node("[a]"), node("{a: 1, b: 2}")]) == {
        "adam",
        "sgd",
    }
