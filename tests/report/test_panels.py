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
        # a cosine that returns has each of its values several times
        ([0.05005 + 0.04995 * math.cos(math.pi * at / 10) for at in range(60)], False),
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


def test_stages_meet_between_epochs(make_run: MakeRun) -> None:
    lines = [epoch_record(at, of=6) | {"stage": 1 + (at > 2)} for at in range(1, 7)]
    spans = build_panels(read_run(make_run(records=lines)))[0].stages
    assert [(span.label, span.start, span.end) for span in spans] == [("stage 1", 1, 2.5), ("stage 2", 2.5, 6)]


def test_one_stage_is_no_stage(make_run: MakeRun) -> None:
    lines = [epoch_record(at, of=6) | {"stage": 1} for at in range(1, 7)]
    assert [panel.stages for panel in build_panels(read_run(make_run(records=lines)))] == [(), (), ()]


def test_a_recorded_test_curve_is_drawn(make_run: MakeRun) -> None:
    lines = [epoch_record(at, of=3) | {"test_loss": 2.0, "test_accuracy": 0.1 * at} for at in range(1, 4)]
    loss, accuracy, _ = build_panels(read_run(make_run(records=lines)))
    assert [line.label for line in loss.series] == ["train", "validation", "test"]
    assert accuracy.series[2].last == pytest.approx(0.3)


def test_a_returning_cosine_is_one_line_with_its_turns(make_run: MakeRun) -> None:
    rates = [0.0005 * (1 + math.cos(math.pi * at / 10)) for at in range(30)]
    panel = _rates(make_run, rates)
    (piece,) = panel.series[0].pieces
    assert [value for _, value in piece] == rates
    assert (panel.values.low, panel.values.high) == (0, 0.001)
