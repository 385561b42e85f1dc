"""Finds a learning rate: a sweep of rising rates over a stage's first batches, after which nothing has changed.

In: a learner at the start of a stage whose optimizer says `lr: find`. Out: the sweep, with the rate at which the loss
falls fastest. Weights, running statistics and torch's random state are as before; the optimizers were others.

Source: https://arxiv.org/abs/1506.01186, https://sgugger.github.io/how-do-you-find-a-good-learning-rate.html
"""

from collections.abc import Iterator, Sequence
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
from specforge.training import durable
from specforge.training.errors import TrainingError
from specforge.training.learner import Elapsed, Learner

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 100
# the share of the loss so far that a step keeps when it is smoothed
_SMOOTHING = 0.9
# the sweep ends when the loss is so many times its lowest
_DIVERGED = 4.0
# the first steps, which the mean of a few losses blurs, are not looked at
_UNSETTLED = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """One try of a stage, from 0: the rates that were taken, the loss before each step, and the same smoothed."""

    stage: int
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Sweep(Curve):
    """A try, and what was chosen."""

    chosen: float


class Rising(Schedule):
    """Every step's rate is the same multiple of the one before, whatever the optimizer's own."""

    low: float
    high: float
    steps: int

    def rate(self, base: float, clock: Clock) -> float:
        return float(self.low * (self.high / self.low) ** (clock.step / (self.steps - 1)))


def sweep(
    learner: Learner,
    train: Train,
    plan: StagePlan,
    batches: TrainBatches,
    *,
    low: float = LOWEST,
    high: float = HIGHEST,
    steps: int = STEPS,
) -> Sweep:
    """The curve with its best rate; a TrainingError if none helps."""
    found = curve(learner, train, plan, batches, low=low, high=high, steps=steps)
    return Sweep(**asdict(found), chosen=chosen(found.rates, found.smoothed))


def curve(
    learner: Learner,
    train: Train,
    plan: StagePlan,
    batches: TrainBatches,
    *,
    low: float = LOWEST,
    high: float = HIGHEST,
    steps: int = STEPS,
) -> Curve:
    """Raise the rate from `low` to `high`, until the loss diverges at the latest."""
    state = {name: tensor.clone() for name, tensor in learner.module.state_dict().items()}
    random = torch.get_rng_state()
    try:
        rates, losses = _tried(learner, train, plan, batches, Rising(low=low, high=high, steps=steps))
    finally:
        learner.module.load_state_dict(state)
        learner.module.zero_grad(set_to_none=True)
        torch.set_rng_state(random)
    return Curve(plan.number, rates, losses, _smoothed(losses))


def _tried(
    learner: Learner, train: Train, plan: StagePlan, batches: TrainBatches, rising: Rising
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The rates up to where the loss diverges, and the losses."""
    swept = [g._replace(schedule=rising) if g.optimizer.lr == "find" else g for g in plan.groups]
    trial = Learner(
        learner.module,
        train.model_copy(update={"ema": None}),
        device=learner.device,
        class_counts=learner.class_counts,
    )
    trial.begin_stage(plan._replace(groups=tuple(swept)), found=rising.low)
    trial.begin_epoch(Elapsed(0, 0, 1), steps=rising.steps)
    rates: list[float] = []
    losses: list[float] = []
    for step, batch in enumerate(islice(_endless(batches), rising.steps)):
        loss = trial.learn(batch, epoch=-1, step=step)[0].item()
        smoothed = _smoothed([*losses, loss])
        if not isfinite(loss) or (step > _UNSETTLED and smoothed[-1] > _DIVERGED * min(smoothed)):
            break
        rates.append(rising.rate(0.0, Clock(step, 0, 0.0, 1)))
        losses.append(loss)
    return tuple(rates), tuple(losses)


def _endless(batches: TrainBatches) -> Iterator[Batch]:
    """Epochs that are not the run's own: their numbers are negative."""
    for number in count(1):
        yield from batches.epoch(-number)


def _smoothed(losses: list[float] | tuple[float, ...]) -> tuple[float, ...]:
    """Moving averages that forget, without the pull to zero of the first."""
    average, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
        found.append(average / (1 - _SMOOTHING**number))
    return tuple(found)


def chosen(rates: tuple[float, ...], smoothed: tuple[float, ...]) -> float:
    """The rate where the smoothed loss falls fastest against the logarithm of the rate, before it is lowest."""
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__, default=0)
    slopes = {
        place: (smoothed[place + 1] - smoothed[place - 1]) / log(rates[place + 1] / rates[place - 1])
        for place in range(_UNSETTLED, min(lowest, len(rates) - 1))
    }
    if not slopes or min(slopes.values()) >= 0:
        raise TrainingError(
            "the learning-rate finder saw no rate at which the loss falls",
            hint="write a number for `lr`; `specforge lr-find` draws the curve for a range of your own",
        )
    return rates[min(slopes, key=slopes.__getitem__)]


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


def sweeps_file(sweeps: Sequence[Sweep]) -> bytes:
    """`lr_find.json`: `[{"stage": 1, "chosen": 0.003, "rates": [...], "losses": [...], "smoothed": [...]}]`."""
    return durable.encode([{**asdict(sweep), "stage": sweep.stage + 1} for sweep in sweeps], indent=None)


def with_rate(spec: Spec, stage: int, rate: float) -> Spec:
    """The spec with what was found for a stage, from 0, in place of `find`."""
    assert spec.train is not None
    train = spec.train
    if not train.stages:
        return spec.model_copy(update={"train": _found(train, rate)})
    stages = tuple(_found(part, rate) if number == stage else part for number, part in enumerate(train.stages))
    return spec.model_copy(update={"train": train.model_copy(update={"stages": stages})})


_RecipeT = TypeVar("_RecipeT", bound=Recipe)


def _found(recipe: _RecipeT, rate: float) -> _RecipeT:
    groups = tuple(
        group
        if group.optimizer is None or group.optimizer.lr != "find"
        else group.model_copy(update={"optimizer": group.optimizer.model_copy(update={"lr": rate})})
        for group in recipe.groups
    )
    return recipe.model_copy(update={"optimizer": recipe.optimizer.model_copy(update={"lr": rate}), "groups": groups})
