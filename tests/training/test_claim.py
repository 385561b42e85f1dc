"""Claiming the folder of a run: whatever it is called, wherever it leads, for one process at a time."""

import errno
import os
from pathlib import Path
from platform import node

import pytest

from specforge.training import lock
from specforge.training.claim import LOCK, Taken, claimed
from specforge.training.errors import TrainingError


def _quiet(_: str) -> None: ...


def _state(folder: Path) -> dict[str, tuple[int, int, bytes | None]]:
    """All files with their times of change and contents."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


def test_a_folder_is_made_and_is_gone_if_nothing_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "deep" / "lab"
    with claimed(folder, tell=_quiet):
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), claimed(folder, tell=_quiet):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_stays_and_what_was_there_too(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new"):
        with claimed(tmp_path / name, tell=_quiet):
            if name == "new":
                (tmp_path / name / "spec.yaml").write_text("x")
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["empty", "new", "spec.yaml"]


def test_the_second_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    with claimed(tmp_path / "run", tell=_quiet):
        (tmp_path / "run" / "spec.yaml").write_text("x")
        before = _state(tmp_path)
        with pytest.raises(TrainingError) as caught, claimed(tmp_path / "run", tell=_quiet):
            pytest.fail("two are in")
        assert _state(tmp_path) == before
    assert caught.value.message.startswith(
        f"{tmp_path / 'run'} is in use by process {os.getpid()} on {node()}, since 2"
    )
    assert f"kill {os.getpid()}" in (caught.value.hint or "")


def test_a_new_folder_is_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(Taken), claimed(tmp_path / "run", tell=_quiet, new=True):
        pytest.fail("it is not new")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(Taken), claimed(tmp_path / "link", tell=_quiet, new=True):
        pytest.fail("it is not new")
    assert (tmp_path / "run").is_dir()


NAMES = [
    "with spaces",
    " ",
    "café",
    "кошка",
    "猫" * 85,
    "😀" * 63,
    "x" * 255,
    "e\u0301",
    "-rf",
    "a\nb",
    "a\tb",
    "\x1b[31m",
    "'\"`$()",
    "%s{}",
    "...",
    "nul",
    "con.txt",
    "ends.",
    "C:",
    "back\\slash",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_folder_may_have_any_name_that_the_file_system_takes(tmp_path: Path, name: str) -> None:
    with claimed(tmp_path / name, tell=_quiet):
        (tmp_path / name / "spec.yaml").write_text("x")
        with pytest.raises(TrainingError, match="in use"), claimed(tmp_path / name, tell=_quiet):
            pytest.fail("two are in")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_bytes_that_are_no_text_in_a_name(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run\xff"))
    with claimed(folder, tell=_quiet):
        (folder / "spec.yaml").write_text("x")


def _long(folder: Path, length: int) -> Path:
    """A path of so many bytes."""
    parts = ["y" * 200] * ((length - len(str(folder))) // 201)
    path = folder.joinpath(*parts)
    return path / ("z" * (length - len(str(path)) - 1))


@pytest.mark.parametrize("name", ["x" * 256, "猫" * 86, "new/" + "x" * 300])
def test_a_name_of_too_many_bytes(tmp_path: Path, name: str) -> None:
    too_long = pytest.raises(TrainingError, match="too long for the file system")
    with too_long as caught, claimed(tmp_path / name, tell=_quiet):
        pytest.fail("it does not fit")
    assert "in one name" in caught.value.message
    assert len(caught.value.message) < 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [4094, 4095, 4096, 5000, 100_000])
def test_a_path_of_too_many_bytes_is_known_before_an_epoch_is_trained(tmp_path: Path, length: int) -> None:
    too_long = pytest.raises(TrainingError, match="too long for the file system")
    with too_long as caught, claimed(_long(tmp_path, length), tell=_quiet):
        pytest.fail("no checkpoint fits into it")
    assert len(caught.value.message) < 400
    assert "choose a shorter `--out`" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_a_long_path_that_has_room_for_checkpoints(tmp_path: Path) -> None:
    folder = _long(tmp_path, 3900)
    with claimed(folder, tell=_quiet):
        deepest = folder / "checkpoints" / ".epoch-0001-step-00001.partial" / "averages.safetensors"
        deepest.parent.mkdir(parents=True)
        deepest.write_text("x")


def test_a_linked_folder_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    refused = pytest.raises(TrainingError, match="in use")
    with claimed(tmp_path / "run", tell=_quiet), refused, claimed(tmp_path / "disk", tell=_quiet):
        pytest.fail("two are in")
    assert (tmp_path / "run").is_symlink()
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_link_to_nothing_and_one_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    for name, message in (("lost", "a link to a folder that is not there"), ("circle", "not there|symbolic links")):
        with pytest.raises(TrainingError, match=message), claimed(tmp_path / name, tell=_quiet):
            pytest.fail("it leads nowhere")


def test_a_lock_that_leads_elsewhere_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).symlink_to(tmp_path / "mine")
    with pytest.raises(TrainingError, match="is a link"), claimed(tmp_path / "run", tell=_quiet):
        pytest.fail("it was written through")
    assert (tmp_path / "mine").read_text() == "keep"


@pytest.mark.parametrize("name", ["file", "file/below", "file/far/below"])
def test_a_file_in_the_place_of_a_folder_is_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("keep")
    with pytest.raises(TrainingError, match=r"cannot write .*file"), claimed(tmp_path / name, tell=_quiet):
        pytest.fail("it is a file")
    assert (tmp_path / "file").read_text() == "keep"


def test_a_folder_that_its_maker_removes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, tries = os.open, []

    def vanish(path: Path, *arguments: int) -> int:
        if path.name == LOCK:
            tries.append(path)
            if len(tries) == 1:
                path.parent.rmdir()
        return original(path, *arguments)

    monkeypatch.setattr("specforge.training.lock.os.open", vanish)
    with claimed(tmp_path / "run", tell=_quiet):
        assert len(tries) == 2


def test_a_file_system_without_locks_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock, "_take", refuse)
    told: list[str] = []
    with claimed(tmp_path / "run", tell=told.append):
        (tmp_path / "run" / "spec.yaml").write_text("x")
    (only,) = told
    assert "has no locks" in only
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["spec.yaml"]
