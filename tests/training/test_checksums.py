"""Checksums of a run's own files: what was written passes, everything else is named, a kill is no damage."""

import errno
import json
import os
from pathlib import Path
from random import Random

import pytest

from specforge.training import checksums, durable
from specforge.training.errors import TrainingError
from specforge.training.manifest import Damage
from tests.training.system_calls import Call, watched

FILE, METRICS = checksums.FILE, checksums.METRICS


def line(epoch: int) -> bytes:
    return b'{"epoch": %d, "train_loss": 1.25}\n' % epoch


def written(folder: Path) -> Path:
    """A folder with a file, and metrics of three epochs."""
    checksums.write(folder, "result.json", b'{"test_accuracy": 0.5}\n')
    checksums.write(folder, METRICS, b"")
    for epoch in (1, 2, 3):
        checksums.append(folder, line(epoch))
    assert checksums.problems(folder) == {}
    return folder


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes here, so that nothing is worth waiting for."""
    monkeypatch.setattr(checksums, "_PAUSE", 0.0)


def test_what_is_written_passes_and_is_recorded(tmp_path: Path) -> None:
    written(tmp_path)
    assert checksums.recorded(tmp_path) == {"result.json", METRICS}
    assert (tmp_path / METRICS).read_bytes() == line(1) + line(2) + line(3)
    checksums.demand(tmp_path, "result.json", METRICS, "never-written.json")


@pytest.mark.parametrize("name", ["result.json", METRICS])
def test_every_flipped_bit_is_seen(tmp_path: Path, name: str) -> None:
    path = written(tmp_path) / name
    content = path.read_bytes()
    for position in Random(0).sample(range(8 * len(content)), 60):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        assert list(checksums.problems(tmp_path)) == [name], position
    path.write_bytes(content)
    assert checksums.problems(tmp_path) == {}


@pytest.mark.parametrize("name", ["result.json", METRICS])
def test_every_shorter_file_is_seen(tmp_path: Path, name: str) -> None:
    path = written(tmp_path) / name
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        expected = f"only {length:,} of its {len(content):,} bytes" if length else "it is empty"
        assert expected in checksums.problems(tmp_path)[name]


def test_a_flipped_bit_in_the_checksums_blames_no_other_file(tmp_path: Path) -> None:
    path = written(tmp_path) / FILE
    content = path.read_bytes()
    for position in Random(1).sample(range(8 * len(content)), 60):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        assert list(checksums.problems(tmp_path)) == [FILE], position


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"nonsense", b"[" * 100_000, b'{"files": {"../x": {}}}'])
def test_a_damaged_list_is_told_of_and_made_anew(tmp_path: Path, content: bytes) -> None:
    (written(tmp_path) / FILE).write_bytes(content)
    assert list(checksums.problems(tmp_path)) == [FILE]
    with pytest.raises(Damage, match=r"checksums\.json is damaged"):
        checksums.demand(tmp_path, "result.json")
    checksums.write(tmp_path, "result.json", b"{}\n")
    assert checksums.problems(tmp_path) == {}
    assert checksums.recorded(tmp_path) == {"result.json"}


def test_a_run_without_checksums_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{")
    assert checksums.problems(tmp_path) == {}
    assert checksums.recorded(tmp_path) == frozenset()


def test_a_missing_file_is_named_unless_it_is_drawn_anew(tmp_path: Path) -> None:
    written(tmp_path)
    checksums.write(tmp_path, "curves.png", b"picture")
    for name in ("result.json", "curves.png"):
        (tmp_path / name).unlink()
    assert checksums.problems(tmp_path) == {"result.json": "is missing"}
    checksums.remove(tmp_path, "result.json")
    assert checksums.problems(tmp_path) == {}


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "result.json").unlink()
    os.mkfifo(tmp_path / "result.json")
    assert checksums.problems(tmp_path) == {"result.json": "is damaged: it is not a file"}


def test_metrics_that_were_damaged_stay_damaged_when_a_line_is_added(tmp_path: Path) -> None:
    path = written(tmp_path) / METRICS
    path.write_bytes(path.read_bytes().replace(b"1.25", b"1.75", 1))
    checksums.append(tmp_path, line(4))
    assert list(checksums.problems(tmp_path)) == [METRICS]


def test_a_line_that_a_killed_process_added_is_no_damage(tmp_path: Path) -> None:
    with (written(tmp_path) / METRICS).open("ab") as file:
        file.write(line(4)[:20])
    assert checksums.problems(tmp_path) == {}


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_metrics_are_checked_as_far_as_known_when_the_power_failed(tmp_path: Path, content: bytes | None) -> None:
    """The sum after the newest line was not waited for."""
    written(tmp_path)
    checksums.write(tmp_path, METRICS, line(1) + line(2))
    checksums.append(tmp_path, line(3))
    growth = tmp_path / checksums._GROWTH
    growth.unlink() if content is None else growth.write_bytes(content)
    assert checksums.problems(tmp_path) == {}
    (tmp_path / METRICS).write_bytes(line(1) + line(9) + line(3))
    assert list(checksums.problems(tmp_path)) == [METRICS]


def test_metrics_that_are_written_anew_are_not_held_against_what_they_were(tmp_path: Path) -> None:
    written(tmp_path)
    checksums.write(tmp_path, METRICS, b"")
    assert checksums.problems(tmp_path) == {}
    checksums.append(tmp_path, line(1))
    assert checksums.problems(tmp_path) == {}


class Killed(BaseException):
    """Ends a process in a test."""


@pytest.mark.parametrize("name", ["result.json", METRICS, "new.json"])
def test_a_kill_at_any_rename_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    original, survived = os.replace, False
    for calls in range(5):
        folder = tmp_path / str(calls)
        folder.mkdir()
        written(folder)
        left = [None] * calls

        def replace(source: Path, target: Path, left: list[None] = left) -> None:
            if not left:
                raise Killed
            left.pop()
            original(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", replace)
            try:
                checksums.write(folder, name, line(1))
                survived = True
            except Killed:
                pass
        assert checksums.problems(folder) == {}, calls
    assert survived


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_names_the_file_and_spares_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    before = (written(tmp_path) / "result.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(TrainingError, match=r"cannot write .*\.json: No space left on device"):
            checksums.write(tmp_path, "result.json", b"other")
    assert (tmp_path / "result.json").read_bytes() == before
    assert checksums.problems(tmp_path) == {}
    assert not list(tmp_path.glob(".*.partial"))


def test_a_file_that_is_replaced_while_it_is_looked_at_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in progress: between the checksum and the file, both change twice."""
    written(tmp_path)
    original, changed = checksums.entries_of, []

    def entries_of(folder: Path) -> dict[str, checksums.Entry]:
        found = original(folder)
        if not changed:
            changed.append(True)
            for content in (b"1", b"2"):
                checksums.write(folder, "result.json", content)
        return found

    monkeypatch.setattr(checksums, "entries_of", entries_of)
    assert checksums.problems(tmp_path) == {}
    assert changed


def test_the_list_is_plain_json(tmp_path: Path) -> None:
    checksums.write(tmp_path, "a.json", b"one")
    checksums.write(tmp_path, "a.json", b"other")
    record = json.loads((tmp_path / FILE).read_bytes())
    assert record["format"] == 1
    assert record["files"]["a.json"]["bytes"] == 5
    assert record["files"]["a.json"]["before"]["bytes"] == 3
    assert (tmp_path / FILE).read_bytes().endswith(b"\n")
    assert durable.encode(record) == (tmp_path / FILE).read_bytes()


@pytest.mark.parametrize("name", ["environment.json", METRICS])
def test_killed_again_and_again_between_the_announcement_and_the_write(tmp_path: Path, name: str) -> None:
    """What stands in the folder all the time is known as what it is, whatever should have replaced it."""

    def die(call: Call) -> None:
        if str(call) == f"create .{name}.partial":
            raise Killed

    checksums.write(tmp_path, name, line(1) + line(2))
    for content in (line(1), line(1) + line(2) + line(3), line(2)):
        with pytest.raises(Killed), watched(die):
            checksums.write(tmp_path, name, content)
        assert checksums.problems(tmp_path) == {}
    (tmp_path / name).write_bytes(b"something else")
    assert list(checksums.problems(tmp_path)) == [name]
