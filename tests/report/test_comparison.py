"""Reported against measured, and at which epochs."""

from typing import Any

import pytest

from specforge.report.comparison import compare
from specforge.report.run import read_run
from specforge.spec import Reported
from tests.report.runs import MakeRun, epoch_record, result_record


def _claim(**fields: Any) -> Reported:
    return Reported.model_validate(fields)


def test_the_final_test_is_held_against_a_claim(make_run: MakeRun) -> None:
    row = compare(
        read_run(make_run(epochs=3)), [_claim(metric="test_accuracy", value=0.54, epochs=40, note="Table 2")]
    )[0]
    assert (row.metric, row.reported, row.reported_epochs) == ("test accuracy", "54%", 40)
    assert (row.measured, row.measured_epoch, row.difference) == ("54.12%", 2, "+0.12 pp")
    assert row.note == "Table 2"


def test_losses_are_compared_as_numbers(make_run: MakeRun) -> None:
    row = compare(read_run(make_run()), [_claim(metric="test_loss", value=1.75)])[0]
    assert (row.reported, row.measured, row.difference) == ("1.75", "1.7312", "−0.0188")


def test_a_claim_about_an_earlier_epoch_meets_that_epoch(make_run: MakeRun) -> None:
    lines = [epoch_record(epoch, of=4) | {"test_accuracy": epoch / 10} for epoch in range(1, 5)]
    run = read_run(make_run(records=lines, result=result_record(tested_epoch=4)))
    early, final = compare(
        run, [_claim(metric="test_accuracy", value=0.25, epochs=2), _claim(metric="test_accuracy", value=0.5, epochs=4)]
    )
    assert (early.measured, early.measured_epoch) == ("20.00%", 2)
    assert (final.measured, final.measured_epoch) == ("54.12%", 4)


def test_training_metrics_come_from_the_tested_weights(make_run: MakeRun) -> None:
    row = compare(read_run(make_run(epochs=3)), [_claim(metric="train_accuracy", value=0.6)])[0]
    assert (row.measured_epoch, row.measured) == (2, "64.85%")


@pytest.mark.parametrize(("metric", "measured"), [("best_class_accuracy", "86.30%"), ("worst_class_accuracy", "8.00%")])
def test_best_and_worst_class(make_run: MakeRun, metric: str, measured: str) -> None:
    run = read_run(make_run(result=result_record(tested_epoch=2, classes=10)))
    assert compare(run, [_claim(metric=metric, value=0.5)])[0].measured == measured


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss", "best_class_accuracy"])
def test_without_a_result_nothing_is_measured(make_run: MakeRun, metric: str) -> None:
    row = compare(read_run(make_run(finished=False)), [_claim(metric=metric, value=0.5)])[0]
    assert (row.measured, row.measured_epoch, row.difference) == ("–", None, "–")


def test_a_diverged_run_has_no_difference(make_run: MakeRun) -> None:
    result = result_record(tested_epoch=3) | {"test_loss": float("nan")}
    row = compare(read_run(make_run(result=result)), [_claim(metric="test_loss", value=0.5)])[0]
    assert (row.measured, row.difference) == ("NaN", "–")
