"""`lr_find.png`: sweeps of the learning-rate finder, drawn with what was chosen."""

import json
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from specforge.report import RunError, write_lr_find
from specforge.report.lr_find import RateCurve, _draw, write_rate_curves


def curve(points: int = 60, **more: Any) -> RateCurve:
    """A loss that falls from 3 to 1 and rises to 5."""
    rates = tuple(10 ** (-6 + step / 10) for step in range(points))
    smoothed = tuple(3.0 - 2 * min(1, step / 40) + max(0, step - 50) * 0.4 for step in range(points))
    losses = tuple(value + (-1) ** step * 0.1 for step, value in enumerate(smoothed))
    known = {"stage": 1, "start": 3.0, "chosen": 0.001, "how": "steepest fall"}
    return RateCurve(**{**known, "rates": rates, "losses": losses, "smoothed": smoothed, **more})


@pytest.mark.parametrize("points", [1, 2, 7, 60])
def test_a_picture_of_every_length(tmp_path: Path, points: int) -> None:
    picture = write_rate_curves(tmp_path / "new" / "a.png", [curve(points)], title="lab")
    assert matplotlib.image.imread(picture).std() > 0.02  # blank paper has 0


def test_the_chosen_rate_is_marked_on_the_curve() -> None:
    (axes,) = _draw([curve()], "lab").axes
    assert axes.get_title(loc="left") == "chosen: 0.001"
    assert axes.get_xscale() == "log"
    dots, smoothed, start, line, mark = axes.get_lines()
    assert start.get_ydata()[0] == 3.0
    assert (len(dots.get_xdata()), len(smoothed.get_xdata())) == (60, 60)
    assert line.get_xdata()[0] == 0.001
    assert mark.get_xdata()[0] == 0.001
    assert mark.get_ydata()[0] == pytest.approx(curve().smoothed[30])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "loss of a step",
        "smoothed",
        "before any step",
        "steepest fall",
    ]


def test_a_sweep_without_a_choice_says_so() -> None:
    (axes,) = _draw([curve(chosen=None)], "lab").axes
    assert axes.get_title(loc="left") == "no rate that helps"
    assert len(axes.get_lines()) == 3


def test_a_file_of_an_older_version_has_no_start() -> None:
    (axes,) = _draw([curve(start=None, how=None)], "lab").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss of a step", "smoothed", "chosen"]


def test_a_sweep_that_diverged_at_once() -> None:
    (axes,) = _draw([curve(0, chosen=None)], "lab").axes
    assert [text.get_text() for text in axes.texts] == ["diverged at once"]


def test_stages_have_a_panel_each() -> None:
    figure = _draw([curve(), curve(stage=3, chosen=0.01)], "a name that is far too long " * 5)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["stage 1, chosen: 0.001", "stage 3, chosen: 0.01"]
    assert len(figure.get_suptitle()) < 100


@pytest.mark.parametrize("title", ["$x_{$", "実験"])
def test_names_are_text_and_not_markup(tmp_path: Path, title: str) -> None:
    assert write_rate_curves(tmp_path / "a.png", [curve()], title=title).is_file()


def test_a_run_whose_rate_was_found(tmp_path: Path) -> None:
    assert write_lr_find(tmp_path, name="lab") is None
    file = tmp_path / "lr_find.json"
    file.write_text(json.dumps([curve().model_dump(), curve(stage=2).model_dump()]))
    assert write_lr_find(tmp_path, name="lab") == tmp_path / "lr_find.png"
    assert {path.name for path in tmp_path.iterdir()} == {"lr_find.json", "lr_find.png", "checksums.json"}


@pytest.mark.parametrize("content", ["", "{}", '[{"rates": 3}]', "[{"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "lr_find.json").write_text(content)
    with pytest.raises(RunError, match=r"lr_find\.json: .+ the file is damaged"):
        write_lr_find(tmp_path, name="lab")
