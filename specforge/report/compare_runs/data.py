"""A `RunsComparison` -> plain data for JSON: the numbers themselves, accuracies as shares of one, absent ones None."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from specforge.report.compare_runs.at_epoch import METRICS, AtEpoch
from specforge.report.compare_runs.classes import ClassChange
from specforge.report.compare_runs.compared import RunsComparison
from specforge.report.compare_runs.measures import MEASURES
from specforge.report.compare_runs.runs import ComparedRun
from specforge.report.compare_runs.settings import NOWHERE
from specforge.report.comparison import measured
from specforge.report.run import ClassAccuracy


def to_dict(comparison: RunsComparison) -> dict[str, Any]:
    """What `compare --format json` prints; docs/compare.md names the keys."""
    names = [run.name for run in comparison.runs]
    found = {
        "baseline": comparison.baseline.name,
        "epoch": comparison.epoch,
        "runs": [_run(comparison, at) for at in range(len(names))],
        "settings": [
            {
                "path": setting.path,
                "values": {n: v for n, v in zip(names, setting.values, strict=True) if v is not NOWHERE},
            }
            for setting in comparison.settings
        ],
        "chance": None if comparison.chance is None else comparison.chance[0],
        "warnings": [
            {"kind": caution.kind, "runs": list(caution.runs), "message": caution.message}
            for caution in comparison.cautions
        ],
    }
    return {key: _without_nan(value) for key, value in found.items()}


def _run(comparison: RunsComparison, at: int) -> dict[str, Any]:
    run, difference = comparison.runs[at], comparison.differences[at]
    results = {measure.key: measure.value(run) for measure in MEASURES}
    baseline = {measure.key: measure.value(comparison.baseline) for measure in MEASURES}
    after = comparison.at_epoch[at] if comparison.at_epoch else None
    return {
        "name": run.name,
        "folder": str(run.record.folder),
        "spec": run.spec.name if run.spec else None,
        "finished": run.is_finished,
        "epochs": run.last_epoch,
        "planned_epochs": run.planned_epochs,
        "results": {**results, **_words(run)},
        "differences": _differences(results, baseline) if at else None,
        "reached": [
            {"validation_accuracy": accuracy, "epoch": row[at].epoch, "seconds": row[at].seconds}
            for accuracy, row in zip(comparison.accuracies, comparison.reached, strict=True)
        ],
        "at_epoch": None if after is None else _at_epoch(after),
        "reported": _reported(run),
        "changes": None if difference is None else difference.to_dict(),
        "classes": [_class(change) for change in comparison.classes[at]] if at else None,
        "environment": dict(run.record.environment),
    }


def _words(run: ComparedRun) -> dict[str, Any]:
    result = run.record.result
    ranking: Sequence[ClassAccuracy] = result.ranking if result else ()
    return {
        "checkpoint_policy": result.checkpoint_policy if result else None,
        "best_class": ranking[0].name if ranking else None,
        "worst_class": ranking[-1].name if ranking else None,
    }


def _differences(results: Mapping[str, float | None], baseline: Mapping[str, float | None]) -> dict[str, float]:
    both = {key: (value, baseline[key]) for key, value in results.items()}
    return {key: value - other for key, (value, other) in both.items() if value is not None and other is not None}


def _at_epoch(found: AtEpoch) -> dict[str, Any]:
    final = found.final
    return {
        **{metric: found.record.value(metric) for metric in METRICS},
        "final_test": None
        if final is None
        else {
            "test_accuracy": final.test_accuracy,
            "test_loss": final.test_loss,
            "tested_epoch": final.tested_epoch,
        },
    }


def _reported(run: ComparedRun) -> list[dict[str, Any]]:
    rows = []
    for claim in run.spec.reported if run.spec else ():
        value, epoch = measured(run.record, claim)
        rows.append({
            "metric": claim.metric, "value": claim.value, "epochs": claim.epochs,
            "measured": value, "measured_epoch": epoch,
            "difference": None if value is None else value - claim.value, "note": claim.note,
        })  # fmt: skip
    return rows


def _class(change: ClassChange) -> dict[str, Any]:
    return {
        "index": change.index,
        "name": change.name,
        "baseline": change.before,
        "accuracy": change.after,
        "difference": change.difference,
    }


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what is not finite becomes null."""
    if isinstance(value, dict):
        return {key: _without_nan(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_without_nan(below) for below in value]
    return None if isinstance(value, float) and not isfinite(value) else value
