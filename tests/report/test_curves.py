"""`curves.png`: drawn for every kind of run, without a warning and without leftovers."""

import math
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from specforge.report import RunError, write_curves
from specforge.report.curves import _draw
from specforge.report.run import read_run
from specforge.training.errors import TrainingError
from tests.report.runs import MakeRun, epoch_record


@pytest.mark.parametrize(("epochs", "finished"), [(0, False), (1, True), (3, True), (350, True), (5, False)])
def test_a_picture_for_every_length(make_run: MakeRun, epochs: int, finished: bool) -> None:
    folder = make_run(epochs=epochs, finished=finished)
    before = {file.name for file in folder.iterdir()}
    picture = write_curves(folder)
    assert picture == folder / "curves.png"
    assert {file.name for file in folder.iterdir()} == before | {"curves.png", "checksums.json"}
    assert matplotlib.image.imread(picture).std() > 0.02  # blank paper has 0


def test_a_run_of_nothing_but_nan(make_run: MakeRun) -> None:
    lines = [dict.fromkeys(epoch_record(1, of=1), math.nan) | {"epoch": at, "stage": None} for at in (1, 2)]
    assert write_curves(make_run(records=lines)).stat().st_size > 0


@pytest.mark.parametrize("name", ["$x_{$", "実験", "a\\nb", "_hidden"])
def test_names_are_text_and_not_markup(make_run: MakeRun, name: str) -> None:
    lines: list[dict[str, Any]] = [epoch_record(1, of=1) | {"lr": {f"{name}{at}": 0.1 for at in range(12)}}]
    folder = make_run(spec=f"name: {name}\n", records=lines)
    assert write_curves(folder).is_file()


def test_the_title_names_the_spec_and_the_tested_epoch(make_run: MakeRun) -> None:
    assert _draw(read_run(make_run(epochs=3))).get_suptitle() == "lab2_bn   test accuracy 54.1% at epoch 2"


def test_the_legend_of_many_groups_says_how_many_are_left_out(make_run: MakeRun) -> None:
    lines: list[dict[str, Any]] = [{"epoch": 1, "lr": {f"layer{at}": 0.1 for at in range(30)}}]
    legend = _draw(read_run(make_run(records=lines, finished=False))).axes[2].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()][-1] == "and 23 more"


def test_a_picture_that_fails_leaves_the_old_one(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run()
    picture = write_curves(folder)
    old = picture.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(TrainingError, match=r"cannot write .*run.*: no space"):
        write_curves(folder)
    assert picture.read_bytes() == old
    assert not list(folder.glob(".curves*"))


def test_a_folder_that_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a run directory"):
        write_curves(tmp_path)
