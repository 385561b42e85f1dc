"""Whether the learning rate moves as its schedule was chosen for, over the epochs that the run has.

In: a schedule that is meant to fall, its optimizer's rate and the epochs. Out: the rate at the start of every epoch,
and a finding where it comes back up: `cosine: {t_max: 10}` in 30 epochs is lowest in epoch 11 and back in epoch 21.
Another finding is a schedule whose turns a run never comes to: `multi_step: [30, 60]` in 40 epochs.
"""

from collections.abc import Iterator, Sequence
from math import isclose
from typing import NamedTuple

from specforge.catalog.definition import Clock, Schedule
from specforge.catalog.discovery import word_for
from specforge.catalog.schedules.definition import Timed
from specforge.checks.recipe import stage_span
from specforge.checks.subject import Subject
from specforge.diagnostics import define
from specforge.recipe import Stage, Train

RISES_AGAIN = define(
    "SF511",
    "rate-rises-again",
    """
The schedule's half wave is shorter than the run, and torch's cosine does not stop at its end: the rate rises as it
fell. With `t_max: 10`, which moves after every epoch, it is at its lowest in epoch 11, at 0.976 of its peak in epoch
20, back at the peak in epoch 21 and at its lowest again in epoch 31. What was learned at the small rates is undone:
accuracy drops until the rate falls again. Leave `t_max` out, so that the half wave spans the run, or give it the number
of epochs. Where the rise is meant, or was run that way, accept it with the reason.""",
    severity="warning",
)

TOO_LATE = define(
    "SF523",
    "schedule-longer-than-run",
    """
The run ends before the schedule comes to what it is told to do: a warmup takes all of the epochs, so that nothing is
trained at the optimizer's rate; a milestone or the first step lies at or behind the last epoch, so that the rate never
drops there; or a cosine is longer than what it has, often because its `t_max` counts steps.
Durations are in epochs and count from the start of the run; those of a schedule inside `warmup` count from its end.""",
    severity="warning",
)

MOST_EPOCHS = 10_000  # a longer run is not looked at: every epoch's rate is worked out


class Turn(NamedTuple):
    """A rate that falls and rises again: the epochs, from 1, where it is lowest and where it is highest after that.

    `peak` is the highest rate of the run, `top` the rate that it comes back to, `last` that of the last epoch.
    """

    lowest: int
    highest: int
    peak: float
    bottom: float
    top: float
    last: float


def rates_by_epoch(schedule: Schedule, base: float, epochs: int) -> list[float]:
    """The rate of the first step of every epoch. Durations are in epochs, so one step stands for all of an epoch."""
    return [schedule.rate(base, Clock.at(step, steps_per_epoch=1, epochs=epochs)) for step in range(epochs)]


def turn(rates: Sequence[float]) -> Turn | None:
    """Where rates come back up after their peak; None where they only fall."""
    peak, last = max(rates), len(rates) - 1
    top = _first(rates, peak, 0)
    lowest = _first(rates, min(rates[top:]), top)
    highest = _first(rates, max(rates[lowest:]), lowest)
    if isclose(rates[highest], rates[lowest], rel_tol=0, abs_tol=_slack(rates)):
        return None
    return Turn(lowest + 1, highest + 1, peak, rates[lowest], rates[highest], rates[last])


def _first(rates: Sequence[float], rate: float, start: int) -> int:
    """The first epoch that has this rate, up to rounding."""
    return next(i for i in range(start, len(rates)) if isclose(rates[i], rate, rel_tol=0, abs_tol=_slack(rates)))


def _slack(rates: Sequence[float]) -> float:
    return 1e-9 * max(rates)


def check_rates(subject: Subject) -> None:
    """A rate that was chosen to fall does not rise again, and comes to all its turns, in any stage or group."""
    train = subject.spec.train
    if train is None or train.total_epochs > MOST_EPOCHS:
        return
    for number, epochs, recipe in chains(train):
        base = 1.0 if recipe.optimizer.lr == "find" else recipe.optimizer.lr
        for schedule, path in _schedules(recipe):
            found = turn(rates_by_epoch(schedule, base, epochs)) if schedule.meant_to_fall else None
            if found is not None:
                place = _place(schedule, path)
                span = stage_span(subject, number, *place, "t_max")
                rest = "the whole run" if len(place) == len(path) + 1 else "all that the warmup leaves of the run"
                hint = f"leave `t_max` out: the fall then takes {rest}"
                subject.findings.add(RISES_AGAIN, span, _told(found, epochs), hint)
            late = schedule.too_late(epochs) if isinstance(schedule, Timed) else None
            if late is not None:
                span = stage_span(subject, number, *path, word_for(schedule), *late.path)
                subject.findings.add(TOO_LATE, span, late.message, late.hint)


def _place(schedule: Schedule, path: tuple[str, ...]) -> tuple[str, ...]:
    """Where the word stands whose rate it is in the end: behind a warmup, what it hands over to."""
    here = (*path, word_for(schedule))
    held = ((name, getattr(schedule, name)) for name in type(schedule).model_fields)
    return next((_place(value, (*here, name)) for name, value in held if isinstance(value, Schedule)), here)


def chains(train: Train) -> Iterator[tuple[int, int, Stage]]:
    """Every stage that starts a clock: its number, the epochs that the clock runs for, the stage."""
    started: tuple[int, int, Stage] | None = None
    for number, stage in enumerate(train.all_stages):
        if started is not None and stage.continues:
            started = (started[0], started[1] + stage.epochs, started[2])
            continue
        if started is not None:
            yield started
        started = None if stage.continues else (number, stage.epochs, stage)
    if started is not None:
        yield started


def _schedules(recipe: Stage) -> Iterator[tuple[Schedule, tuple[str, ...]]]:
    if recipe.schedule is not None:
        yield recipe.schedule, ("schedule",)
    for group in recipe.groups:
        if group.schedule is not None:
            yield group.schedule, ("groups",)


def _told(found: Turn, epochs: int) -> str:
    low = _share(found.bottom, found) if found.bottom else "0"
    back = "back at its peak" if isclose(found.top, found.peak) else _share(found.top, found)
    last = f", {_share(found.last, found)} in epoch {epochs}, the last" if found.highest < epochs else ""
    return (
        f"the rate is at its lowest, {low}, in epoch {found.lowest} of {epochs} and rises again: "
        f"{back} in epoch {found.highest}{last}"
    )


def _share(rate: float, found: Turn) -> str:
    return f"{rate / found.peak:.3g} of its peak"
