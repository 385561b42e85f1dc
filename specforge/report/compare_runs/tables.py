"""A `RunsComparison` -> tables of words, which the terminal, Markdown and the page write in their own ways.

The baseline has one column, every other run one for its value and one for the difference.
"""

from collections.abc import Sequence
from typing import Any

from specforge.report import figures
from specforge.report.compare_runs.cells import difference, interleaved, plain, side_by_side
from specforge.report.compare_runs.classes import ClassChange, extremes
from specforge.report.compare_runs.compared import RunsComparison
from specforge.report.compare_runs.measures import MEASURES, Kind, Reached
from specforge.report.compare_runs.runs import ComparedRun
from specforge.report.compare_runs.settings import NOWHERE
from specforge.report.compare_runs.table import Cell, Column, Table
from specforge.report.comparison import compare
from specforge.resolved import flow

DIFFERENCE = "Δ"


def build_tables(comparison: RunsComparison) -> tuple[Table, ...]:
    """All tables that have something to say, the most important first."""
    found = [
        _results(comparison), _at_epoch(comparison), _reported(comparison), _settings(comparison),
        *_class_tables(comparison),
    ]  # fmt: skip
    return tuple(table for table in found if table is not None)


def every_class(comparison: RunsComparison) -> Table | None:
    """All classes of the test set in all runs that tested the same ones, in the data set's order."""
    numbers = [at for at, changes in enumerate(comparison.classes) if changes]
    if len(numbers) < 2:
        return None
    by_run = [{change.index: change for change in comparison.classes[at]} for at in numbers]
    rows = [
        (Cell(first.name), *side_by_side([found[index].after for found in by_run if index in found], "share", 1))
        for index, first in sorted(by_run[0].items())
        if all(index in found for found in by_run)
    ]
    columns = (Column("class", is_number=False), *_columns(comparison, numbers))
    return Table(key="classes", title="All classes", columns=columns, rows=tuple(rows))


def _columns(comparison: RunsComparison, numbers: Sequence[int] | None = None) -> tuple[Column, ...]:
    found: list[Column] = []
    for at in range(len(comparison.runs)) if numbers is None else numbers:
        found.append(Column(comparison.runs[at].name, at))
        if found[0].run != at:
            found.append(Column(DIFFERENCE, at))
    return tuple(found)


def _results(comparison: RunsComparison) -> Table:
    runs = comparison.runs
    rows = [
        (Cell("spec"), *plain([run.spec.name if run.spec else figures.ABSENT for run in runs])),
        (Cell("epochs"), *plain([_epochs(run) for run in runs])),
    ]
    for measure in MEASURES:
        values = [measure.value(run) for run in runs]
        if any(value is not None for value in values):
            rows.append((Cell(measure.label), *side_by_side(values, measure.kind, measure.better)))
        if measure.key in ("best_class_accuracy", "worst_class_accuracy") and any(values):
            names = [_extreme(run, 0 if measure.key.startswith("best") else -1) for run in runs]
            rows.append((Cell("which", "soft"), *plain(names)))
    for accuracy, found in zip(comparison.accuracies, comparison.reached, strict=True):
        rows.append((Cell(f"epochs to {figures.percent(accuracy)} validation"), *_reached(found)))
        spent = [each.seconds for each in found]
        if any(value is not None for value in spent):
            rows.append((Cell("time until then", "soft"), *side_by_side(spent, "seconds", -1)))
    columns = (Column("", is_number=False), *_columns(comparison))
    return Table(
        key="results", title="Results", columns=columns, rows=tuple(rows), notes=tuple(_result_notes(comparison))
    )


def _result_notes(comparison: RunsComparison) -> list[str]:
    notes = [
        f"{DIFFERENCE}: difference to {comparison.baseline.name}, for accuracies in percentage points; × is the ratio "
        "to it, = the same."
    ]
    if comparison.chance is not None:
        share, images = comparison.chance
        notes.append(
            f"On {images:,} test images, up to {figures.points(share).lstrip('+')} between two accuracies may be "
            "chance (95%); another seed adds to that."
        )
    return notes


def _epochs(run: ComparedRun) -> str:
    planned = run.planned_epochs
    return f"{run.last_epoch}" if planned in (None, run.last_epoch) else f"{run.last_epoch} of {planned}"


def _extreme(run: ComparedRun, at: int) -> str:
    ranking = run.record.result.ranking if run.record.result else ()
    return ranking[at].name if ranking else figures.ABSENT


def _reached(found: Sequence[Reached]) -> list[Cell]:
    cells = [Cell(figures.ABSENT if each.epoch is None else str(each.epoch)) for each in found]
    differences = [difference(each.epoch, found[0].epoch, "whole", -1) for each in found]
    return interleaved(cells, differences)


def _at_epoch(comparison: RunsComparison) -> Table | None:
    if comparison.epoch is None:
        return None
    epoch, found = comparison.epoch, comparison.at_epoch
    rows = []
    for metric, label in _EPOCH_ROWS:
        values = [each.record.value(metric) for each in found]
        kind: Kind = "share" if metric.endswith("accuracy") else "loss"
        if any(value is not None for value in values):
            rows.append((Cell(label), *side_by_side(values, kind, 1 if kind == "share" else -1)))
    finals = [each.final for each in found]
    if any(finals):
        values = [final.test_accuracy if final else None for final in finals]
        rows.append((Cell("test accuracy, final test"), *side_by_side(values, "share", 1)))
        weights = [figures.ABSENT if not final or final.tested_epoch is None else str(final.tested_epoch)
                   for final in finals]  # fmt: skip
        rows.append((Cell("with weights of epoch", "soft"), *plain(weights)))
    columns = (Column("", is_number=False), *_columns(comparison))
    notes = tuple(_epoch_notes(comparison, any(finals)))
    return Table(key="epoch", title=f"After {epoch} epochs", columns=columns, rows=tuple(rows), notes=notes)


_EPOCH_ROWS = (
    ("train_loss", "training loss"),
    ("train_accuracy", "training accuracy"),
    ("validation_loss", "validation loss"),
    ("validation_accuracy", "validation accuracy"),
    ("test_loss", "test loss, recorded in that epoch"),
    ("test_accuracy", "test accuracy, recorded in that epoch"),
)


def _epoch_notes(comparison: RunsComparison, finals: bool) -> list[str]:
    epoch, notes = comparison.epoch, []
    if finals:
        notes.append(
            f"A final test stands here when the run ended with epoch {epoch}, or when validation chose weights that "
            "are not from later."
        )
    without = [run.name for run, each in zip(comparison.runs, comparison.at_epoch, strict=True)
               if each.final is None and each.record.test_accuracy is None]  # fmt: skip
    if without:
        notes.append(
            f"No test result after {epoch} epochs: {', '.join(without)} (train with train.epochs={epoch}, or record "
            "it with train.evaluate.every_epoch=test)."
        )
    if len({run.planned_epochs for run in comparison.runs}) > 1:
        planned = ", ".join(f"{run.name} {run.planned_epochs}" for run in comparison.runs if run.planned_epochs)
        notes.append(
            f"The runs were planned for different lengths ({planned}): a schedule that spans a run is not as far."
        )
    return notes


def _reported(comparison: RunsComparison) -> Table | None:
    rows = []
    for run in comparison.runs:
        for claim in compare(run.record, run.spec.reported if run.spec else ()):
            reported = claim.reported
            reported += "" if claim.reported_epochs is None else f" (epoch {claim.reported_epochs})"
            measured = claim.measured + ("" if claim.measured_epoch is None else f" (epoch {claim.measured_epoch})")
            rows.append(tuple(map(Cell, (run.name, claim.metric, reported, measured, claim.difference))))
    if not rows:
        return None
    columns = (
        Column("run", is_number=False), Column("metric", is_number=False), Column("reported by the source"),
        Column("measured"), Column("measured − reported"),
    )  # fmt: skip
    return Table(key="reported", title="Reported and measured", columns=columns, rows=tuple(rows))


def _settings(comparison: RunsComparison) -> Table | None:
    if not comparison.settings:
        return None
    rows = []
    for setting in comparison.settings:
        first, *others = (written(value) for value in setting.values)
        # what is as in the baseline steps back
        rows.append(
            (Cell(setting.path), Cell(first), *(Cell(text, "soft" if text == first else "") for text in others))
        )
    columns = tuple(Column(run.name, at, is_number=False) for at, run in enumerate(comparison.runs))
    return Table(key="settings", title="Data and recipe", columns=(Column("path", is_number=False), *columns),
                 rows=tuple(rows))  # fmt: skip


def written(value: Any) -> str:
    """A value of a spec as the spec would write it."""
    return figures.ABSENT if value is NOWHERE else "none" if value is None else flow(value)


def _class_tables(comparison: RunsComparison) -> list[Table]:
    most = 5 if len(comparison.runs) == 2 else 3
    return [
        _class_table(comparison, run, extremes(changes, most))
        for run, changes in list(zip(comparison.runs, comparison.classes, strict=True))[1:]
        if changes
    ]


def _class_table(
    comparison: RunsComparison, run: ComparedRun, changes: tuple[tuple[ClassChange, ...], tuple[ClassChange, ...]]
) -> Table:
    rows = [
        (Cell(change.name), *side_by_side([change.before, change.after], "share", 1))
        for group in (changes[0], tuple(reversed(changes[1])))
        for change in group
    ]
    first = Column(comparison.baseline.name)
    columns = (Column("class", is_number=False), first, Column(run.name), Column(DIFFERENCE))
    counts = {entry.count for entry in run.record.result.per_class} if run.record.result else set()
    images = f", of {counts.pop()} images each" if len(counts) == 1 else ""
    return Table(
        key="class", title=f"Classes that {run.name} gained and lost most{images}", columns=columns, rows=tuple(rows)
    )
