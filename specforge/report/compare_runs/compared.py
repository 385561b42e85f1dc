"""Run directories -> a `RunsComparison`: everything that text, Markdown, JSON and the page show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from specforge.diff import Difference
from specforge.report.compare_runs.at_epoch import AtEpoch, at_epoch
from specforge.report.compare_runs.cautions import Caution, find_cautions
from specforge.report.compare_runs.classes import ClassChange, class_changes
from specforge.report.compare_runs.measures import Reached, best_epoch, chance, reached
from specforge.report.compare_runs.runs import ComparedRun, read_runs
from specforge.report.compare_runs.settings import Setting, settings, spec_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsComparison:
    """Several runs, the baseline first. What has one entry for each run is in the order of the runs.

    `differences` are those of the specs, `classes` those of the final tests, both to the baseline. `reached` has one
    row for each of `accuracies`. `chance` is what equal networks may differ by, and the number of test images.
    """

    runs: tuple[ComparedRun, ...]
    cautions: tuple[Caution, ...]
    differences: tuple[Difference | None, ...]
    settings: tuple[Setting, ...]
    classes: tuple[tuple[ClassChange, ...], ...]
    accuracies: tuple[float, ...]
    reached: tuple[tuple[Reached, ...], ...]
    chance: tuple[float, int] | None
    epoch: int | None = None
    at_epoch: tuple[AtEpoch, ...] = ()

    @property
    def baseline(self) -> ComparedRun:
        return self.runs[0]


def compare_runs(
    folders: Sequence[Path],
    *,
    baseline: Path | None = None,
    epoch: int | None = None,
    accuracies: Sequence[float] = (),
) -> RunsComparison:
    """Compare runs with the first one, or with `baseline`; after `epoch` epochs too, where one is given.

    `accuracies` are shares of one whose first epoch is wanted; without any, the best that every run reached. Raises
    `ChoiceError` for what does not fit together, `UnreadableRuns` for paths that are no runs.
    """
    runs = read_runs(folders, baseline=baseline)
    found = at_epoch(runs, epoch) if epoch is not None else ()
    differences = spec_differences(runs)
    wanted = tuple(accuracies) or _common_accuracy(runs)
    return RunsComparison(
        runs=runs,
        cautions=find_cautions(runs),
        differences=differences,
        settings=settings(runs, differences),
        classes=tuple(class_changes(runs[0].record.result, run.record.result) for run in runs),
        accuracies=wanted,
        reached=tuple(tuple(reached(run, accuracy) for run in runs) for accuracy in wanted),
        chance=chance(runs),
        epoch=epoch,
        at_epoch=found,
    )


def _common_accuracy(runs: Sequence[ComparedRun]) -> tuple[float, ...]:
    """The best validation accuracy of the weakest run."""
    records = [best_epoch(run, "validation_accuracy", most=True) for run in runs]
    best = [record.validation_accuracy for record in records if record and record.validation_accuracy is not None]
    return (min(best),) if best else ()
