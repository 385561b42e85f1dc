"""Rates that rise and fall, once or again and again."""

from math import cos, floor, pi
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from specforge.catalog.definition import Clock, Probability, Schedule, Unit
from specforge.catalog.schedules.definition import Per, done


class OneCycle(Schedule):
    """Raises the learning rate to the optimizer's rate and then lowers it to almost nothing, in one cycle.

        train:
          optimizer: {sgd: {lr: 0.4, momentum: 0.9}}
          schedule: {one_cycle: {pct_start: 0.3, div_factor: 25}}

    The optimizer's `lr` is the highest rate (torch's max_lr). `pct_start` is the share of the run that it rises for.
    `div_factor` is the highest rate over the first one, `final_div_factor` the first rate over the last one.
    `anneal_strategy` is the form of rise and fall: `cos` for half a wave, `linear` for a line. `three_phase` falls as
    long as it rose, back to the first rate, and to the last one from there.

    Momentum moves the other way: it falls from `max_momentum` to `base_momentum` while the rate rises, and rises again.
    It replaces the optimizer's momentum, for Adam and its like the first of `betas`. `cycle_momentum: false` leaves
    that alone. Rate and momentum move after every step, or with `per: epoch` after every epoch.

    Source: https://arxiv.org/abs/1708.07120,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("one_cycle_lr", "1cycle")

    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.3
    anneal_strategy: Literal["cos", "linear"] = "cos"
    div_factor: Annotated[float, Field(gt=0)] = 25.0
    final_div_factor: Annotated[float, Field(gt=0)] = 1e4
    three_phase: bool = False
    cycle_momentum: bool = True
    base_momentum: Probability = 0.85
    max_momentum: Probability = 0.95
    per: Per = "step"

    @model_validator(mode="after")
    def _phases_fit(self) -> Self:
        if self.three_phase and self.pct_start > 0.5:
            raise ValueError("`pct_start` is at most 0.5 with `three_phase`, which falls as long as it rises")
        _check_momenta(self.base_momentum, self.max_momentum)
        return self

    def rate(self, base: float, clock: Clock) -> float:
        first = base / self.div_factor
        turns = (first, base, first) if self.three_phase else (first, base)
        return self._between((*turns, first / self.final_div_factor), clock)

    def momentum(self, clock: Clock) -> float | None:
        low, high = self.base_momentum, self.max_momentum
        return self._between((high, low, high, high)[: 3 + self.three_phase], clock) if self.cycle_momentum else None

    def _between(self, turns: tuple[float, ...], clock: Clock) -> float:
        """The value at this moment of what goes from one turn to the next."""
        number, total = _moves(clock, self.per)
        if not number:
            return turns[0]
        # as in torch, the peak is the step before that share of the run, and the last step is the end
        ends = [self.pct_start * total - 1, total - 1]
        if self.three_phase:
            ends.insert(1, 2 * self.pct_start * total - 2)
        phase = next((phase for phase, end in enumerate(ends) if number <= end), len(ends) - 1)
        begin, end = (0.0, *ends)[phase], ends[phase]
        return self._annealed(turns[phase], turns[phase + 1], (number - begin) / (end - begin))

    def _annealed(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + cos(pi * share))


class Cyclic(Schedule):
    """Moves the learning rate up and down between a low rate and the optimizer's rate, again and again.

        train:
          optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
          schedule: {cyclic: {base_lr: 1e-3, step_size_up: 4, mode: triangular2}}

    The optimizer's `lr` is the highest rate (torch's max_lr), `base_lr` the lowest, where every cycle begins.
    `step_size_up` is how long it rises, in epochs; `step_size_down` how long it falls, by default as long. `mode` says
    how high the peaks are: `triangular` all the same, `triangular2` each half as high above `base_lr` as the one
    before, `exp_range` lower by the factor `gamma` with every move of the rate.

    Momentum moves the other way, between `max_momentum` and `base_momentum`. It replaces the optimizer's momentum, for
    Adam and its like the first of `betas`. `cycle_momentum: false` leaves that alone. Rate and momentum move after
    every step, or with `per: epoch` after every epoch.

    Errors: `gamma` acts in the mode `exp_range` only.

    Source: https://arxiv.org/abs/1506.01186,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("cyclic_lr", "cyclical_learning_rate", "triangular")

    base_lr: Annotated[float, Field(gt=0)]
    step_size_up: Annotated[float, Field(gt=0, description="epochs"), Unit("epochs")]
    step_size_down: (
        Annotated[float, Field(gt=0, description="epochs; by default `step_size_up`"), Unit("epochs")] | None
    ) = None
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: Annotated[float, Field(gt=0, le=1)] = 1.0
    cycle_momentum: bool = True
    base_momentum: Probability = 0.8
    max_momentum: Probability = 0.9
    per: Per = "step"

    @model_validator(mode="after")
    def _settings_act(self) -> Self:
        if self.gamma != 1 and self.mode != "exp_range":
            raise ValueError("`gamma` acts in one mode only; add `mode: exp_range`, or remove it")
        _check_momenta(self.base_momentum, self.max_momentum)
        return self

    def rate(self, base: float, clock: Clock) -> float:
        return self.base_lr + (base - self.base_lr) * self._height(clock)

    def momentum(self, clock: Clock) -> float | None:
        if not self.cycle_momentum:
            return None
        return self.max_momentum - (self.max_momentum - self.base_momentum) * self._height(clock)

    def _height(self, clock: Clock) -> float:
        """How far up between its ends the rate is, from 0 to 1."""
        up, down = self.step_size_up, self.step_size_down or self.step_size_up
        cycle = floor(done(clock, self.per) / (up + down))
        within = done(clock, self.per) - cycle * (up + down)
        height = within / up if within <= up else (up + down - within) / down
        if self.mode == "exp_range":
            return float(height * self.gamma ** (clock.step if self.per == "step" else clock.epoch))
        return height * 0.5**cycle if self.mode == "triangular2" else height


class CosineWarmRestarts(Schedule):
    """Lowers the learning rate along half a cosine wave and starts again at the top, again and again.

        train:
          epochs: 70
          schedule: {cosine_warm_restarts: {t_0: 10, t_mult: 2}}

    `t_0` is the length of the first half wave in epochs, `t_mult` by how much each is longer than the one before: with
    10 and 2 the rate is back at the top in epochs 11, 31 and 71. `eta_min` is the rate at the bottom. The rate moves
    after every step, or with `per: epoch` after every epoch.

    Source: https://arxiv.org/abs/1608.03983,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
    """

    main: ClassVar[str | None] = "t_0"
    also_known_as: ClassVar[tuple[str, ...]] = (
        "sgdr", "warm_restarts", "cosine_annealing_warm_restarts", "cosine_restarts", "cosine_decay_restarts",
    )  # fmt: skip

    t_0: Annotated[float, Field(gt=0, description="epochs"), Unit("epochs")]
    t_mult: Annotated[int, Field(ge=1)] = 1
    eta_min: Annotated[float, Field(ge=0)] = 0.0
    per: Per = "step"

    def rate(self, base: float, clock: Clock) -> float:
        length, since = self.t_0, done(clock, self.per)
        if self.t_mult == 1:
            since %= length
        while since >= length:
            since, length = since - length, length * self.t_mult
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * since / length)) / 2


def _moves(clock: Clock, per: Per) -> tuple[int, int]:
    """How often the rate has moved, and how often it would by the end of the run; alike before the first step."""
    if per == "epoch" or not clock.step:
        return clock.epoch, clock.epochs
    return clock.step, round(clock.step * clock.epochs / clock.time)


def _check_momenta(low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"`base_momentum` is the lower of the two, found {low:g}; `max_momentum` is {high:g}")
