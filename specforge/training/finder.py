"""Finds a learning rate: a sweep of rising rates over a stage's first batches, after which nothing has changed.

In: a learner at the start of a stage whose optimizer says `lr: find`. Out: the sweep, with the rate at which the loss
falls fastest. Weights, running statistics and torch's random state are as before; the optimizers were others.

Batches differ more than weights do at small rates, so each loss is held against what the untouched network makes of the
same batch, with the same dropout: what is left is what the steps have done.

Source: https://arxiv.org/abs/1506.01186, https://sgugger.github.io/how-do-you-find-a-good-learning-rate.html
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count, islice
from math import isfinite, log
from typing import TypeVar

import torch

from specforge.catalog.definition import Clock, Schedule
from specforge.data.batches import Batch, TrainBatches
from specforge.graph import StagePlan
from specforge.recipe import Recipe, Train
from specforge.spec import Spec
from specforge.training.errors import TrainingError
from specforge.training.learner import Elapsed, Learner

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 100
# the share of the loss so far that a step keeps when it is smoothed
_SMOOTHING = 0.8
# the sweep ends when the loss is so many times that of the untouched network
_DIVERGED = 3.0
# by which share the loss must fall for its steepest fall to mean something
_LEAST_FALL = 0.02
# the descent is over when so much of the fall is lost again
_COME_BACK = 0.25
# where it hardly falls, the rate is so many times smaller than the one at which it has risen by that share
_BELOW_RISE = 10.0

FALLS, BELOW = "steepest fall", "below the rise"

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Curve:
    """One try of a stage, from 0: the rates that were taken, the loss before each step, and the same smoothed.

    `start` is the loss of the untouched network, the mean over all batches. The losses are those of one network on the
    mean batch: what a batch's own difficulty adds is taken off.
    """

    stage: int
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    start: float


@dataclass(frozen=True, slots=True)
class Sweep(Curve):
    """A try, and what was chosen.

    `how` says why: it is the rate of the `steepest fall`, or, where the loss hardly falls, well `below the rise`.
    """

    chosen: float
    how: str


class Rising(Schedule):
    """Every step's rate is the same multiple of the one before, whatever the optimizer's own."""

    low: float
    high: float
    steps: int

    def rate(self, base: float, clock: Clock) -> float:
        return float(self.low * (self.high / self.low) ** (clock.step / (self.steps - 1)))


def sweep(
    learner: Learner, train: Train, plan: StagePlan, batches: TrainBatches, *, check: Check = lambda: None
) -> Sweep:
    """The curve with its best rate; a TrainingError if none helps."""
    found = curve(learner, train, plan, batches, check=check)
    rate, how = chosen(found)
    return Sweep(**asdict(found), chosen=rate, how=how)


def curve(
    learner: Learner,
    train: Train,
    plan: StagePlan,
    batches: TrainBatches,
    *,
    low: float = LOWEST,
    high: float = HIGHEST,
    steps: int = STEPS,
    check: Check = lambda: None,
) -> Curve:
    """Raise the rate from `low` to `high`, until the loss diverges at the latest.

    `check` is called between steps and may raise.
    """
    state = {name: tensor.clone() for name, tensor in learner.module.state_dict().items()}
    random = torch.get_rng_state()
    trial = _Trial(learner, train, plan, Rising(low=low, high=high, steps=steps), check)
    try:
        untouched = trial.untouched(batches)
        learner.module.load_state_dict(state)
        rates, losses = trial.tried(batches, untouched)
    finally:
        learner.module.load_state_dict(state)
        learner.module.zero_grad(set_to_none=True)
        torch.set_rng_state(random)
    return Curve(plan.number, rates, losses, _smoothed(losses), sum(untouched) / len(untouched))


class _Trial:
    """A learner of its own on the same module, whose rates rise."""

    def __init__(self, learner: Learner, train: Train, plan: StagePlan, rising: Rising, check: Check):
        swept = [g._replace(schedule=rising) if g.optimizer.lr == "find" else g for g in plan.groups]
        self._rising, self._check = rising, check
        self._learner = Learner(
            learner.module,
            train.model_copy(update={"ema": None, "on_nan": "skip"}),
            device=learner.device,
            class_counts=learner.class_counts,
            processes=learner.processes,
        )
        self._learner.begin_stage(plan._replace(groups=tuple(swept)), found=rising.low)
        self._learner.begin_epoch(Elapsed(0, 0, 1), steps=rising.steps)

    def untouched(self, batches: TrainBatches) -> list[float]:
        """The losses of the network as it is."""
        losses = []
        with torch.no_grad(), self._learner.precision.context():
            for step, batch in self._steps(batches):
                self._learner.seed_draws(-1, step)
                losses.append(self._learner.processes.add(self._learner.loss_of(batch)[1]).item())
        if not all(isfinite(loss) for loss in losses):
            raise TrainingError("the learning-rate finder can't start: the loss of the untouched network is not finite")
        return losses

    def tried(self, batches: TrainBatches, untouched: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The rates up to where the loss diverges, and the losses, each without its batch's own share."""
        rates: list[float] = []
        losses: list[float] = []
        mean = sum(untouched) / len(untouched)
        for step, batch in self._steps(batches):
            loss = self._learner.learn(batch, epoch=-1, step=step)[0].item() - untouched[step] + mean
            if not isfinite(loss) or loss > _DIVERGED * mean:
                break
            rates.append(self._rising.rate(0.0, Clock(step, 0, 0.0, 1)))
            losses.append(loss)
        return tuple(rates), tuple(losses)

    def _steps(self, batches: TrainBatches) -> Iterator[tuple[int, Batch]]:
        for step, batch in enumerate(islice(_endless(batches), self._rising.steps)):
            self._check()
            yield step, batch


def _endless(batches: TrainBatches) -> Iterator[Batch]:
    """Epochs that are not the run's own: their numbers are negative."""
    for number in count(1):
        yield from batches.epoch(-number)


def _smoothed(losses: Sequence[float]) -> tuple[float, ...]:
    """Moving averages that forget, without the pull to zero of the first."""
    average, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
        found.append(average / (1 - _SMOOTHING**number))
    return tuple(found)


def chosen(tried: Curve) -> tuple[float, str]:
    """The rate where the loss falls fastest against the logarithm of the rate, before it is lowest; and why that one.

    Where the loss hardly falls, as it does for a network that has learned, a rate well below the one at which it rises.
    """
    smoothed = tried.smoothed[: _first_descent(tried)]
    rates = tried.rates
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__, default=0)
    slopes = {
        place: (smoothed[place + 1] - smoothed[place - 1]) / log(rates[place + 1] / rates[place - 1])
        for place in range(1, min(lowest, len(smoothed) - 2) + 1)
    }
    if slopes and smoothed[lowest] <= tried.start * (1 - _LEAST_FALL):
        return rates[min(slopes, key=slopes.__getitem__)], FALLS
    rise = tried.start * (1 + _LEAST_FALL)
    risen = next((rate for rate, loss in zip(rates, tried.losses, strict=True) if loss > rise), None)
    if risen is None:
        raise TrainingError(
            "the learning-rate finder saw no rate that changes the loss",
            hint="write a number for `lr`; `specforge lr-find` draws the curve for a range of your own",
        )
    return max(risen / _BELOW_RISE, rates[0]), BELOW


def _first_descent(tried: Curve) -> int:
    """How many places there are before the loss has clearly come back up: what falls after that is another story.

    Such as images that are met again, where the steps are more than the batches of an epoch.
    """
    best = tried.start
    for place, loss in enumerate(tried.smoothed):
        best = min(best, loss)
        fall = tried.start - best
        if fall >= _LEAST_FALL * tried.start and loss > best + _COME_BACK * fall:
            return place
    return len(tried.smoothed)


def as_written(rate: float) -> float:
    """The rate as a person would write it: the curve does not know more digits."""
    return float(f"{rate:.2g}")


def with_rate_to_find(plan: StagePlan) -> StagePlan:
    """The stage with its optimizer's rate to be found, and that of the groups that have the same one."""
    rate = plan.stage.optimizer.lr
    groups = tuple(
        group._replace(optimizer=group.optimizer.model_copy(update={"lr": "find"}))
        if group.optimizer.lr == rate
        else group
        for group in plan.groups
    )
    return plan._replace(groups=groups)


def with_rate(spec: Spec, stages: Collection[int], rate: float) -> Spec:
    """The spec with what was found for stages that share a clock, from 0, in place of `find`."""
    assert spec.train is not None
    train = spec.train
    if not train.stages:
        return spec.model_copy(update={"train": _found(train, rate)})
    parts = tuple(_found(part, rate) if number in stages else part for number, part in enumerate(train.stages))
    return spec.model_copy(update={"train": train.model_copy(update={"stages": parts})})


_RecipeT = TypeVar("_RecipeT", bound=Recipe)


def _found(recipe: _RecipeT, rate: float) -> _RecipeT:
    groups = tuple(
        group
        if group.optimizer is None or group.optimizer.lr != "find"
        else group.model_copy(update={"optimizer": group.optimizer.model_copy(update={"lr": rate})})
        for group in recipe.groups
    )
    return recipe.model_copy(update={"optimizer": recipe.optimizer.model_copy(update={"lr": rate}), "groups": groups})
