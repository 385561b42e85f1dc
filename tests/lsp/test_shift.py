"""Lines that moved."""

from hypothesis import given
from hypothesis import strategies as st

from specforge.lsp.shift import MAX_COMPARED, Shift

LINES = st.lists(st.sampled_from("abcd"), max_size=12)


def test_a_line_that_was_added_has_no_older_one() -> None:
    shift = Shift(["a", "b", "c"], ["a", "x", "b", "c"])
    assert [shift.old_line(line) for line in (1, 2, 3, 4)] == [1, None, 2, 3]
    assert [shift.new_line(line) for line in (1, 2, 3)] == [1, 3, 4]


def test_a_line_that_was_edited_is_the_line_that_it_was() -> None:
    assert [Shift(["a", "b", "c"], ["a", "x", "c"]).old_line(line) for line in (1, 2, 3)] == [1, 2, 3]


def test_two_edits_far_from_each_other() -> None:
    shift = Shift([*"abcde"], [*"xabcdye"])
    assert [shift.old_line(line) for line in range(1, 8)] == [None, 1, 2, 3, 4, None, 5]


def test_what_is_edited_beyond_measure_is_unknown() -> None:
    old = [str(number) for number in range(MAX_COMPARED)]
    assert Shift(old, ["x", *old, "y"]).old_line(5) is None


@given(LINES, LINES)
def test_lines_that_belong_together_are_the_same_or_were_edited_in_place(old: list[str], new: list[str]) -> None:
    shift = Shift(old, new)
    for line in range(1, len(new) + 1):
        older = shift.old_line(line)
        if older is not None:
            assert 1 <= older <= len(old)
            assert shift.new_line(older) == line


@given(LINES)
def test_the_same_text_stays_where_it_is(lines: list[str]) -> None:
    shift = Shift(lines, lines)
    assert [shift.old_line(line) for line in range(1, len(lines) + 1)] == [*range(1, len(lines) + 1)]
