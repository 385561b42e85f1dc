"""The confusion matrix's cells, and which pairs are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from specforge.report import RunError
from specforge.report.confusion import Confusion, build_matrix, confused_pairs, read_confusion
from specforge.report.mistakes import Mistakes
from tests.report.runs import png


def confusion_of(matrix: list[list[int]]) -> Confusion:
    return Confusion.model_validate({"classes": [f"c{at}" for at in range(len(matrix))], "matrix": matrix})


def test_only_what_was_counted_has_a_cell() -> None:
    matrix = build_matrix(confusion_of([[8, 2, 0], [0, 5, 0], [1, 0, 99]]))
    found = {(cell.row, cell.column): (cell.count, cell.right) for cell in matrix.cells}
    assert found == {(1, 1): (8, True), (1, 2): (2, False), (2, 2): (5, True), (3, 1): (1, False), (3, 3): (99, True)}
    assert [cell.hint for cell in matrix.cells][:2] == ["c0 right: 8 of 10", "c0 taken for c1: 2 of 10"]


@pytest.mark.parametrize(("count", "level"), [(1000, 8), (600, 7), (250, 4), (20, 2), (15, 1), (1, 1)])
def test_the_strength_of_a_cell_lets_small_shares_be_seen(count: int, level: int) -> None:
    matrix = build_matrix(confusion_of([[1000 - count, count], [0, 1]]))
    assert next(cell.level for cell in matrix.cells if cell.column == 2) == level


def test_outputs_beyond_the_classes_have_a_column_where_something_was_taken_for_them() -> None:
    matrix = build_matrix(confusion_of([[1, 0, 0, 2], [0, 3, 0, 0]]))
    assert (matrix.rows, matrix.columns) == (("c0", "c1"), ("c0", "c1", "output 3"))
    assert matrix.cells[1].hint == "c0 taken for output 3: 2 of 3"


def test_very_many_classes_show_those_with_most_mistakes_in_their_order() -> None:
    size = 300
    rows = [[10 if row == column else 0 for column in range(size)] for row in range(size)]
    for row in range(0, size, 2):
        rows[row][1] += 5
    matrix = build_matrix(confusion_of(rows))
    assert len(matrix.rows) == 120
    assert matrix.rows[:3] == ("c0", "c2", "c4")
    assert (matrix.classes, matrix.large) == (300, True)
    assert not build_matrix(confusion_of([[1, 0], [0, 1]])).large


def test_a_class_without_images_has_an_empty_row() -> None:
    assert [cell.row for cell in build_matrix(confusion_of([[0, 0], [1, 1]])).cells] == [2, 2]


def test_long_names_are_short_in_hints_alone() -> None:
    confusion = Confusion.model_validate({"classes": ["a" * 99], "matrix": [[1]]})
    matrix = build_matrix(confusion)
    assert matrix.rows == ("a" * 99,)
    assert matrix.cells[0].hint == "a" * 39 + "… right: 1 of 1"


def test_the_most_frequent_mistakes_come_first_with_their_share() -> None:
    pairs = confused_pairs(confusion_of([[5, 4, 1], [4, 4, 0], [0, 3, 7]]), None)
    named = [(pair.true, pair.predicted, pair.count, pair.reverse) for pair in pairs]
    assert named == [("c0", "c1", 4, 4), ("c1", "c0", 4, 4), ("c2", "c1", 3, 0), ("c0", "c2", 1, 0)]
    assert pairs[0].share == pytest.approx(0.4)
    assert pairs[0].examples == ()


def test_no_more_than_ten_pairs() -> None:
    assert len(confused_pairs(confusion_of([[1] * 6 for _ in range(6)]), None)) == 10


def test_examples_belong_to_their_pair() -> None:
    image = {"index": 3, "true": 0, "predicted": 1, "confidence": 0.5, "png": png(8, 8)}
    mistakes = Mistakes.model_validate(
        {"classes": ["x", "y"], "pairs": [{"true": 0, "predicted": 1, "count": 2, "examples": [image]}]}
    )
    one, other = confused_pairs(confusion_of([[0, 2], [1, 1]]), mistakes)
    assert [(picture.index, picture.true, picture.predicted) for picture in one.examples] == [(3, "c0", "c1")]
    assert other.examples == ()


def test_a_run_without_the_file_has_none(tmp_path: Path) -> None:
    assert read_confusion(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [{"classes": ["a"], "matrix": []}, {"classes": ["a", "b"], "matrix": [[1, 0], [1]]},
     {"classes": ["a", "b"], "matrix": [[1], [1]]}, {"classes": [], "matrix": []}, {"matrix": [[1]]}],
)  # fmt: skip
def test_a_damaged_file_says_where(tmp_path: Path, content: dict[str, Any]) -> None:
    (tmp_path / "confusion.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"confusion\.json"):
        read_confusion(tmp_path)
