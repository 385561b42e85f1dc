"""The pictures of a run's mistakes."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from specforge.report import RunError
from specforge.report.mistakes import Mistakes, pictures, read_mistakes
from tests.report.runs import mistakes_record, png


def example(**changes: Any) -> dict[str, Any]:
    return {"index": 1, "true": 0, "predicted": 1, "confidence": 0.9, "png": png(8, 8)} | changes


def read(*examples: dict[str, Any]) -> Mistakes:
    return Mistakes.model_validate({"classes": ["a", "b"], "mistakes": examples})


def test_classes_are_named() -> None:
    found = read(example(), example(predicted=5))
    assert [(each.true, each.predicted) for each in pictures(found.mistakes, found.classes)] == [
        ("a", "b"),
        ("a", "output 5"),
    ]


@pytest.mark.parametrize(("size", "small"), [((8, 8), True), ((48, 32), True), ((32, 96), False), ((96, 96), False)])
def test_small_images_are_to_be_enlarged(size: tuple[int, int], small: bool) -> None:
    found = read(example(png=png(*size)))
    assert [each.small for each in pictures(found.mistakes, found.classes)] == [small]


@pytest.mark.parametrize("text", ['" onerror="alert(1)', "<b>", " ", "\n", "é"])
def test_what_is_no_base64_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "mistakes.json").write_text(json.dumps({"classes": [], "mistakes": [example(png=png(8, 8) + text)]}))
    with pytest.raises(RunError, match=r"mistakes\.json: `mistakes\.0\.png`"):
        read_mistakes(tmp_path)


@pytest.mark.parametrize("text", ["", "YQ==", "R0lGODlhAQABAAAAACw=" * 4, png(8, 8)[:20]])
def test_what_is_no_png_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="png"):
        read(example(png=text))


def test_a_run_without_the_file_has_none(tmp_path: Path) -> None:
    assert read_mistakes(tmp_path) is None


def test_what_training_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "mistakes.json").write_text(json.dumps(mistakes_record(classes=4)))
    found = read_mistakes(tmp_path)
    assert found is not None
    assert (len(found.mistakes), len(found.pairs), len(found.pairs[0].examples)) == (20, 3, 2)
