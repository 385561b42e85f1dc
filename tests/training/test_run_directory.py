"""Who may write into a run's folder, and what it says when that is refused."""

import errno
import os
from pathlib import Path

import pytest

from specforge.training.errors import TrainingError
from specforge.training.run_directory import RunDirectory
from tests.training.experiments import run_in, train

NOW = {"torch": "1", "device_name": "x", "threads": 1}


def test_other_files_do_not_make_a_run(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    run = run_in(tmp_path)
    assert not run.holds_a_run
    assert run.start(NOW, resume=False) == ""
    assert run.holds_a_run
    assert (tmp_path / "notes.txt").exists()


def test_a_spec_and_its_hash_are_read_back(tmp_path: Path) -> None:
    run_in(tmp_path / "run").start(NOW, resume=False)
    assert RunDirectory.open(tmp_path / "run") == run_in(tmp_path / "run")


def test_a_run_that_was_killed_while_it_was_created_can_be_resumed(tmp_path: Path) -> None:
    run_in(tmp_path).start(NOW, resume=False)
    (tmp_path / "environment.json").unlink()
    assert run_in(tmp_path).start(NOW, resume=True) == ""
    assert RunDirectory.open(tmp_path).spec_hash == "hash of tiny"


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(TrainingError, match=r"cannot write .*run"):
        run_in(tmp_path / "run").start(NOW, resume=False)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    run.start(NOW, resume=False)
    (tmp_path / "result.json").write_text('{"test_loss": 1.0}')
    with pytest.raises(TrainingError, match=r"result\.json is damaged"):
        run.result()
    (tmp_path / "environment.json").write_text("{")
    with pytest.raises(TrainingError, match=r"environment\.json is damaged"):
        run.start(NOW, resume=True)


def test_metrics_are_appended_and_rewritten(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    run.append_metrics({"epoch": 1})
    run.append_metrics({"epoch": 2})
    assert (tmp_path / "metrics.jsonl").read_text() == '{"epoch": 1}\n{"epoch": 2}\n'
    run.rewrite_metrics(({"epoch": 1},))
    assert (tmp_path / "metrics.jsonl").read_text() == '{"epoch": 1}\n'


def test_a_full_disk_while_training_leaves_a_run_that_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.replace

    def full(source: Path, target: Path) -> None:
        if target.name == "epoch-0003":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(TrainingError, match=r"cannot write .*epoch-0003: No space left"):
            train(tmp_path / "run")
    expected, found = train(tmp_path / "whole"), train(tmp_path / "run", resume=True)
    assert found.test_loss == expected.test_loss
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 3
