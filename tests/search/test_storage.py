"""What `--storage` names, and what is said of a database that can't be used."""

import sys
from pathlib import Path

import pytest

from specforge.search.errors import SearchError
from specforge.search.storage import MissingSearch, opened_storage, place_of, require_optuna
from tests.search.searches import SPEC, drawn, searched, written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, "journal:folder/journal.log"),
        ("journal:/mnt/shared/lab.log", "journal:/mnt/shared/lab.log"),
        ("sqlite:///lab.db", "sqlite:///lab.db"),
        ("postgresql://ada:secret@db/optuna", "postgresql+psycopg://ada:***@db/optuna"),
        ("postgres://ada:se/c:r@t@db/optuna", "postgresql+psycopg://ada:***@db/optuna"),
        ("postgresql+psycopg2://ada@db/optuna", "postgresql+psycopg2://ada@db/optuna"),
    ],
)
def test_places(text: str | None, shown: str) -> None:
    assert place_of(text, Path("folder")).shown == shown


@pytest.mark.parametrize("text", ["", "journal:", "lab.db", "/mnt/lab.log", "://x", "C:\\lab.db"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(SearchError, match="neither a journal nor the URL"):
        place_of(text, Path())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("oracle+nothing://ada:secret@db/x", "not the URL of a database that is known"),
        ("sqlite:////dev/null/lab.db", "cannot use|can't be used"),
        ("postgresql://ada:secret@127.0.0.1:1/x", "can't be used: .*onnection"),
    ],
)
def test_a_database_that_can_t_be_used(url: str, message: str) -> None:
    with pytest.raises(SearchError, match=message) as refused, opened_storage(place_of(url, Path())):
        pass
    assert "secret" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("kind", ["sqlite:///", "journal:"])
def test_a_file_in_a_folder_that_is_not_there(tmp_path: Path, kind: str) -> None:
    file, folder = written(tmp_path, trials=1), tmp_path / "no" / "where"
    with pytest.raises(SearchError) as refused:
        searched(file, tmp_path / "out", storage=f"{kind}{folder}/x")
    assert refused.value.hint == f"the folder {folder} is not there: make it, or name another by `--storage`"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_a_driver_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    place = place_of("mysql://ada:secret@db/x", Path())
    with pytest.raises(SearchError, match="needs `pymysql`") as refused, opened_storage(place):
        pass
    assert refused.value.hint == "pip install pymysql"


def test_optuna_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingSearch) as refused:
        require_optuna()
    assert refused.value.hint == "pip install optuna"


def test_a_search_in_sqlite_has_the_trials_of_one_in_a_journal(tmp_path: Path) -> None:
    file = written(tmp_path, trials=2, spec=SPEC.replace("epochs: 2", "epochs: 1"))
    journal = searched(file, tmp_path / "journal")
    database = searched(file, tmp_path / "database", storage=f"sqlite:///{tmp_path}/lab.db", study="mine")
    assert drawn(journal) == drawn(database)
    with pytest.raises(SearchError, match=r"lab\.db already holds the search `mine`, 2 trials"):
        searched(file, tmp_path / "other", storage=f"sqlite:///{tmp_path}/lab.db", study="mine")
    other = written(tmp_path, trials=3, spec=SPEC)
    with pytest.raises(SearchError, match="of another spec"):
        searched(other, tmp_path / "other", storage=f"sqlite:///{tmp_path}/lab.db", study="mine", resume=True)
