"""The file that a search is kept in: what a kill, a full disk or an editor leaves of it."""

import json
import os
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from optuna.storages import JournalStorage

from specforge.search.errors import SearchError
from specforge.search.journal import Journal
from tests.search.searches import searched, written


def record(number: int) -> dict[str, Any]:
    return {"op_code": 0, "worker_id": "w", "number": number, "text": "é"}


def numbers(journal: Journal, start: int = 0) -> list[int]:
    return [entry["number"] for entry in journal.read_logs(start)]


def test_records_come_back_from_any_number_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.log")
    assert numbers(journal) == []
    journal.append_logs([record(0), record(1)])
    assert numbers(journal) == [0, 1]
    other = Journal(tmp_path / "journal.log")
    other.append_logs([record(2)])
    assert numbers(journal, 2) == [2]
    assert numbers(other, 1) == [1, 2]
    assert numbers(journal, 3) == []


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_line_that_was_cut_short_is_replaced(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.log"
    Journal(path).append_logs([record(0), record(1)])
    path.write_bytes(path.read_bytes()[:-cut])
    journal = Journal(path)
    assert numbers(journal) == [0]
    journal.append_logs([record(7)])
    assert numbers(journal) == [0, 7]
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [0, 7]


def test_a_file_of_nothing_but_a_part_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(b"x" * 200_000)
    journal = Journal(path)
    assert numbers(journal) == []
    journal.append_logs([record(0)])
    assert numbers(journal) == [0]


@pytest.mark.parametrize("damage", [b"not a record\n", b"{}\n", b"[1]\n", b"\xff\xfe\n", b"\n"])
def test_a_damaged_line_is_named(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "journal.log"
    journal = Journal(path)
    journal.append_logs([record(0)])
    path.write_bytes(path.read_bytes() + damage + path.read_bytes())
    with pytest.raises(SearchError, match=r"journal\.log is damaged: line 2 is not a record"):
        numbers(Journal(path))


def test_a_damaged_journal_ends_a_search_in_a_sentence(tmp_path: Path) -> None:
    file, out = written(tmp_path, trials=1), tmp_path / "out"
    searched(file, out)
    journal = out / "journal.log"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([lines[0], '{"op_code": 5, "worker_id": "w"}\n', *lines[1:]]))
    with pytest.raises(SearchError, match="is damaged: its records do not make a search"):
        searched(file, out, resume=True)
    journal.write_text("".join([lines[0], "gibberish\n", *lines[1:]]))
    with pytest.raises(SearchError, match="line 2 is not a record"):
        searched(file, out, resume=True)
    journal.write_text("".join(lines))
    assert len(searched(file, out, resume=True).found.settled) == 1


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "journal.log")
    journal.append_logs([record(0)])

    def full(_: int) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SearchError, match="No space left on device") as told:
            journal.append_logs([record(1)])
    assert told.value.hint == "free some space, then go on with `--resume`"
    journal.append_logs([record(2)])
    assert numbers(Journal(tmp_path / "journal.log"))[0] == 0


def test_optuna_keeps_a_study_in_it(tmp_path: Path) -> None:
    import optuna

    study = optuna.create_study(storage=JournalStorage(Journal(tmp_path / "j.log")), study_name="s")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    again = optuna.load_study(storage=JournalStorage(Journal(tmp_path / "j.log")), study_name="s")
    assert [trial.value for trial in again.trials] == [trial.value for trial in study.trials]
