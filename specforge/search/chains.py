"""Optuna's trials -> what a search has tried: chains of trials, of which exactly one counts.

A trial whose process died is followed by another one with the same values, so what a user calls a trial is a chain:

    0 complete           trial 1
    1 failed, lost       trial 2: tried first as 1,
    3 complete             then as 3, with the values of 1 and in the same folder
    2 running            trial 3
    4 void               more than was asked for: two processes had begun the last trial at once

The rules use nothing but what the storage does at once (numbering a trial, ending one that runs), so that they hold for
any number of processes on any number of machines, whenever one of them dies:

- The first of a chain that is running, waiting or settled is the one; later ones are void.
- Places are counted over first trials that are not void; a place beyond the budget is void.
- A chain without a trial that runs, waits or is settled gets one more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

# attributes of a trial: the number of the first of its chain, who runs it, how it ended, whether somebody stopped it
FIRST, OWNER, OUTCOME, STOPPED, DRAWN = "first", "owner", "outcome", "stopped", "drawn"
VOID = "void"
# so often in a row may processes die of the same values
MOST_DEATHS = 4
State = Literal["complete", "pruned", "invalid", "failed", "running", "waiting"]


@dataclass(frozen=True, slots=True)
class Chain:
    """All trials of one place, counted from 0; the first is the oldest."""

    place: int
    trials: "tuple[FrozenTrial, ...]"

    @property
    def one(self) -> "FrozenTrial":
        """The trial that counts: the settled one, else the one that goes on, else the last that was lost."""
        going = [trial for trial in self.trials if _is_settled(trial) or not _is_over(trial)]
        settled = [trial for trial in going if _is_settled(trial)]
        return (settled or going or self.trials[-1:])[0]

    @property
    def is_open(self) -> bool:
        """Whether nobody has it and nobody will, unless it is given to somebody."""
        return not any(_is_settled(trial) or not _is_over(trial) for trial in self.trials)

    @property
    def is_settled(self) -> bool:
        return any(map(_is_settled, self.trials))

    @property
    def deaths(self) -> int:
        """How many processes died of it, rather than being stopped."""
        lost = [trial for trial in self.trials if _is_over(trial) and not _is_settled(trial) and not is_void(trial)]
        return sum(not trial.user_attrs.get(STOPPED) for trial in lost)

    @property
    def state(self) -> State:
        trial = self.one
        if not _is_settled(trial):
            return "running" if trial.state.name == "RUNNING" else "waiting"
        if trial.state.name == "COMPLETE":
            return "complete"
        kind: State = outcome_of(trial).get("kind", "failed")
        return "pruned" if trial.state.name == "PRUNED" else kind


def chains(trials: "Iterable[FrozenTrial]") -> list[Chain]:
    """In the order of their places."""
    found: dict[int, list[FrozenTrial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        found.setdefault(first_of(trial), []).append(trial)
    kept = [tuple(chain) for _, chain in sorted(found.items()) if not is_void(chain[0])]
    return [Chain(place, chain) for place, chain in enumerate(kept)]


def place_of(trial: "FrozenTrial", trials: "Sequence[FrozenTrial]") -> int:
    """The place of a trial's chain, counted from 0."""
    first = first_of(trial)
    return sum(1 for other in trials if other.number < first and first_of(other) == other.number and not is_void(other))


def first_of(trial: "FrozenTrial") -> int:
    return int(trial.user_attrs.get(FIRST, trial.number))


def is_void(trial: "FrozenTrial") -> bool:
    return outcome_of(trial).get("kind") == VOID


def is_late(trial: "FrozenTrial", trials: "Iterable[FrozenTrial]") -> bool:
    """Whether an older one of its chain is the one."""
    first = first_of(trial)
    return any(
        other.number < trial.number and first_of(other) == first and (_is_settled(other) or not _is_over(other))
        for other in trials
    )


def outcome_of(trial: "FrozenTrial") -> dict[str, Any]:
    found = trial.user_attrs.get(OUTCOME)
    return found if isinstance(found, dict) else {}


def _is_over(trial: "FrozenTrial") -> bool:
    return trial.state.is_finished()


def _is_settled(trial: "FrozenTrial") -> bool:
    """Whether it ended by itself: with a value, pruned, or for a reason that was recorded."""
    if not _is_over(trial) or is_void(trial):
        return False
    # of one that died, `complete` is what it was about to say
    return trial.state.name in ("COMPLETE", "PRUNED") or outcome_of(trial).get("kind") in ("invalid", "failed")
