"""The epochs of a run: step after step, one line of metrics each, checkpoints on the way.

In: what `fit` was given. Out: the run's `Progress` after its last epoch, with that checkpoint on the disk.

Epochs and steps count from 0 here, as the keys of random numbers and schedules do, and from 1 in all that is told or
written.
"""

from dataclasses import replace
from math import isfinite
from time import perf_counter

import torch
from torch import nn

from specforge.data.batches import TrainBatches
from specforge.data.prepare import Prepared
from specforge.spec import Spec
from specforge.training.checkpoint import name_of
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.evaluation import Sums, evaluate, evaluation_batches
from specforge.training.interrupts import InterruptGuard
from specforge.training.learner import Learner
from specforge.training.listener import Listener
from specforge.training.progress import Best, Line, Progress
from specforge.training.run_directory import RunDirectory

# checkpoints between the ones that are needed may take this share of the time
SAVING_SHARE = 0.05
# seconds between two looks at the running loss
_LOSS_INTERVAL = 0.5


class Epochs:
    """A run in progress: `_done` holds the complete epochs, `_step` and `_sums` are those of the one that goes on."""

    def __init__(
        self,
        module: nn.Module,
        spec: Spec,
        prepared: Prepared,
        *,
        run: RunDirectory,
        device: torch.device,
        listener: Listener,
        guard: InterruptGuard,
    ):
        assert spec.train is not None
        self._train, self._prepared, self._run = spec.train, prepared, run
        self._device, self._listener, self._guard = device, listener, guard
        self._batches = _batches(spec, prepared)
        self._steps = self._batches.steps_per_epoch
        self._learner = Learner(module, spec.train, steps_per_epoch=self._steps, device=device)
        self._saved: tuple[int, int] | None = None
        self._save_again = self._next_look = 0.0
        self._take_up()

    def run(self) -> Progress:
        """Train all epochs that are left; after a signal save the position and raise Interrupted."""
        self._listener.on_start(self._train.epochs, self._steps, self._done.epoch, self._step)
        try:
            while self._done.epoch < self._train.epochs:
                self._began = perf_counter()
                self._train_steps()
                self._close(self._measure())
        except Interrupted:
            if isfinite(self._sums.loss.item()) and self._learner.is_finite():
                self._save()
            else:
                self._listener.on_message("training has diverged, so this position is not saved")
            raise
        self._save()
        return self._done

    def _take_up(self) -> None:
        """From the newest checkpoint, or from the start."""
        checkpoint = self._run.checkpoints.newest(tell=self._listener.on_message)
        progress = Progress() if checkpoint is None else checkpoint.progress
        if checkpoint is not None:
            self._learner.restore(checkpoint)
            self._saved = (progress.epoch, progress.step)
        self._run.rewrite_metrics(progress.history)
        self._done = Progress(epoch=progress.epoch, history=progress.history, best=progress.best)
        self._open(progress)

    def _open(self, progress: Progress) -> None:
        """Begin an epoch, or go on with one."""
        self._step, self._seconds_before = progress.step, progress.seconds
        self._sums = Sums(self._device, loss=progress.loss_sum, correct=progress.correct, images=progress.images)
        self._began = perf_counter()

    def _train_steps(self) -> None:
        """The epoch's steps that are left."""
        epoch = self._done.epoch
        self._learner.begin_epoch()
        for batch in self._batches.epoch(epoch, start_step=self._step):
            self._guard.check()
            loss, logits = self._learner.learn(batch, epoch=epoch, step=self._step)
            self._sums.add(loss, logits.argmax(1), batch.labels)
            self._step += 1
            self._listener.on_step(epoch + 1, self._step, self._steps, self._running_loss())

    def _running_loss(self) -> float | None:
        """The mean so far. Not on a GPU: reading it would make the queue of work run dry."""
        now = perf_counter()
        if self._device.type != "cpu" or now < self._next_look:
            return None
        self._next_look = now + _LOSS_INTERVAL
        return self._sums.loss.item() / self._sums.images

    def _measure(self) -> Line:
        """The epoch's line of metrics. The device is waited for here, once."""
        images, epoch = self._sums.images, self._done.epoch
        loss, accuracy = self._sums.loss.item() / images, int(self._sums.correct.item()) / images
        trained = self._seconds()
        self._demand_finite(loss, "training loss")
        line: Line = {"epoch": epoch + 1, "train_loss": loss, "train_accuracy": accuracy, **self._validate()}
        line["lr"] = self._learner.rate(epoch, 0)
        line["images_per_second"] = images / trained
        line["seconds"] = self._seconds()
        return line

    def _validate(self) -> Line:
        part = self._prepared.validation
        if part is None:
            return {}
        batches = evaluation_batches(part, self._prepared, train_batch_size=self._train.batch_size)
        found = evaluate(
            self._learner.module,
            self._learner.loss,
            batches,
            classes=len(self._prepared.class_names),
            check=self._guard.check,
        )
        self._demand_finite(found.loss, "validation loss")
        return {"validation_loss": found.loss, "validation_accuracy": found.accuracy}

    def _demand_finite(self, loss: float, what: str) -> None:
        if isfinite(loss) and self._learner.is_finite():
            return
        epoch = self._done.epoch
        rate = self._learner.rate(epoch, max(0, self._step - 1))
        found = f"the {what} is {loss}" if not isfinite(loss) else "weights are no longer finite"
        raise TrainingError(
            f"training diverged in epoch {epoch + 1}: {found}, at a learning rate of {rate:g}",
            hint="lower the learning rate; the checkpoints of earlier epochs are intact",
        )

    def _close(self, line: Line) -> None:
        """Record a complete epoch. The best one is saved in any case, others when it is their turn."""
        best = self._best(line)
        improved = best != self._done.best
        self._done = Progress(epoch=self._done.epoch + 1, history=(*self._done.history, line), best=best)
        self._open(self._done)
        self._run.append_metrics(line)
        self._listener.on_epoch(line)
        if improved or perf_counter() >= self._save_again:
            self._save()

    def _best(self, line: Line) -> Best | None:
        """The best epoch by the recipe's policy, the earlier of equal ones."""
        policy, before = self._train.checkpoint, self._done.best
        if policy == "last":
            return None
        value = line[policy.removeprefix("best_")]
        if before is not None and (value >= before.value if policy.endswith("loss") else value <= before.value):
            return before
        return Best(int(line["epoch"]), value)

    def _save(self) -> None:
        """Write a checkpoint of this position, if there is none yet."""
        position = (self._done.epoch, self._step)
        if position == self._saved:
            return
        progress, store, began = self._position(), self._run.checkpoints, perf_counter()
        store.save(self._learner.checkpoint(progress))
        store.keep([name_of(progress.best.epoch)] if progress.best else [])
        self._saved, now = position, perf_counter()
        self._save_again = now + (now - began) * (1 / SAVING_SHARE - 1)

    def _position(self) -> Progress:
        if self._step == 0:
            return self._done
        return replace(
            self._done,
            step=self._step,
            loss_sum=self._sums.loss.item(),
            correct=int(self._sums.correct.item()),
            images=self._sums.images,
            seconds=self._seconds(),
        )

    def _seconds(self) -> float:
        """What the epoch has taken so far, in this process and in those before it."""
        return self._seconds_before + perf_counter() - self._began


def _batches(spec: Spec, prepared: Prepared) -> TrainBatches:
    assert spec.train is not None
    assert spec.data is not None
    return TrainBatches(
        prepared.train,
        batch_size=spec.train.batch_size,
        augment=spec.data.augment,
        mean=prepared.mean,
        std=prepared.std,
        seed=spec.train.seed,
    )
