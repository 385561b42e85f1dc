"""One trial: draws values, trains the spec that they make, and says how it ended.

In: Optuna's trial. Out: the metric, or an exception that says why there is none; its run in `trials/0007` of the
search's folder, taken up again where a process that died left it.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, Any

from specforge import experiment
from specforge.resolved import spec_hash
from specforge.search.chains import DRAWN, OUTCOME, STOPPED
from specforge.search.space import Invalid, Searched, shown
from specforge.search_space import Search
from specforge.spec import Spec
from specforge.training.claim import LOCK
from specforge.training.errors import Interrupted, SpecChanged, TrainingError
from specforge.training.lock import Busy, acquire
from specforge.training.parsing import parsed

if TYPE_CHECKING:
    from optuna import Trial

_NAME = 90  # letters of a spec's name that its trials' names begin with


class Settled(Exception):
    """A trial without a value, for a reason that is its own: the search goes on."""


@dataclass(frozen=True, slots=True)
class Training:
    """Where and on what trials are trained."""

    folder: Path
    device: str | None = None
    data_dir: Path | None = None
    download: bool = False
    tell: Callable[[str], None] = lambda _: None

    def run_of(self, place: int) -> Path:
        return self.folder / "trials" / f"{place + 1:04}"


def run_trial(
    trial: "Trial", place: int, searched: Searched, training: Training, *, check: Callable[[], None]
) -> float:
    """The metric of a trial. Raises `Settled`, Optuna's `TrialPruned`, and what `train` raises where no trial could go
    on: `DataError`, `Interrupted`, a `TrainingError` of the disk. `check` is called between steps, and may raise."""
    values = searched.draw(trial)
    trial.set_user_attr(DRAWN, shown(values))
    try:
        spec = _named(searched, searched.spec_of(values), place)
    except Invalid as invalid:
        raise _settled(trial, "invalid", str(invalid)) from None
    watch = Watch(trial, searched.search, training.run_of(place), spec, check)
    try:
        run = _train(spec, training, watch)
    except Interrupted:
        trial.set_user_attr(STOPPED, True)
        raise
    except TrainingError as error:
        if _is_of_the_disk(error):
            raise
        raise _settled(trial, "failed", error.message) from None
    watch.catch_up()
    result = run.result
    outcome = {"kind": "complete", "epochs": len(watch.values), "test_accuracy": result.test_accuracy}
    outcome |= {"seconds": result.seconds, "spec_hash": spec_hash(spec), **_where(watch.run)}
    trial.set_user_attr(OUTCOME, outcome)
    return value_of(searched.search, watch.values)


def value_of(search: Search, values: Mapping[int, float]) -> float:
    """What a trial is compared by, of the metric in every epoch."""
    if search.objective == "last":
        return values[max(values)]
    return max(values.values()) if search.best_direction == "maximize" else min(values.values())


def without_weights(run: Path) -> None:
    """Remove a run's checkpoints, which are by far the most of it."""
    shutil.rmtree(run / "checkpoints", ignore_errors=True)


@dataclass(slots=True)
class Watch:
    """Hears of a run's epochs, reports them to Optuna, and ends a run that is worse than others."""

    trial: "Trial"
    search: Search
    run: Path
    spec: Spec
    check: Callable[[], None]
    values: dict[int, float] = field(default_factory=dict)
    epochs: int = 0

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        self.epochs = epochs
        if epochs_done:
            self.catch_up()

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self.check()

    def on_epoch(self, metrics: Mapping[str, Any]) -> None:
        import optuna

        self._report(metrics)
        if metrics["epoch"] < self.epochs and self.trial.should_prune():
            outcome = {"kind": "pruned", "epochs": len(self.values), **_where(self.run)}
            self.trial.set_user_attr(OUTCOME, outcome)
            raise optuna.TrialPruned

    def on_message(self, text: str) -> None:
        pass

    def catch_up(self) -> None:
        """The epochs that another process had trained before."""
        with suppress(OSError):
            for line in (self.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
                self._report(parsed(line))

    def _report(self, metrics: Mapping[str, Any]) -> None:
        epoch = int(metrics["epoch"])
        if epoch not in self.values:
            self.values[epoch] = float(metrics[self.search.metric])
            self.trial.report(self.values[epoch], epoch)


def _train(spec: Spec, training: Training, watch: Watch) -> experiment.Run:
    while _is_held(watch.run):  # by a process that was asleep while its trial was given to this one
        watch.run = _next(watch.run)
    try:
        return experiment.train(
            spec, out=watch.run, resume=True, device=training.device, data_dir=training.data_dir,
            download=training.download, listener=watch,
        )  # fmt: skip
    except SpecChanged:  # another trial of this place, which is void, has left it
        watch.run = _next(watch.run)
        return _train(spec, training, watch)


def _is_held(run: Path) -> bool:
    if not run.is_dir():
        return False
    try:
        lock = acquire(run / LOCK)
    except Busy:
        return True
    if lock is not None:
        lock.release()
    return False


def _is_of_the_disk(error: BaseException) -> bool:
    """Whether the system refused something: other trials would fare no better."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    return found is not None


def _next(run: Path) -> Path:
    number = 2
    while (following := run.with_name(f"{run.name.partition('-')[0]}-{number}")).exists():
        number += 1
    return following


def _named(searched: Searched, spec: Spec, place: int) -> Spec:
    return spec.model_copy(update={"name": f"{searched.spec.name[:_NAME].rstrip(' .')}-{place + 1:04}"})


def _settled(trial: "Trial", kind: str, reason: str) -> Settled:
    trial.set_user_attr(OUTCOME, {"kind": kind, "reason": reason})
    return Settled(reason)


def _where(run: Path) -> dict[str, Any]:
    import torch

    return {"run": run.name, "host": node(), "threads": torch.get_num_threads()}
