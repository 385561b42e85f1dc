"""A process that runs trials until the budget is used up.

In: a study and where trials are trained. Out: its trials in the study, their runs in the search's folder. Any number of
these may work at one study.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from specforge.search.chains import (
    MOST_DEATHS,
    OUTCOME,
    OWNER,
    VOID,
    Chain,
    chains,
    first_of,
    is_late,
    place_of,
)
from specforge.search.errors import SearchError
from specforge.search.owners import Owner, Owners, mend
from specforge.search.ranking import best_of, settled
from specforge.search.space import Searched
from specforge.search.storage import Place, explained
from specforge.search.trial import Settled, Training, run_trial, without_weights

if TYPE_CHECKING:
    from optuna import Study, Trial

# so many trials may fail one after another before any was completed
MOST_FAILURES = 10


@dataclass(slots=True)
class Worker:
    """Takes one trial after another. `check` may raise, to end it; `after` is called when a trial has ended."""

    study: "Study"
    searched: Searched
    place: Place
    owners: Owners
    training: Training
    budget: int
    deadline: float | None = None
    check: Callable[[], None] = lambda: None
    after: Callable[[list[Chain]], None] = lambda _: None

    def run(self) -> None:
        """Raises SearchError, and what a trial raises that no other trial could do without either."""
        with explained(self.place), self.owners.signed_in() as owner:
            while self._is_time():
                self.check()
                if not self._next(owner):
                    return

    def _is_time(self) -> bool:
        return self.deadline is None or monotonic() < self.deadline

    def _next(self, owner: Owner) -> bool:
        """Take and run one trial, if there is one."""
        from optuna.exceptions import UpdateFinishedTrialError

        with ExitStack() as held:
            held.enter_context(self.owners.alone())
            known = mend(self.study, self.owners, self.budget)
            self._demand_success(known)
            if not self._is_left(known):
                return False

            def objective(trial: "Trial") -> float:
                place = self._take(trial, owner)
                held.close()
                if place is None:
                    raise Settled("more than was asked for")
                return run_trial(trial, place, self.searched, self.training, check=self.check)

            try:
                self.study.optimize(objective, n_trials=1, catch=(Settled,))
            except (UpdateFinishedTrialError, ValueError) as error:
                if not _was_given_away(error):
                    raise
        self._tidy()
        return True

    def _is_left(self, known: list[Chain]) -> bool:
        within = [chain for chain in known if chain.place < self.budget]
        return len(within) < self.budget or any(chain.state == "waiting" for chain in within)

    def _take(self, trial: "Trial", owner: Owner) -> int | None:
        """Sign it; its place, None for a trial that is not needed."""
        trial.set_user_attr(OWNER, owner.record)
        trials = self.study.get_trials(deepcopy=False)
        this = next(other for other in trials if other.number == trial.number)
        place = place_of(this, trials)
        if place >= self.budget or is_late(this, trials):
            trial.set_user_attr(OUTCOME, {"kind": VOID})
            return None
        chain = next(chain for chain in chains(trials) if first_of(chain.trials[0]) == first_of(this))
        if chain.deaths >= MOST_DEATHS:
            reason = f"its process died {chain.deaths} times: of memory, perhaps"
            trial.set_user_attr(OUTCOME, {"kind": "failed", "reason": reason})
            raise Settled(reason)
        return place

    def _demand_success(self, known: list[Chain]) -> None:
        """Stop where all trials fail, of what is no fault of theirs."""
        ended = settled(known)
        if len(ended) >= MOST_FAILURES and all(chain.state in ("failed", "invalid") for chain in ended):
            last = ended[-1].one.user_attrs[OUTCOME]
            raise SearchError(
                f"the first {len(ended)} trials all failed; the last: {last.get('reason')}",
                hint="mend the spec or its space, and start again with another `--out`",
            )

    def _tidy(self) -> None:
        """Keep the weights of the best trials alone."""
        known = chains(self.study.get_trials(deepcopy=False))
        kept = {chain.place for chain in best_of(known, self.searched.search)[: self.searched.search.keep]}
        for chain in settled(known):
            run = chain.one.user_attrs[OUTCOME].get("run")
            if chain.place not in kept:
                without_weights(self.training.run_of(chain.place))
                if run is not None:
                    without_weights(self.training.folder / "trials" / run)
        self.after(known)


def _was_given_away(error: Exception) -> bool:
    """Whether this process had been asleep for so long that its trial was given to another, which is the one."""
    from optuna.exceptions import UpdateFinishedTrialError

    return isinstance(error, UpdateFinishedTrialError) or str(error).startswith("Cannot tell a ")
