"""What is compared of the runs' results: one `Measure` for each number, and the epochs that reach an accuracy.

    MEASURES[0].value(run)  ->  0.4237

Whether more is better is said only where it is: a network is not worse for having more parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Literal

from specforge.report.compare_runs.runs import ComparedRun
from specforge.report.run import EpochRecord, Result, finite
from specforge.summary import totals

# how a number is written, and whether its difference is one of points, a plain one, or a ratio
Kind = Literal["share", "loss", "whole", "count", "seconds", "speed"]
# 95% of normally distributed values lie within so many standard deviations
_CONFIDENT = 1.96


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a run; `better` is 1 where more is better, -1 where less is, 0 where neither is."""

    key: str
    label: str
    kind: Kind
    better: int
    value: Callable[[ComparedRun], float | None]


@dataclass(frozen=True, slots=True)
class Reached:
    """The first epoch of a run with this validation accuracy, and the seconds until its end; None if there is none."""

    epoch: int | None
    seconds: float | None


def of_result(name: str) -> Callable[[ComparedRun], float | None]:
    """A number of the final test."""

    def value(run: ComparedRun) -> float | None:
        found: float | None = getattr(run.record.result, name, None)
        return found

    return value


def best_epoch(run: ComparedRun, metric: str, *, most: bool) -> EpochRecord | None:
    """The first epoch with the best value; which one says whether more is better."""
    known = [(value, record) for record in run.record.epochs if (value := record.value(metric)) is not None]
    known = [(value, record) for value, record in known if finite(value)]
    if not known:
        return None
    best = (max if most else min)(value for value, _ in known)
    return next(record for value, record in known if value == best)


def _best(metric: str, *, most: bool) -> Callable[[ComparedRun], float | None]:
    def value(run: ComparedRun) -> float | None:
        record = best_epoch(run, metric, most=most)
        return None if record is None else record.value(metric)

    return value


def _best_at(metric: str, *, most: bool) -> Callable[[ComparedRun], float | None]:
    def value(run: ComparedRun) -> float | None:
        record = best_epoch(run, metric, most=most)
        return None if record is None else record.epoch

    return value


def _extreme(at: int) -> Callable[[ComparedRun], float | None]:
    def value(run: ComparedRun) -> float | None:
        ranking = run.record.result.ranking if run.record.result else ()
        return ranking[at].accuracy if ranking else None

    return value


def _plain_accuracy(run: ComparedRun) -> float | None:
    plain = run.record.result.plain if run.record.result else None
    return plain.test_accuracy if plain else None


def _members(run: ComparedRun) -> float | None:
    return len(run.record.result.members) or None if run.record.result else None


def _best_member(run: ComparedRun) -> float | None:
    members = run.record.result.members if run.record.result else ()
    return max((each.test_accuracy for each in members if each.test_accuracy is not None), default=None)


def _parameters(run: ComparedRun) -> float | None:
    return None if run.graph is None else totals(run.graph).total


def _macs(run: ComparedRun) -> float | None:
    return None if run.graph is None else run.graph.macs


def seconds(run: ComparedRun) -> float | None:
    """Training and validation, of what is recorded so far when there is no result."""
    result = run.record.result
    if result is not None and result.seconds is not None:
        return result.seconds
    spent = [record.seconds for record in run.record.epochs if record.seconds is not None]
    return sum(spent) if spent else None


def speed(run: ComparedRun) -> float | None:
    """Images per second in the median epoch: the first one also compiles."""
    speeds = [value for record in run.record.epochs if (value := record.images_per_second) is not None]
    speeds = [value for value in speeds if finite(value)]
    return median(speeds) if speeds else None


MEASURES = (
    Measure("test_accuracy", "test accuracy", "share", 1, of_result("test_accuracy")),
    Measure("test_top5_accuracy", "top-5 accuracy", "share", 1, of_result("test_top5_accuracy")),
    Measure("test_loss", "test loss", "loss", -1, of_result("test_loss")),
    Measure("plain_test_accuracy", "without augmented views", "share", 1, _plain_accuracy),
    Measure("members", "members of the ensemble", "whole", 0, _members),
    Measure("best_member_test_accuracy", "best member alone", "share", 1, _best_member),
    Measure("tested_epoch", "weights of epoch", "whole", 0, of_result("tested_epoch")),
    Measure("best_class_accuracy", "best class", "share", 1, _extreme(0)),
    Measure("worst_class_accuracy", "worst class", "share", 1, _extreme(-1)),
    Measure(
        "best_validation_accuracy", "best validation accuracy", "share", 1, _best("validation_accuracy", most=True)
    ),
    Measure(
        "best_validation_accuracy_epoch", "in epoch", "whole", 0, _best_at("validation_accuracy", most=True)
    ),
    Measure("best_validation_loss", "best validation loss", "loss", -1, _best("validation_loss", most=False)),
    Measure("best_validation_loss_epoch", "in epoch", "whole", 0, _best_at("validation_loss", most=False)),
    Measure("parameters", "parameters", "count", 0, _parameters),
    Measure("macs", "MACs per image", "count", 0, _macs),
    Measure("seconds", "time", "seconds", -1, seconds),
    Measure("images_per_second", "images per second", "speed", 1, speed),
)  # fmt: skip


def reached(run: ComparedRun, accuracy: float) -> Reached:
    """When the validation accuracy was first this high."""
    spent: float | None = 0.0
    for record in run.record.epochs:
        spent = None if spent is None or record.seconds is None else spent + record.seconds
        value = record.validation_accuracy
        if value is not None and value >= accuracy:
            return Reached(record.epoch, spent)
    return Reached(None, None)


def chance(runs: Sequence[ComparedRun]) -> tuple[float, int] | None:
    """The largest difference of test accuracy to the first run that 95% of tests of equal networks stay below.

    Normal approximation for independent tests; networks that fail on the same images stay closer. The second number
    is that of test images. None unless all tests had equally many.
    """
    tests = [(found, images) for run in runs if run.record.result and (found := _shares(run.record.result))
             for images in [found[1]]]  # fmt: skip
    if len(tests) < 2 or len({images for _, images in tests}) != 1:
        return None
    (baseline, images), *others = (found for found, _ in tests)
    variance = max(0.0, max(p * (1 - p) for p, _ in others) + baseline * (1 - baseline))
    return _CONFIDENT * sqrt(variance / images), images


def _shares(result: Result) -> tuple[float, int] | None:
    images = sum(entry.count or 0 for entry in result.per_class)
    return (result.test_accuracy, images) if result.test_accuracy is not None and images else None
