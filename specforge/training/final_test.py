"""Tests the weights that a run's policy chooses.

In: a module of the run's architecture, its spec, prepared data and its directory. Out: a `Result` and the
`Evaluation` behind it. The weights come from the run's checkpoints, so a repeated test finds the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.discovery import word_for
from specforge.data.augmenting import Augmenter
from specforge.data.batches import EvaluationBatches, View
from specforge.data.prepare import Prepared
from specforge.recipe import Train
from specforge.spec import Spec
from specforge.torch_backend.calls import evaluate as built
from specforge.training.checkpoint import AVERAGES, WEIGHTS, CheckpointStore, name_of
from specforge.training.device import place
from specforge.training.epochs import members
from specforge.training.errors import TrainingError
from specforge.training.evaluation import Evaluation, evaluate, evaluation_batches, judge, logits_of
from specforge.training.learner import load_weights
from specforge.training.manifest import Damage
from specforge.training.precision import Precision
from specforge.training.processes import ALONE, Processes
from specforge.training.progress import Progress
from specforge.training.result import Measured, Member, Result, Scores, class_results, count_parameters, extremes
from specforge.training.run_directory import RunDirectory

Check = Callable[[], None]


def evaluate_run(module: nn.Module, spec: Spec, prepared: Prepared, *, run: Path, device: torch.device) -> Result:
    """Test a run again, or one that was stopped after a complete epoch. Writes nothing."""
    directory = RunDirectory.open(run)
    progress = _newest_complete(directory.checkpoints)
    return final_test(module, spec, prepared, run=directory, progress=progress, device=device)[0]


def tested_weights(run: RunDirectory, train: Train) -> dict[int, dict[str, Tensor]]:
    """The weights that `evaluate_run` tests, by the epoch after which they were: several of a snapshot ensemble."""
    store = run.checkpoints
    epochs = _tested_epochs(train, _newest_complete(store).judged_by(train.checkpoint))
    return {epoch: _weights(store, epoch, train) for epoch in epochs}


def final_test(
    module: nn.Module,
    spec: Spec,
    prepared: Prepared,
    *,
    run: RunDirectory,
    progress: Progress,
    device: torch.device,
    check: Check = lambda: None,
    processes: Processes = ALONE,
) -> tuple[Result, Evaluation]:
    """Load the chosen weights into the module and test them. `check` is called between batches and may raise."""
    assert spec.train is not None
    progress = progress.judged_by(spec.train.checkpoint)
    test = _Test(place(module, device), spec.train, prepared, run.checkpoints, device, check, processes)
    epochs = _tested_epochs(spec.train, progress)
    single: tuple[Member, ...] = ()
    plain: Scores | None = None
    if len(epochs) == 1:
        evaluation = test.of_epoch(epochs[0])
    else:
        single = tuple(Member.of(epoch, test.of_ensemble([epoch])) for epoch in epochs)
        evaluation = test.of_ensemble(epochs)
    if spec.train.evaluate.test_time_augmentation is not None:
        # both by the same loss, that of probabilities
        plain, evaluation = Scores.of(test.of_ensemble(epochs)), test.of_ensemble(epochs, test.looks())
    result = _result(evaluation, module, spec, prepared, run=run, progress=progress)
    return replace(result, members=single, plain=plain), evaluation


class _Look(NamedTuple):
    """A view of the images, None for them as they are, and how much it counts."""

    view: View | None
    weight: float


_AS_IT_IS = _Look(None, 1.0)


class _Test:
    """The test part, and weights of several epochs to test on it."""

    def __init__(
        self,
        module: nn.Module,
        train: Train,
        prepared: Prepared,
        store: CheckpointStore,
        device: torch.device,
        check: Check,
        processes: Processes,
    ):
        self._module, self._train, self._prepared, self._store = module, train, prepared, store
        self._device, self._check, self._precision = device, check, Precision(train.precision, device)
        self._processes = processes
        # augmented views included, stages differ in batch size only by what memory allows
        self._batch_size = max(stage.batch_size for stage in train.all_stages)

    def of_epoch(self, epoch: int) -> Evaluation:
        """The weights of one epoch on the images as they are."""
        self._load(epoch)
        loss: nn.Module = built(self._train.all_stages[-1].loss.lower()).to(self._device)
        batches = self._batches(None)
        with self._precision.context():
            found = evaluate(
                self._module, loss, batches, classes=len(self._prepared.class_names), check=self._check,
                processes=self._processes,
            )  # fmt: skip
        if not isfinite(found.loss):
            raise TrainingError(f"the test loss of epoch {epoch} is {found.loss}", hint="lower the learning rate")
        return found

    def of_ensemble(self, epochs: Sequence[int], looks: Sequence[_Look] = (_AS_IT_IS,)) -> Evaluation:
        """The mean of what the weights of these epochs believe, each of what it sees in all looks."""
        total: Tensor | None = None
        for epoch in epochs:
            self._load(epoch)
            found = self._belief(looks)
            total = found if total is None else total.add_(found)
        assert total is not None
        mean = total.div_(len(epochs))
        return judge(mean, self._prepared.test.labels, classes=len(self._prepared.class_names))

    def _belief(self, looks: Sequence[_Look]) -> Tensor:
        """Probabilities (N, K): the weighted mean of those of all looks, or those of the mean logits."""
        augmentation = self._train.evaluate.test_time_augmentation
        of_logits = augmentation is not None and augmentation.average == "logits"
        mean: Tensor | None = None
        for view, weight in looks:
            with self._precision.context():
                logits = logits_of(self._module, self._batches(view), check=self._check, processes=self._processes)
            found = (logits if of_logits else logits.softmax(1)).mul_(weight)
            mean = found if mean is None else mean.add_(found)
        assert mean is not None
        mean = mean.div_(sum(weight for _, weight in looks))
        return mean.softmax(1) if of_logits else mean

    def _batches(self, view: View | None) -> EvaluationBatches:
        shard = self._processes.shard
        return evaluation_batches(
            self._prepared.test, self._prepared, train_batch_size=self._batch_size, view=view, shard=shard
        )

    def looks(self) -> list[_Look]:
        """The views that the recipe asks for: a list of them, or the image as it is and augmented ones."""
        augmentation = self._train.evaluate.test_time_augmentation
        assert augmentation is not None
        if isinstance(augmentation.views, int):
            augmenter = self._augmenter(augmentation.augment)
            return [_AS_IT_IS, *(_Look(View(augmenter, number), 1.0) for number in range(augmentation.views))]
        return [
            _Look(View(self._augmenter(view.augment), number) if view.augment else None, view.weight)
            for number, view in enumerate(augmentation.views)
        ]

    def _augmenter(self, augment: Sequence[Augmentation]) -> Augmenter:
        return Augmenter(augment, seed=self._train.seed, device=self._device, stream="test")

    def _load(self, epoch: int) -> None:
        load_weights(self._module, _weights(self._store, epoch, self._train))


def _weights(store: CheckpointStore, epoch: int, train: Train) -> dict[str, Tensor]:
    """What is tested of the weights after an epoch."""
    try:
        return store.weights(name_of(epoch), tested_file(train))
    except Damage as damage:
        is_newest = store.names()[-1:] == [name_of(epoch)]
        hint = _repair(store) if is_newest else "train again with another `--out`"
        raise TrainingError(f"the weights of epoch {epoch} cannot be tested: {damage}", hint=hint) from None


def tested_file(train: Train) -> str:
    """Which file of a checkpoint holds the weights that are tested."""
    return WEIGHTS if train.ema is None else AVERAGES


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
        weights=f"checkpoints/{name_of(_tested_epoch(progress))}/{tested_file(spec.train)}",
        spec_hash=run.spec_hash,
        dataset=word_for(spec.data.dataset),
        normalization=Measured(prepared.mean, prepared.std),
    )


def _tested_epochs(train: Train, progress: Progress) -> tuple[int, ...]:
    """All members of an ensemble, or the one epoch that is chosen."""
    return members(train, progress.epoch) or (_tested_epoch(progress),)


def _tested_epoch(progress: Progress) -> int:
    """Counted from 1."""
    return progress.best.epoch if progress.best else progress.epoch


def _newest_complete(store: CheckpointStore) -> Progress:
    """After a whole epoch: a run that was stopped in the middle of one has weights that no epoch ended with."""
    for name in reversed(store.names()):
        try:
            progress = store.progress(name)
        except Damage as damage:
            raise TrainingError(str(damage), hint=_repair(store)) from None
        if progress.epoch > 0 and progress.step == 0:
            return progress
    raise TrainingError(
        f"{store.folder.parent} has no weights to test: no epoch is complete", hint="go on with it by `--resume`"
    )


def _repair(store: CheckpointStore) -> str:
    """What helps where the newest checkpoint is damaged."""
    first = "remove result.json, then " if (store.folder.parent / "result.json").exists() else ""
    return f"{first}`--resume` goes on from the checkpoint before it"
