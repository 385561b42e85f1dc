"""Tests the weights that a run's policy chooses.

In: a module of the run's architecture, its spec, prepared data and its directory. Out: a `Result` and the
`Evaluation` behind it. The weights come from the run's checkpoint, so a repeated test finds the same.
"""

from collections.abc import Callable
from math import isfinite
from pathlib import Path

import torch
from torch import nn

from specforge.catalog.discovery import word_for
from specforge.data.prepare import Prepared
from specforge.spec import Spec
from specforge.torch_backend.calls import evaluate as built
from specforge.training.checkpoint import WEIGHTS, CheckpointStore, name_of
from specforge.training.device import place
from specforge.training.errors import TrainingError
from specforge.training.evaluation import Evaluation, evaluate, evaluation_batches
from specforge.training.learner import load_weights
from specforge.training.manifest import Damage
from specforge.training.progress import Progress
from specforge.training.result import Result, class_results, count_parameters, extremes
from specforge.training.run_directory import RunDirectory


def evaluate_run(module: nn.Module, spec: Spec, prepared: Prepared, *, run: Path, device: torch.device) -> Result:
    """Test a run again, or one that was stopped after a complete epoch. Writes nothing."""
    directory = RunDirectory.open(run)
    progress = _newest_complete(directory.checkpoints)
    return final_test(module, spec, prepared, run=directory, progress=progress, device=device)[0]


def final_test(
    module: nn.Module,
    spec: Spec,
    prepared: Prepared,
    *,
    run: RunDirectory,
    progress: Progress,
    device: torch.device,
    check: Callable[[], None] = lambda: None,
) -> tuple[Result, Evaluation]:
    """Load the chosen weights into the module and test them. `check` is called between batches and may raise."""
    assert spec.train is not None
    epoch = _tested_epoch(progress)
    _load(module, run.checkpoints, epoch)
    loss: nn.Module = built(spec.train.loss.lower()).to(device)
    batches = evaluation_batches(prepared.test, prepared, train_batch_size=spec.train.batch_size)
    evaluation = evaluate(place(module, device), loss, batches, classes=len(prepared.class_names), check=check)
    if not isfinite(evaluation.loss):
        raise TrainingError(f"the test loss of epoch {epoch} is {evaluation.loss}", hint="lower the learning rate")
    return _result(evaluation, module, spec, prepared, run=run, progress=progress), evaluation


def _result(
    evaluation: Evaluation, module: nn.Module, spec: Spec, prepared: Prepared, *, run: RunDirectory, progress: Progress
) -> Result:
    assert spec.train is not None
    assert spec.data is not None
    per_class = class_results(evaluation, prepared.class_names)
    best_class, worst_class = extremes(per_class)
    return Result(
        test_loss=evaluation.loss,
        test_accuracy=evaluation.accuracy,
        test_top5_accuracy=evaluation.top5_accuracy,
        per_class=per_class,
        best_class=best_class,
        worst_class=worst_class,
        parameters=count_parameters(module),
        seconds=sum(line["seconds"] for line in progress.history),
        tested_epoch=_tested_epoch(progress),
        checkpoint_policy=spec.train.checkpoint,
        weights=f"checkpoints/{name_of(_tested_epoch(progress))}/{WEIGHTS}",
        spec_hash=run.spec_hash,
        dataset=word_for(spec.data.dataset),
    )


def _tested_epoch(progress: Progress) -> int:
    """Counted from 1."""
    return progress.best.epoch if progress.best else progress.epoch


def _load(module: nn.Module, store: CheckpointStore, epoch: int) -> None:
    try:
        weights = store.weights(name_of(epoch))
    except Damage as damage:
        raise TrainingError(
            f"the weights of epoch {epoch} cannot be tested: {damage}", hint="train again with another `--out`"
        ) from None
    load_weights(module, weights)


def _newest_complete(store: CheckpointStore) -> Progress:
    """After a whole epoch: a run that was stopped in the middle of one has weights that no epoch ended with."""
    for name in reversed(store.names()):
        try:
            progress = store.progress(name)
        except Damage as damage:
            raise TrainingError(str(damage), hint="`--resume` goes on from the checkpoint before it") from None
        if progress.epoch > 0 and progress.step == 0:
            return progress
    raise TrainingError(
        f"{store.folder.parent} has no weights to test: no epoch is complete", hint="go on with it by `--resume`"
    )
