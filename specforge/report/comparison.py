"""What the source reports and what the run measured -> rows that say how far apart they are, and at which epochs."""

from collections.abc import Sequence
from dataclasses import dataclass

from specforge.report import figures
from specforge.report.run import RunRecord, finite
from specforge.spec import Reported


@dataclass(frozen=True, slots=True)
class Comparison:
    """One reported result beside the measured one; `difference` is measured minus reported."""

    metric: str
    reported: str
    reported_epochs: int | None
    measured: str
    measured_epoch: int | None
    difference: str
    note: str | None


def compare(run: RunRecord, reported: Sequence[Reported]) -> tuple[Comparison, ...]:
    """A row for every claim, in the order of the spec."""
    return tuple(_compare(run, claim) for claim in reported)


def _compare(run: RunRecord, claim: Reported) -> Comparison:
    value, epoch = measured(run, claim)
    share = claim.metric.endswith("accuracy")
    gap = figures.ABSENT
    if value is not None and finite(value):
        gap = figures.points(value - claim.value) if share else figures.difference(value - claim.value)
    return Comparison(
        metric=claim.metric.replace("_", " ").replace("top5", "top-5"),
        reported=figures.exact_percent(claim.value) if share else figures.number(claim.value, digits=12),
        reported_epochs=claim.epochs,
        measured=figures.percent(value, decimals=2) if share else figures.number(value, digits=5),
        measured_epoch=epoch,
        difference=gap,
        note=claim.note,
    )


def measured(run: RunRecord, claim: Reported) -> tuple[float | None, int | None]:
    """The value to hold against a claim, and its epoch.

    The claim's own epoch where the run recorded it (a test result of the last epoch is the final test); else
    the tested weights, else the last epoch.
    """
    final = run.epochs[-1].epoch if run.epochs else 0
    of_test = claim.metric.startswith("test_")
    same = run.at(claim.epochs)
    if same and same.value(claim.metric) is not None and not (of_test and run.result and same.epoch == final):
        return same.value(claim.metric), same.epoch
    if claim.metric.endswith("class_accuracy"):
        return _extreme_class(run, best=claim.metric.startswith("best"))
    if of_test:
        value = getattr(run.result, claim.metric, None)
        return value, run.tested_epoch if value is not None else None
    record = run.at(run.tested_epoch) or (run.epochs[-1] if run.epochs else None)
    value = record.value(claim.metric) if record else None
    return value, record.epoch if record and value is not None else None


def _extreme_class(run: RunRecord, *, best: bool) -> tuple[float | None, int | None]:
    ranking = run.result.ranking if run.result else ()
    return (ranking[0 if best else -1].accuracy, run.tested_epoch) if ranking else (None, None)
