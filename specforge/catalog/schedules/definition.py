"""What schedules share: how often they move, and what they say about a run that is too short for them."""

from math import inf
from typing import Literal, NamedTuple

from specforge.catalog.definition import Clock, Schedule

Per = Literal["step", "epoch"]


def done(clock: Clock, per: Per) -> float:
    """The epochs that have passed: whole ones only for a schedule that moves after each."""
    return clock.time if per == "step" else clock.epoch


def power(factor: float, times: int) -> float:
    """The factor of so many drops, or rises: what is beyond all numbers is infinite."""
    try:
        return float(factor**times)
    except OverflowError:
        return inf


class TooLate(NamedTuple):
    """What a run never comes to: the keys that lead to the argument, what is wrong, and what to do."""

    path: tuple[str, ...]
    message: str
    hint: str


class Timed(Schedule):
    """A schedule with moments that a run may be too short for."""

    def too_late(self, epochs: int) -> TooLate | None:
        """What a run of so many epochs never comes to."""
        raise NotImplementedError
