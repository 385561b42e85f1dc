"""Processes that are killed, stopped, or work side by side: no trial is lost, none counts twice."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from specforge.search.errors import SearchError
from specforge.search.run import Request, search
from specforge.training.errors import TrainingError
from tests.search import postgres
from tests.search.processes import (
    assert_nothing_lost_or_repeated,
    begin,
    ended,
    epochs_of,
    kill,
    wait_for,
    workers_of,
)
from tests.search.searches import SPEC, searched, written

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed by signals")

EPOCHS = 40
LONG = SPEC.replace("epochs: 2", f"epochs: {EPOCHS}")
OWNERS = ".journal.log.owners"


def test_a_killed_search_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    file, out = written(tmp_path, spec=LONG, trials=3), tmp_path / "out"
    process = begin(file, "--out", out)
    wait_for(lambda: epochs_of(out, 2) >= 3, process)
    kill(process.pid)
    process.communicate()
    assert len(workers_of(out / OWNERS)) == 1  # what a dead process leaves
    said: list[str] = []
    search(Request(str(file), out=out, resume=True), tell=said.append)
    assert [line[:9] for line in said[1:]] == ["trial 2/3", "trial 3/3"]
    trials = assert_nothing_lost_or_repeated(out, 3)
    assert [trial["attempts"] for trial in trials] == [1, 2, 1]
    whole = searched(file, tmp_path / "whole").found
    assert [trial["value"] for trial in trials] == [trial.value for trial in whole.trials]
    assert [trial["values"] for trial in trials] == [trial.values for trial in whole.trials]
    assert not (out / OWNERS).exists()


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    file, out = written(tmp_path, spec=LONG, trials=4), tmp_path / "out"
    process = begin(file, "--out", out, "--workers", "2")
    wait_for(lambda: epochs_of(out, 1) >= 2 and epochs_of(out, 2) >= 2, process)
    killed = workers_of(out / OWNERS)[0]
    kill(killed)
    said = ended(process)
    assert said.count(f"worker {killed} was killed (signal 9): its trial is taken up again\n") == 1
    trials = assert_nothing_lost_or_repeated(out, 4)
    assert sorted(trial["attempts"] for trial in trials) == [1, 1, 1, 2]
    assert {trial["threads"] for trial in trials} == {1}


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_a_stopped_search_is_saved(tmp_path: Path, number: int, workers: int) -> None:
    file, out = written(tmp_path, spec=LONG, trials=2), tmp_path / "searches" / "tiny"
    process = begin("tiny.yaml", "--workers", str(workers), folder=tmp_path)
    wait_for(lambda: epochs_of(out, 1) >= 2, process)
    process.send_signal(number)
    said = ended(process, 128 + number)
    again = f"specforge search tiny.yaml --workers {workers} --out searches/tiny --resume"
    assert f"interrupted: the search is saved; go on with: {again}\n" in said
    before = epochs_of(out, 1)
    assert list((out / "trials" / "0001" / "checkpoints").iterdir())
    searched(file, out, resume=True)
    assert_nothing_lost_or_repeated(out, 2)
    assert 2 <= before <= epochs_of(out, 1) == EPOCHS


def test_a_second_search_helps_by_the_storage(tmp_path: Path) -> None:
    file, out, helping = written(tmp_path, spec=LONG, trials=4), tmp_path / "out", tmp_path / "helping"
    first = begin(file, "--out", out)
    wait_for(lambda: epochs_of(out, 1) >= 1, first)
    with pytest.raises(TrainingError, match="is in use by process"):
        searched(file, out, resume=True)
    searched(file, helping, storage=f"journal:{out}/journal.log", resume=True)
    ended(first)
    searched(file, out, resume=True)  # nothing is left to do but to write what the other one found
    trials = assert_nothing_lost_or_repeated(out, 4)
    runs = [path.name for folder in (out, helping) for path in folder.glob("trials/*")]
    assert sorted(runs) == sorted(str(trial["run"]) for trial in trials)
    assert len(list(helping.glob("trials/*"))) in (1, 2, 3)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    reason = postgres.missing()
    if reason is not None:
        pytest.skip(reason)
    with postgres.server() as found:
        yield found


def test_a_killed_worker_and_a_killed_parent_with_postgresql(tmp_path: Path, server: postgres.Server) -> None:
    file, out = written(tmp_path, spec=LONG, trials=4), tmp_path / "out"
    process = begin(file, "--out", out, "--workers", "2", "--storage", server.url())
    wait_for(lambda: epochs_of(out, 1) >= 2 and epochs_of(out, 2) >= 2, process)
    kill(workers_of(out / ".owners")[0])
    kill(process.pid)
    said = "".join(process.communicate())  # until the other worker has saved its trial, too, and closed the pipe
    searched(file, out, storage=server.url(), resume=True)
    trials = assert_nothing_lost_or_repeated(out, 4)
    again = sum(int(str(trial["attempts"])) for trial in trials) - 4
    assert again in (1, 2)  # of the killed worker, and of the other one unless it was between two trials
    assert postgres.PASSWORD not in said + (out / "search.json").read_text()
    url = server.url().replace("postgresql://", "postgresql+psycopg://") + "&client_encoding=utf8"
    storage = optuna.storages.RDBStorage(url)
    states = [trial.state.name for trial in optuna.load_study(study_name="tiny", storage=storage).trials]
    storage.remove_session()
    storage.engine.dispose()
    assert (states.count("COMPLETE"), states.count("FAIL")) == (4, again) == (4, len(states) - 4)
    with pytest.raises(SearchError, match="already holds the search `tiny`"):
        searched(file, tmp_path / "again", storage=server.url())


def test_postgresql_that_can_t_be_used(tmp_path: Path, server: postgres.Server) -> None:
    file = written(tmp_path, trials=1)
    with pytest.raises(SearchError, match=r"can't be used: .*password authentication failed") as refused:
        searched(file, tmp_path / "out", storage=server.url("wrong-s3cret"))
    assert "s3cret" not in f"{refused.value.message} {refused.value.hint}"
    with pytest.raises(SearchError, match=r"can't be used: .*No such file") as refused:
        searched(file, tmp_path / "out", storage=f"postgresql://ada:hidden@/postgres?host={tmp_path}")
    assert "hidden" not in refused.value.message


def test_a_server_that_goes_away(tmp_path: Path, server: postgres.Server) -> None:
    file, out = written(tmp_path, spec=LONG, trials=2), tmp_path / "out"
    process = begin(file, "--out", out, "--storage", server.url(), "--study", "away")
    wait_for(lambda: epochs_of(out, 1) >= 2, process)
    server.stop()
    said = ended(process, 1)
    assert "the storage postgresql+psycopg://ada:***@" in said
    assert "--resume" in said
    assert "Traceback" not in said
    server.start()
    searched(file, out, storage=server.url(), study="away", resume=True)
    assert_nothing_lost_or_repeated(out, 2)
