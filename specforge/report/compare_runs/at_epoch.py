"""All runs after the same number of epochs: what each recorded there, and which test results may stand beside it.

    --epochs 15  ->  validation accuracy of epoch 15; the test accuracy where epoch 15 itself was tested;
                     the final test of a run that stopping after 15 epochs would not have changed

A final test belongs here when the run ended with that epoch, or when the weights that validation chose are not from
later: what is best of all epochs is best of the first ones too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from specforge.report.compare_runs.runs import ChoiceError, ComparedRun
from specforge.report.run import EpochRecord, Result

METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy")


@dataclass(frozen=True, slots=True)
class AtEpoch:
    """A run at an epoch. `final` is its final test where that is a result of no more than so many epochs."""

    record: EpochRecord
    final: Result | None


def at_epoch(runs: Sequence[ComparedRun], epoch: int) -> tuple[AtEpoch, ...]:
    """Every run at this epoch; raises `ChoiceError` when one did not record it."""
    records = [run.record.at(epoch) for run in runs]
    short = [f"{run.name} has {run.last_epoch}" for run, record in zip(runs, records, strict=True) if record is None]
    if short:
        longest = min(run.last_epoch for run in runs)
        hint = f"`--epochs {longest}` is the last that all have" if longest else "leave out runs that have just started"
        raise ChoiceError(f"not every run recorded epoch {epoch}: {', '.join(short)}", hint=hint)
    return tuple(
        AtEpoch(record, _final(run, epoch)) for run, record in zip(runs, records, strict=True) if record is not None
    )


def _final(run: ComparedRun, epoch: int) -> Result | None:
    result = run.record.result
    if result is None or run.last_epoch == epoch:
        return result
    # members of an ensemble come from all of the run
    chosen = (result.checkpoint_policy or "").startswith("best_") and not result.members
    return result if chosen and result.tested_epoch is not None and result.tested_epoch <= epoch else None
