"""Whose trial it is: trials of processes that are dead are ended, and given to somebody else.

In: a study. Out: the same, in which every trial that runs is somebody's who is alive.

A process that runs trials holds a lock on a file of its own, which the operating system takes back when it dies. The
file lies beside the journal, or in the search's folder where trials are kept in a database; a process on another
machine whose file can't be seen there gives signs of life to the database instead.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING
from uuid import uuid4

from specforge.search.chains import DRAWN, FIRST, OWNER, Chain, chains
from specforge.search.errors import SearchError
from specforge.search.storage import GRACE, Place
from specforge.training.lock import Busy, acquire, locked

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

# drawing and looking after the dead takes milliseconds
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Owners:
    """The folder with the files, and what says that a trial's owner has its file there."""

    folder: Path
    scope: str

    @classmethod
    def of(cls, place: Place, search_folder: Path) -> "Owners":
        if place.journal is not None:
            return cls(place.journal.with_name(f".{place.journal.name}.owners"), "journal")
        return cls(search_folder / ".owners", f"{node()}:{search_folder.resolve()}")

    @contextmanager
    def signed_in(self) -> Iterator["Owner"]:
        """Be alive inside."""
        owner = Owner(f"{_process(os.getpid())}{uuid4().hex[:8]}", self.scope)
        lock = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = acquire(self.folder / owner.name)
            yield owner
        finally:
            if lock is not None:
                lock.release()
            with suppress(OSError):
                self.folder.rmdir()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Between drawing a trial and saying whose it is, nobody else of this folder draws or looks for the dead."""
        lock = self.folder.with_name(f"{self.folder.name}.lock")
        try:
            with locked(lock, wait=_PATIENCE):
                yield
        except Busy as busy:
            hint = "is it stopped in a debugger? end it, then `--resume`"
            raise SearchError(f"{busy.holder} does not let go of {lock}", hint=hint) from None

    def is_dead(self, trial: "FrozenTrial") -> bool:
        """Whether nobody runs a trial that is said to run, as far as can be seen from here. Asked while `alone`."""
        record = trial.user_attrs.get(OWNER)
        if not isinstance(record, dict):
            # drawn, and its process died before it signed; of another machine, it may be about to
            return self.scope == "journal" or _age(trial) > GRACE
        if record.get("scope") != self.scope:
            return False
        path = self.folder / str(record.get("name"))
        if not path.is_file():
            return True
        try:
            lock = acquire(path)
        except Busy:
            return False
        if lock is None:  # a file system without locks: nobody can tell
            return False
        lock.release()
        return True


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that runs trials."""

    name: str
    scope: str

    @property
    def record(self) -> dict[str, str]:
        return {"name": self.name, "scope": self.scope}


def is_of(trial: "FrozenTrial", process: int) -> bool:
    """Whether a process of this machine has or had the trial."""
    record = trial.user_attrs.get(OWNER)
    return isinstance(record, dict) and str(record.get("name")).startswith(_process(process))


def _process(number: int) -> str:
    return f"{node()}-{number}-"


def mend(study: "Study", owners: Owners, budget: int) -> list[Chain]:
    """End what the dead have left, and see to it that every trial of the budget goes on; asked while `alone`."""
    _end_the_silent(study)
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name == "RUNNING" and owners.is_dead(trial):
            _end(study, trial)
    known = chains(study.get_trials(deepcopy=False))
    missing = [chain for chain in known if chain.is_open and chain.place < budget]
    for chain in missing:
        _give_away(study, chain)
    return chains(study.get_trials(deepcopy=False)) if missing else known


def _end_the_silent(study: "Study") -> None:
    """Those who no longer give signs of life to a database."""
    import warnings

    from optuna.storages import fail_stale_trials

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fail_stale_trials(study)


def _end(study: "Study", trial: "FrozenTrial") -> None:
    from optuna.trial import TrialState

    with suppress(ValueError, RuntimeError):  # it ended meanwhile
        study.tell(trial.number, state=TrialState.FAIL)


def _give_away(study: "Study", chain: Chain) -> None:
    """One more trial with the same values: those of the last one, if it had drawn all of them."""
    last = next((trial for trial in reversed(chain.trials) if trial.user_attrs.get(DRAWN)), None)
    study.enqueue_trial({} if last is None else last.params, user_attrs={FIRST: chain.trials[0].number})


def _age(trial: "FrozenTrial") -> float:
    start = trial.datetime_start
    return 0.0 if start is None else (datetime.now(start.tzinfo) - start).total_seconds()
