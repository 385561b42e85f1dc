"""Trains a module by a recipe and tests it.

In: a module with initial weights, a checked spec, prepared data and a run directory. Out: a `Result`, and in the
directory everything that is needed to go on after a crash, a kill or Ctrl-C as if nothing had happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import nn

from specforge.data.batches import TrainBatches
from specforge.data.prepare import Prepared
from specforge.graph import StagePlan
from specforge.resolved import spec_hash, to_yaml
from specforge.spec import Spec
from specforge.training import checksums, durable
from specforge.training.allocation import kept_pages
from specforge.training.device import repeatable
from specforge.training.environment import Environment, environment
from specforge.training.epochs import Epochs
from specforge.training.errors import TrainingError
from specforge.training.evaluation import Evaluation
from specforge.training.final_test import final_test
from specforge.training.finder import Check, as_written, sweep, with_rate
from specforge.training.interrupts import InterruptGuard
from specforge.training.learner import Learner
from specforge.training.listener import Listener, Silence
from specforge.training.mending import mend
from specforge.training.microbatches import memory_is_told
from specforge.training.mistakes import mistakes_file
from specforge.training.processes import ALONE, Processes
from specforge.training.progress import Progress
from specforge.training.reduction import by_process, synchronize
from specforge.training.result import Result, confusion_file
from specforge.training.run_directory import RunDirectory
from specforge.training.shared_run import shared


def fit(
    module: nn.Module,
    spec: Spec,
    prepared: Prepared,
    *,
    plans: Sequence[StagePlan],
    run: RunDirectory,
    device: torch.device,
    resume: bool = False,
    listener: Listener | None = None,
    processes: Processes = ALONE,
) -> Result:
    """Train, test and write a run directory; `plans` are what `graph.plan` makes of the recipe.

    Of several `processes` all call this, and get the same result; the first writes, and tells its listener.

    Raises TrainingError, and Interrupted after a signal.
    With `resume` it goes on with what the directory holds, starts it when that is nothing, and returns the result at
    once when the run is finished. The weights that a resumed run ends with are those of an uninterrupted one, bit for
    bit. The module ends with the tested weights, on the device; torch's global random state is changed.
    """
    told = listener if listener is not None and processes.is_first else Silence()
    _can_choose_weights(spec, prepared)
    _can_build_losses(spec, prepared)
    assert spec.train is not None, "a spec without a recipe was refused before"
    begun = _Begun(spec, prepared, plans, run, told, by_process(module, spec.train))
    finished = processes.from_first(lambda: begun(environment(device, processes=processes.count), resume=resume))
    if finished is not None:
        return finished
    run = shared(run, processes)
    find = _Finder(spec, plans, run, told)
    if spec.train.sync_batch_norm and processes.count > 1:
        synchronize(module)
    bitwise = repeatable(bitwise=spec.train.deterministic)
    agree = None if processes.count == 1 else processes.agree
    with InterruptGuard(run.path, agree=agree) as guard, bitwise, kept_pages(device), memory_is_told():
        epochs = Epochs(
            module, spec, prepared, plans=plans, find=find, run=run, device=device, listener=told, guard=guard,
            processes=processes,
        )  # fmt: skip
        progress = epochs.run()
        result, evaluation = final_test(
            module, spec, prepared, run=run, progress=progress, device=device, check=guard.check, processes=processes
        )
        if processes.is_first:
            _write(run, progress, result, evaluation, prepared)
    return result


def _write(run: RunDirectory, progress: Progress, result: Result, evaluation: Evaluation, prepared: Prepared) -> None:
    # its lines were added without waiting for the disk, and a result says that all of the run is there
    run.rewrite_metrics(progress.history)
    run.write("confusion.json", confusion_file(evaluation, prepared.class_names))
    examples = mistakes_file(prepared.test, evaluation.predicted, evaluation.confidence, prepared.class_names)
    run.write("mistakes.json", examples)
    run.write("result.json", result.encode())


@dataclass(frozen=True, slots=True)
class _Begun:
    """Begins a run in its folder, or takes it up, and tells what the user should know."""

    spec: Spec
    prepared: Prepared
    plans: Sequence[StagePlan]
    run: RunDirectory
    told: Listener
    by_process: Sequence[str]

    def __call__(self, made_with: Environment, *, resume: bool) -> Result | None:
        """The result of a run that is finished."""
        run, tell = self.run, self.told.on_message
        damaged = checksums.problems(run.path) if resume else {}
        notice = run.start(made_with, resume=resume, by_process=self.by_process)
        for sentence in mend(run, damaged, _Finder(self.spec, self.plans, run, self.told).settle):
            tell(sentence)
        finished = run.result()
        if finished is not None:
            tell(f"{run.path} holds a finished run: there is nothing left to train")
            return finished
        if notice:
            tell(notice)
        for note in (*self.prepared.notes, *_small_shares(self.spec, made_with["processes"])):
            tell(note)
        if self.prepared.residence is not None and self.prepared.residence.is_streamed:
            tell(str(self.prepared.residence))
        return None


class _Finder:
    """Finds the rates of stages, and writes the sweeps and the spec with the rates into the run's folder."""

    def __init__(self, spec: Spec, plans: Sequence[StagePlan], run: RunDirectory, listener: Listener):
        self._spec, self._plans, self._run, self._listener = spec, plans, run, listener

    def __call__(
        self, learner: Learner, plan: StagePlan, batches: TrainBatches, known: Mapping[str, float], check: Check
    ) -> float:
        assert self._spec.train is not None
        found = sweep(learner, self._spec.train, plan, batches, check=check)
        rate = as_written(found.chosen)
        sweeps = [*self._run.sweeps()[: len(known)], {**asdict(found), "stage": found.stage + 1}]
        self._run.write("lr_find.json", durable.encode(sweeps, indent=None))
        self.settle({**known, str(plan.chain): rate})
        self._listener.on_message(f"the learning-rate finder chose {rate:g} ({found.how} of the loss)")
        return rate

    def settle(self, rates: Mapping[str, float]) -> None:
        """Write the spec with these rates, each by the number of its stage."""
        spec = self._spec
        for chain, value in rates.items():
            spec = with_rate(spec, [part.number for part in self._plans if str(part.chain) == chain], value)
        self._run.settle(to_yaml(spec), spec_hash(spec))


def _small_shares(spec: Spec, processes: object) -> Iterator[str]:
    """What to know where batches are too small to be divided."""
    assert spec.train is not None
    smallest = min(stage.batch_size for stage in spec.train.all_stages)
    if isinstance(processes, int) and processes > 1 and smallest < 2 * processes:
        yield (
            f"a batch of {smallest} images has fewer than two for each of {processes} processes: each computes all of "
            "it, which is no faster than one process"
        )


def _can_choose_weights(spec: Spec, prepared: Prepared) -> None:
    assert spec.train is not None, "a spec without a recipe was refused before"
    policy = spec.train.checkpoint
    if prepared.validation is not None:
        return
    for stage in spec.train.all_stages:
        if stage.early_stopping is not None and stage.early_stopping.metric.startswith("validation"):
            raise TrainingError("`early_stopping` needs a validation part", hint="add `data.split.validation`")
    if policy != "last":
        raise TrainingError(f"`checkpoint: {policy}` needs a validation part", hint="add `data.split.validation`")


def _can_build_losses(spec: Spec, prepared: Prepared) -> None:
    """Before anything is written: what a loss asks of the data, such as images of every class, is there."""
    assert spec.train is not None
    for stage in spec.train.all_stages:
        stage.loss.lower(prepared.class_counts)
