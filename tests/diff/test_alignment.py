"""Alignment against the textbook's table of longest common subsequences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.diff import alignment
from specforge.diff.alignment import common, gaps, similar

WORDS = st.text("abcd", max_size=14)


def length_of_longest(before: str, after: str) -> int:
    table = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for x, old in enumerate(before):
        for y, new in enumerate(after):
            table[x + 1][y + 1] = table[x][y] + 1 if old == new else max(table[x][y + 1], table[x + 1][y])
    return table[-1][-1]


@given(WORDS, WORDS)
def test_common_is_a_longest_subsequence(before: str, after: str) -> None:
    pairs = common(before, after)
    assert pairs is not None
    assert all(before[x] == after[y] for x, y in pairs)
    assert pairs == sorted(set(pairs))
    assert len({y for _, y in pairs}) == len({x for x, _ in pairs}) == len(pairs) == length_of_longest(before, after)


def test_insertions_among_equals_stay_together() -> None:
    assert common("crcrf", "crcrcrf") == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 6)]


def test_common_gives_up_on_what_has_nothing_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MAX_EDITS", 5)
    assert common("aaa", "bb") == []
    assert common("aaa", "bbb") is None


def test_similar_takes_the_greatest_total() -> None:
    likeness = {("x", "p"): 1.0, ("x", "q"): 1.5, ("y", "q"): 1.0}
    assert similar("xy", "pq", lambda old, new: likeness.get((old, new), 0.0)) == [(0, 0), (1, 1)]
    assert similar("x", "pq", lambda old, new: likeness.get((old, new), 0.0)) == [(0, 1)]
    assert similar("z", "pq", lambda old, new: likeness.get((old, new), 0.0)) == []


def test_similar_gives_up_on_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MAX_COMPARISONS", 3)
    assert similar("ab", "ab", lambda old, new: 1.0) is None


@given(WORDS, WORDS)
def test_gaps_hold_exactly_what_is_not_paired(before: str, after: str) -> None:
    pairs = common(before, after) or []
    found = list(gaps(pairs, before, after))
    assert all(old or new for old, new in found)
    unpaired = [letter for place, letter in enumerate(before) if place not in dict(pairs)]
    assert [letter for old, _ in found for letter in old] == unpaired
    assert sum(len(new) for _, new in found) == len(after) - len(pairs)
