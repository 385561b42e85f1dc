"""Both networks next to each other, where that is shorter than a page."""

from pathlib import Path

import pytest

from specforge.cli.beside import show_beside
from specforge.cli.diff import STYLES
from specforge.diff import diff, read_sides

EXAMPLES = Path(__file__).parents[2] / "examples" / "diffs"


def shown(a: str | Path, b: str | Path) -> bool:
    before, after = read_sides(a, b)
    return show_beside(before, after, diff(before, after), STYLES)


@pytest.mark.parametrize("columns", [60, 160, 220])
def test_an_inserted_layer_stands_alone(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    folder = EXAMPLES / "insert_a_layer"
    assert shown(folder / "before.yaml", folder / "after.yaml")
    found = capsys.readouterr().out
    assert found.startswith("different architecture, same data and recipe\n")
    assert "layers as before" in found
    assert "weights of A load into B: all but these" in found
    (added,) = [line for line in found.splitlines() if line.startswith("+")]
    assert not added[1 : columns // 2 - 1].strip()
    table = found[: found.index("\nparameters")]
    assert all(len(line) <= columns for line in table.splitlines())


def test_what_takes_pages_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert not shown("resnet50", "resnet101")
    assert capsys.readouterr().out == ""
