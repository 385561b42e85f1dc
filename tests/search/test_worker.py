"""One process at work: trials that are taken from it, that fail all alike, that are more than was asked for."""

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from specforge.search.chains import chains
from specforge.search.errors import SearchError
from specforge.search.owners import Owners
from specforge.search.space import Searched
from specforge.search.storage import Place, open_study, opened_storage, place_of
from specforge.search.trial import Training
from specforge.search.worker import MOST_FAILURES, Worker
from specforge.training.errors import TrainingError
from tests.search.searches import SPEC, written


class Bench:
    """A search whose workers are at hand."""

    def __init__(self, folder: Path, file: Path, url: str | None = None):
        self.folder, self.searched, self.place = folder, Searched.read(file), place_of(url, folder)

    def study(self, storage: optuna.storages.BaseStorage) -> optuna.Study:
        return open_study(storage, self.place, self.searched, "tiny", resume=True)

    def work(self, budget: int, check: Callable[[], None] = lambda: None) -> list[str]:
        """The states of Optuna's trials after a worker's work."""
        with opened_storage(self.place) as storage:
            study = self.study(storage)
            owners = Owners.of(self.place, self.folder)
            training = Training(self.folder)
            Worker(study, self.searched, self.place, owners, training, budget, check=check).run()
            return [trial.state.name for trial in study.trials]

    def end(self, number: int) -> None:
        """What another process does that takes a trial for dead."""
        with opened_storage(self.place) as storage:
            study = self.study(storage)
            storage.set_trial_state_values(study.trials[number]._trial_id, optuna.trial.TrialState.FAIL)


@pytest.fixture(params=["journal", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    url = f"sqlite:///{tmp_path}/lab.db" if request.param == "sqlite" else None
    return Bench(tmp_path, written(tmp_path), url)


def test_a_trial_that_was_given_away_while_its_process_was_asleep_does_not_count(bench: Bench) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:  # within the first trial
            bench.end(0)

    assert bench.work(2, check) == ["FAIL", "COMPLETE", "COMPLETE"]
    with opened_storage(bench.place) as storage:
        known = chains(bench.study(storage).trials)
    assert [(chain.state, len(chain.trials)) for chain in known] == [("complete", 2), ("complete", 1)]


def test_trials_beyond_the_budget_are_void_and_a_larger_one_goes_on(bench: Bench) -> None:
    assert bench.work(1) == ["COMPLETE"]
    with opened_storage(bench.place) as storage:
        bench.study(storage).enqueue_trial({})  # as two processes do that begin the last trial at once
        bench.study(storage).enqueue_trial({})
    assert bench.work(2) == ["COMPLETE", "COMPLETE", "WAITING"]
    assert bench.work(4) == ["COMPLETE"] * 4


def test_values_of_which_processes_die_are_left_alone_in_the_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, written(tmp_path))

    class Death(BaseException):
        """Passes everything, as a signal does."""

    def die() -> None:
        if trial_of(bench) == 0:
            raise Death

    for _ in range(4):
        with pytest.raises(Death):
            bench.work(2, _in_a_trial(die))
    assert bench.work(2) == ["FAIL"] * 5 + ["COMPLETE"]
    with opened_storage(bench.place) as storage:
        failed, complete = chains(bench.study(storage).trials)
    assert failed.one.user_attrs["outcome"]["reason"].startswith("its process died 4 times")
    assert complete.state == "complete"


def test_a_search_whose_trials_all_fail_stops(tmp_path: Path) -> None:
    spec = SPEC.replace("relu, ", "").replace("optimizer: adam", "optimizer: {sgd: {lr: 1e17}}")
    space = "train.batch_size: {integers: [30, 60]}"
    bench = Bench(tmp_path, written(tmp_path, space=space, spec=spec.replace("epochs: 2", "epochs: 1")))
    with pytest.raises(SearchError, match=f"the first {MOST_FAILURES} trials all failed; the last: "):
        bench.work(40)


def test_a_disk_that_takes_nothing_ends_the_search_and_not_the_trial(tmp_path: Path) -> None:
    bench = Bench(tmp_path, written(tmp_path))
    (tmp_path / "trials").write_text("no folder")
    with pytest.raises(TrainingError, match="cannot write"):
        bench.work(1)
    (tmp_path / "trials").unlink()
    assert bench.work(1) == ["FAIL", "COMPLETE"]


def trial_of(bench: Bench) -> int:
    with opened_storage(Place(bench.folder / "journal.log", "")) as storage:
        running = [chain.place for chain in chains(bench.study(storage).trials) if chain.state == "running"]
    return running[0]


def _in_a_trial(act: Callable[[], None]) -> Callable[[], None]:
    """Not before one has begun."""
    calls = iter(range(10**6))

    def check() -> None:
        if next(calls) > 1:
            act()

    return check
