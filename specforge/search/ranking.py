"""The trials of a search -> which are settled, and the best of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from specforge.search.chains import Chain
from specforge.search_space import Search

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def settled(known: Iterable[Chain]) -> list[Chain]:
    """Those that ended by themselves, in the order in which they did."""
    return sorted((chain for chain in known if chain.is_settled), key=lambda chain: _end_of(chain.one))


def best_of(known: Iterable[Chain], search: Search) -> list[Chain]:
    """The completed ones, the best first; of equal ones the earlier place."""
    sign = -1 if search.best_direction == "maximize" else 1
    complete = [(chain, value_of(chain)) for chain in known if chain.state == "complete"]
    ranked = sorted(
        ((chain, value) for chain, value in complete if value is not None),
        key=lambda pair: (sign * pair[1], pair[0].place),
    )
    return [chain for chain, _ in ranked]


def value_of(chain: Chain) -> float | None:
    """What the trial is compared by; of a pruned one, what it had reached."""
    return chain.one.value if chain.state in ("complete", "pruned") else None


def _end_of(trial: "FrozenTrial") -> tuple[float, int]:
    end = trial.datetime_complete
    return (0.0 if end is None else end.timestamp(), trial.number)
