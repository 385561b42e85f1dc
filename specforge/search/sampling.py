"""A spec's search section -> Optuna's sampler and pruner.

What a trial draws follows from the seed, the place of the trial in the search and what earlier trials reached, never
from the process that draws: a search that is interrupted and goes on has the trials of one that was not.
"""

from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from specforge.search.chains import place_of
from specforge.search.space import Searched
from specforge.search_space import Search

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

# how many trials are random before the others are looked at
STARTUP = 10
# how many trials must be through an epoch before another may be ended there
_COMPARED = 5
REDUCTION = 4  # asha: one in so many goes on


def sampler_of(searched: Searched) -> BaseSampler:
    return _Grid(searched) if searched.search.sampler == "grid" else _Placed(searched.search)


def pruner_of(search: Search) -> optuna.pruners.BasePruner:
    if search.pruning == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=_COMPARED, n_warmup_steps=search.prune_after)
    if search.pruning == "asha":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=search.prune_after, reduction_factor=REDUCTION)
    return optuna.pruners.NopPruner()


class _Placed(BaseSampler):
    """A sampler made anew for each trial, with a seed of its own."""

    def __init__(self, search: Search):
        self._search = search
        self._inner: BaseSampler = RandomSampler(seed=0)

    def before_trial(self, study: "Study", trial: "FrozenTrial") -> None:
        seed = _seed(self._search.seed, place_of(trial, study.get_trials(deepcopy=False)))
        is_random = self._search.sampler == "random"
        self._inner = RandomSampler(seed=seed) if is_random else TPESampler(seed=seed, n_startup_trials=STARTUP)
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: "Study", trial: "FrozenTrial") -> dict[str, BaseDistribution]:
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: "Study", trial: "FrozenTrial", search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: "Study", trial: "FrozenTrial", param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: "Study", trial: "FrozenTrial", state: Any, values: Any) -> None:
        self._inner.after_trial(study, trial, state, values)


class _Grid(BaseSampler):
    """The combination that a trial's place stands for."""

    def __init__(self, searched: Searched):
        self._searched = searched
        self._point: dict[str, Any] = {}

    def before_trial(self, study: "Study", trial: "FrozenTrial") -> None:
        place = place_of(trial, study.get_trials(deepcopy=False))
        self._point = next(islice(self._searched.grid(), place, None), {})

    def infer_relative_search_space(self, study: "Study", trial: "FrozenTrial") -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: "Study", trial: "FrozenTrial", search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: "Study", trial: "FrozenTrial", param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        if param_name in self._point:
            return self._point[param_name]
        # a trial beyond the last combination, which is never run
        return RandomSampler(seed=0).sample_independent(study, trial, param_name, param_distribution)


def _seed(seed: int, place: int) -> int:
    return int.from_bytes(sha256(f"specforge search {seed} {place}".encode()).digest()[:4], "big")
