"""What the curves show."""

import math
from typing import Any

import pytest

from specforge.report.panels import build_panels
from specforge.report.run import read_run
from specforge.spec import Reported
from tests.report.runs import MakeRun, epoch_record


def _rates(make_run: MakeRun, rates: list[Any]) -> Any:
    return build_panels(read_run(make_run(records=[{"epoch": at, "lr": lr} for at, lr in enumerate(rates, 1)])))[2]


def test_nan_and_none_break_the_line(make_run: MakeRun) -> None:
    lines = [epoch_record(epoch, of=5) for epoch in range(1, 6)]
    lines[1]["train_loss"] = math.nan
    lines[3]["train_loss"] = None
    train = build_panels(read_run(make_run(records=lines)))[0].series[0]
    assert [[epoch for epoch, _ in piece] for piece in train.pieces] == [[1], [3], [5]]


def test_only_what_was_recorded_has_a_line(make_run: MakeRun) -> None:
    loss, accuracy, rate = build_panels(read_run(make_run()))
    assert [line.label for line in loss.series] == ["train", "validation"]
    assert [line.label for line in accuracy.series] == ["train", "validation"]
    assert [line.label for line in rate.series] == ["all parameters"]


def test_the_test_result_and_the_claim_are_levels(make_run: MakeRun) -> None:
    claims = [Reported(metric="test_accuracy", value=0.5), Reported(metric="train_loss", value=1.0)]
    loss, accuracy, _ = build_panels(read_run(make_run()), reported=claims)
    assert [(level.kind, level.value, level.epoch) for level in accuracy.levels] == [
        ("reported", 0.5, None),
        ("test", 0.5412, 2),
    ]
    assert [level.kind for level in loss.levels] == ["test"]


def test_groups_have_a_line_each(make_run: MakeRun) -> None:
    panel = _rates(make_run, [{"head": 0.1, "body": 0.01}, {"head": 0.05, "body": None}])
    assert [(line.label, line.last) for line in panel.series] == [("group head", 0.05), ("group body", 0.01)]


@pytest.mark.parametrize(
    ("rates", "logarithmic"),
    [
        ([0.1] * 5 + [0.001] * 5, True),
        ([0.1] * 5 + [0.05] * 5, False),
        ([0.05 * (1 + math.cos(math.pi * at / 40)) for at in range(40)], False),
        ([0.1, 0.0], False),
    ],
)
def test_step_schedules_over_decades_are_logarithmic(make_run: MakeRun, rates: list[float], logarithmic: bool) -> None:
    assert _rates(make_run, rates).values.logarithmic is logarithmic


def test_without_epochs_there_is_nothing_to_draw(make_run: MakeRun) -> None:
    claims = [Reported(metric="test_accuracy", value=0.5)]
    panels = build_panels(read_run(make_run(epochs=0, finished=False)), reported=claims)
    assert [(panel.empty, panel.levels) for panel in panels] == [(True, ())] * 3


def test_a_tested_epoch_that_the_metrics_lack_is_not_marked(make_run: MakeRun) -> None:
    folder = make_run(epochs=3)
    (folder / "metrics.jsonl").write_text("")
    _, accuracy, _ = build_panels(read_run(folder))
    assert accuracy.tested_epoch is None
    assert [level.epoch for level in accuracy.levels] == [None]
