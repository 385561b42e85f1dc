"""Who may write into a run's folder, and what it says when that is refused."""

import errno
import os
from pathlib import Path

import pytest

from specforge.training.errors import TrainingError
from specforge.training.run_directory import RunDirectory
from tests.training.experiments import run_in, train

NOW = {"torch": "1", "device_name": "x", "threads": 1}


# what somebody may have put into a folder that is named by mistake
FOREIGN = [
    {"notes.txt": "mine"},
    {"report.html": "mine"},
    {"spec.yaml": "specforge: 1\nname: my own\n"},
    {"spec.yaml": "specforge: 1\nname: tiny\n", "notes.txt": "mine"},
    {"spec.yaml": "specforge: 1\nname: tiny\n", "metrics.jsonl": "{}"},
    {"metrics.jsonl": ""},
    {"result.json": "{}"},
    {"checkpoints/mine.ckpt": "mine"},
    {"environment.json": '{"PATH": "/bin"}'},
    {"environment.json": '{"spec_hash": 3}', "spec.yaml": "x"},
    {".git/config": "x", "README.md": "mine"},
    {"a": "", "b": "", "c": "", "d\x1b[31m": "", "e\n": ""},
]


@pytest.mark.parametrize("resume", [False, True], ids=["new", "resume"])
@pytest.mark.parametrize("files", FOREIGN, ids=lambda files: "+".join(ascii(name) for name in files))
def test_a_folder_of_something_else_is_refused_and_left_as_it_is(
    tmp_path: Path, files: dict[str, str], resume: bool
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    with pytest.raises(TrainingError, match="but no run, which has an environment") as caught:
        run_in(tmp_path).start(NOW, resume=resume)
    assert "nothing was touched" in (caught.value.hint or "")
    assert caught.value.message.isprintable()
    kept = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == files


def test_hidden_files_are_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").write_text("mine")
    (tmp_path / ".spec.yaml.partial").write_text("half")
    run = run_in(tmp_path)
    assert not run.holds_a_run
    assert run.start(NOW, resume=False) == ""
    assert run.holds_a_run
    assert (tmp_path / ".DS_Store").read_text() == "mine"


def test_a_spec_and_its_hash_are_read_back(tmp_path: Path) -> None:
    run_in(tmp_path / "run").start(NOW, resume=False)
    assert RunDirectory.open(tmp_path / "run") == run_in(tmp_path / "run")


def test_a_run_that_was_killed_while_it_was_created_can_be_resumed(tmp_path: Path) -> None:
    run_in(tmp_path).start(NOW, resume=False)
    for left in (("environment.json",), ("environment.json", "metrics.jsonl"), ("environment.json", "checksums.json")):
        for name in left:
            (tmp_path / name).unlink()
        with pytest.raises(TrainingError, match="already holds a run"):
            run_in(tmp_path).start(NOW, resume=False)
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
