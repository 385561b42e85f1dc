"""The epochs of a run: stage after stage, step after step, one line of metrics an epoch, checkpoints on the way.

In: what `fit` was given. Out: the run's `Progress` after its last epoch, with that checkpoint on the disk.

Epochs, steps and stages count from 0 here, as the keys of random numbers and schedules do, and from 1 in all that is
told or written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from time import perf_counter

import torch
from torch import nn

from specforge.data.batches import TrainBatches, steps_of, train_batches
from specforge.data.prepare import Prepared
from specforge.graph import StagePlan
from specforge.recipe import Train
from specforge.spec import Spec
from specforge.training.checkpoint import name_of
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.evaluation import Sums
from specforge.training.faults import MOST_ROLLBACKS, NotFinite, error_of, skips_told
from specforge.training.interrupts import InterruptGuard
from specforge.training.learner import Elapsed, Learner
from specforge.training.listener import Listener
from specforge.training.measuring import Measures
from specforge.training.optimizer import optimizer_state
from specforge.training.processes import ALONE, Processes
from specforge.training.progress import Best, Line, Progress
from specforge.training.run_directory import RunDirectory
from specforge.training.stopping import is_due

# checkpoints between the ones that are needed may take this share of the time
SAVING_SHARE = 0.05
# seconds between two looks at the running loss
_LOSS_INTERVAL = 0.5

# finds a learning rate for a learner at the start of a stage, with batches to try it on, what was found before by the
# number of the stage, and what is called between steps and may raise
Finder = Callable[[Learner, StagePlan, TrainBatches, Mapping[str, float], Callable[[], None]], float]


class Epochs:
    """A run in progress: `_done` holds the complete epochs, `_step` and `_sums` are those of the one that goes on."""

    _done: Progress
    _steps: int

    def __init__(
        self,
        module: nn.Module,
        spec: Spec,
        prepared: Prepared,
        *,
        plans: Sequence[StagePlan],
        find: Finder,
        run: RunDirectory,
        device: torch.device,
        listener: Listener,
        guard: InterruptGuard,
        processes: Processes = ALONE,
    ):
        assert spec.train is not None
        assert spec.data is not None
        self._data, self._train, self._prepared, self._run = spec.data, spec.train, prepared, run
        self._plans, self._find = plans, find
        self._device, self._listener, self._guard, self._processes = device, listener, guard, processes
        self._learner = Learner(
            module, spec.train, device=device, class_counts=prepared.class_counts,
            steps=_steps(spec.train, len(prepared.train)), tell=listener.on_message, processes=processes,
        )  # fmt: skip
        with_test = spec.train.evaluate.every_epoch == "test"
        self._measures = Measures(self._learner, prepared, with_test=with_test, check=guard.check)
        self._saved: tuple[int, int] | None = None
        self._save_again = self._next_look = 0.0
        self._take_up()

    def run(self) -> Progress:
        """Train all epochs that are left; after a signal save the position and raise Interrupted."""
        self._listener.on_start(self._train.total_epochs, self._steps, self._done.epoch, self._step)
        try:
            if self._train.on_nan == "rollback" and self._saved is None:
                self._save()  # something to go back to
            while self._has_epochs():
                self._began = perf_counter()
                try:
                    self._train_steps()
                except NotFinite as fault:
                    self._go_back(fault.step)
                else:
                    self._close(self._measure())
        except Interrupted:
            if self._is_sound():
                self._save()
            else:
                self._listener.on_message("training has diverged, so this position is not saved")
            raise
        self._save()
        return self._done

    @property
    def _plan(self) -> StagePlan:
        return self._plans[self._done.stage]

    def _is_sound(self) -> bool:
        held = self._train.on_nan != "skip" and self._learner.gate.closed()
        return not held and isfinite(self._sums.loss.item()) and self._learner.is_finite()

    def _go_back(self, step: int) -> None:
        """To the newest checkpoint, never to try this step again; the error, unless the recipe asks for it."""
        left_out = self._done.left_out
        error = self._fault(step)
        if self._train.on_nan != "rollback" or len(left_out) >= MOST_ROLLBACKS:
            raise error
        last = self._run.checkpoints.names()[-1]
        self._listener.on_message(f"{error.message}: going back to {last}, to go on without this batch")
        left_out = (*left_out, (self._done.epoch, step))
        self._learner.optimizers = []
        self._take_up()
        self._done = replace(self._done, left_out=left_out)

    def _fault(self, step: int) -> TrainingError:
        names = self._run.checkpoints.names()
        return error_of(
            self._learner, self._batches, epoch=self._done.epoch, step=step,
            checkpoint=names[-1] if names else None, left_out=len(self._done.left_out),
        )  # fmt: skip

    def _take_up(self) -> None:
        """From the newest checkpoint, or from the start."""
        checkpoint = self._run.checkpoints.newest(tell=self._listener.on_message)
        progress = Progress() if checkpoint is None else checkpoint.progress.judged_by(self._train.checkpoint)
        self._run.rewrite_metrics(progress.history)
        self._done = replace(progress, step=0, loss_sum=0.0, correct=0, images=0, seconds=0.0, skipped=0)
        self._begin_stage(restart=False)
        self._learner.micro_batches.limit = progress.images_at_once
        if checkpoint is not None:
            self._learner.restore(checkpoint)
            self._saved = (progress.epoch, progress.step)
        self._open(progress)

    def _has_epochs(self) -> bool:
        """Whether an epoch is left, in this stage or in one that is begun now."""
        while self._stage_is_over():
            if self._done.stage + 1 == len(self._plans):
                return False
            self._save()  # what was learned is kept, whatever becomes of the next stage
            self._done = replace(self._done, stage=self._done.stage + 1, stage_epochs=0)
            self._begin_stage(restart=not self._plan.stage.continues)
        return True

    def _stage_is_over(self) -> bool:
        stage, done = self._plan.stage, self._done
        if done.stage_epochs >= stage.epochs:
            return True
        lines = done.history[len(done.history) - done.stage_epochs :]
        if stage.early_stopping is None or not is_due(stage.early_stopping, lines):
            return False
        metric, patience = stage.early_stopping.metric, stage.early_stopping.patience
        self._listener.on_message(f"stopped early: `{metric}` has not improved for {patience} epochs")
        return True

    def _begin_stage(self, *, restart: bool) -> None:
        """Batches and optimizers of the stage that `_done` names; they go on unless there is a `restart`."""
        plan = self._plan
        carried = None if restart else optimizer_state(self._learner.optimizers, self._learner.module)
        if restart:
            self._done = replace(self._done, clock_epochs=0, clock_steps=0)
        size, seed, shard = plan.stage.batch_size, self._train.seed, self._processes.shard
        self._batches = train_batches(self._data, self._prepared, batch_size=size, seed=seed, shard=shard)
        self._steps = self._batches.steps_per_epoch
        self._learner.begin_stage(plan, found=self._found_rate(plan), carried=carried)
        if self._train.stages:
            self._listener.on_message(_told(plan))

    def _found_rate(self, plan: StagePlan) -> float | None:
        """What the learning-rate finder says for a stage; it is asked once."""
        key = str(plan.chain)
        if plan.stage.optimizer.lr != "find":
            return None
        if key not in self._done.rates:
            rate = self._find(self._learner, plan, self._batches, self._done.rates, self._guard.check)
            self._done = replace(self._done, rates={**self._done.rates, key: rate})
        return self._done.rates[key]

    def _open(self, progress: Progress) -> None:
        """Begin an epoch, or go on with one."""
        self._step, self._seconds_before, self._skipped_before = progress.step, progress.seconds, progress.skipped
        self._sums = Sums(self._device)
        if self._processes.is_first:  # what all have added up so far is counted once
            self._sums = Sums(self._device, loss=progress.loss_sum, correct=progress.correct, images=progress.images)
        self._began = perf_counter()

    def _train_steps(self) -> None:
        """The epoch's steps that are left."""
        epoch, done, gate, skips = self._done.epoch, self._done, self._learner.gate, self._train.on_nan == "skip"
        total = sum(plan.stage.epochs for plan in self._plans if plan.chain == self._plan.chain)
        self._learner.begin_epoch(Elapsed(done.clock_epochs, done.clock_steps, total, done.steps), steps=self._steps)
        for batch in self._batches.epoch(epoch, start_step=self._step):
            self._guard.check()
            if (epoch, self._step) not in done.left_out:
                loss, logits = self._learner.learn(batch, epoch=epoch, step=self._step)
                self._sums.add_batch(loss, logits.argmax(1), batch, passed=gate.passed)
                closed = None if skips else gate.first_closed(self._step)
                if closed is not None:
                    raise NotFinite(closed)
            self._step += 1
            self._listener.on_step(epoch + 1, self._step, self._steps, self._running_loss())
        if not skips and (steps := gate.closed()):
            raise NotFinite(steps[0])

    def _running_loss(self) -> float | None:
        """The mean so far. Not on a GPU: reading it would make the queue of work run dry."""
        now = perf_counter()
        if self._device.type != "cpu" or now < self._next_look or not self._sums.images:
            return None
        self._next_look = now + _LOSS_INTERVAL
        return self._sums.loss.item() / self._sums.images

    def _measure(self) -> Line:
        """The epoch's line of metrics. The device is waited for here, once."""
        sums = self._sums.over(self._processes)
        images = sums.count()
        if not images:
            raise self._fault(self._steps - 1)
        loss, accuracy = sums.loss.item() / images, sums.correct.item() / images
        trained = self._seconds()
        at = {"epoch": self._done.epoch, "step": self._step}
        self._measures.demand_finite(loss, "training loss", **at)
        stage = {"stage": self._done.stage + 1} if self._train.stages else {}
        line: Line = {"epoch": self._done.epoch + 1, **stage, "train_loss": loss, "train_accuracy": accuracy}
        line |= self._measures.of_parts(self._plan, **at)
        line["lr"] = self._measures.rates(self._plan)
        line["images_per_second"] = images / trained
        line["seconds"] = self._seconds()
        skipped = self._skipped() + sum(epoch == self._done.epoch for epoch, _ in self._done.left_out)
        return {**line, "skipped": skipped} if skipped else line

    def _skipped(self) -> int:
        """The steps of the epoch so far that the recipe had skipped."""
        closed = self._learner.gate.closed()
        return self._skipped_before + len(closed)

    def _close(self, line: Line) -> None:
        """Record a complete epoch. The ones that are needed are saved in any case, others when it is their turn."""
        done = self._done
        best = Best.of(self._train.checkpoint, (*done.history, line))
        improved = best != done.best
        self._done = replace(
            done,
            epoch=done.epoch + 1,
            history=(*done.history, line),
            best=best,
            stage_epochs=done.stage_epochs + 1,
            clock_epochs=done.clock_epochs + 1,
            clock_steps=done.clock_steps + self._steps,
            steps=done.steps + self._steps,
        )
        if closed := self._learner.gate.closed():
            self._listener.on_message(skips_told(done.epoch, closed, self._steps))
        self._open(self._done)
        self._run.append_metrics(line)
        self._listener.on_epoch(line)
        if improved or self._is_kept(self._done.epoch) or perf_counter() >= self._save_again:
            self._save()

    def _is_kept(self, epoch: int) -> bool:
        """Whether the weights after so many epochs are kept for good: a member's of an ensemble, or on request."""
        every = self._train.keep_every
        return epoch in members(self._train, epoch) or (every is not None and epoch % every == 0)

    def _save(self) -> None:
        """Write a checkpoint of this position, if there is none yet."""
        position = (self._done.epoch, self._step)
        if position == self._saved:
            return
        progress, store, began = self._position(), self._run.checkpoints, perf_counter()
        store.save(self._learner.checkpoint(progress))
        kept = [epoch for epoch in range(1, progress.epoch + 1) if self._is_kept(epoch)]
        store.keep([name_of(epoch) for epoch in [*kept, *([progress.best.epoch] if progress.best else [])]])
        self._saved, now = position, perf_counter()
        self._save_again = now + (now - began) * (1 / SAVING_SHARE - 1)

    def _position(self) -> Progress:
        position = replace(self._done, images_at_once=self._learner.micro_batches.limit)
        if self._step == 0:
            return position
        sums = self._sums.over(self._processes)
        return replace(
            position,
            step=self._step,
            loss_sum=sums.loss.item(),
            correct=sums.correct.item(),
            images=sums.count(),
            seconds=self._seconds(),
            skipped=self._skipped(),
        )

    def _seconds(self) -> float:
        """What the epoch has taken so far, in this process and in those before it."""
        return self._seconds_before + perf_counter() - self._began


def members(train: Train, epochs: int) -> tuple[int, ...]:
    """After which of so many epochs, from 1, the weights belong to the snapshot ensemble."""
    if train.snapshots is None or train.epochs is None:
        return ()
    length = train.epochs // train.snapshots.cycles
    return tuple(range(length, epochs + 1, length))


def _steps(train: Train, images: int) -> int:
    """How many optimizer steps a run takes."""
    return sum(stage.epochs * steps_of(images, stage.batch_size) for stage in train.all_stages)


def _told(plan: StagePlan) -> str:
    """`stage 2, fine_tuning: 9 epochs, 60 of 62 tensors train`."""
    name = f", {plan.stage.name}" if plan.stage.name else ""
    moved = sum(len(settings.names) for settings in plan.groups)
    trained = f"{moved} of {moved + len(plan.frozen)} tensors train"
    return f"stage {plan.number + 1}{name}: {plan.stage.epochs} epochs, {trained}"
