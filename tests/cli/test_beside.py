"""Both networks next to each other, where that is shorter than a page."""

from pathlib import Path

import pytest

from specforge.cli.beside import show_beside
from specforge.diff import diff, read_sides

EXAMPLES = Path(__file__).parents[2] / "examples" / "diffs"


def show(a: str | Path, b: str | Path) -> None:
    before, after = read_sides(a, b)
    show_beside(before, after, diff(before, after))


@pytest.mark.parametrize("columns", [60, 160, 220])
def test_an_inserted_layer_stands_alone(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    folder = EXAMPLES / "insert_a_layer"
    show(folder / "before.yaml", folder / "after.yaml")
    found = capsys.readouterr().out
    assert "layers as before" in found
    (added,) = [line for line in found.splitlines() if line.startswith("+")]
    assert not added[1 : columns // 2 - 1].strip()
    assert all(len(line) <= columns for line in found.splitlines())


def test_what_takes_pages_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    show("resnet50", "resnet101")
    assert capsys.readouterr().out == ""


def test_what_differs_in_writing_alone_needs_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(EXAMPLES / "rename_a_layer" / "before.yaml", EXAMPLES / "rename_a_layer" / "after.yaml")
    assert capsys.readouterr().out == ""
