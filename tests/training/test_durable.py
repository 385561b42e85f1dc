"""Files are replaced as a whole or not at all."""

import errno
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from specforge.training import durable
from specforge.training.errors import TrainingError
from tests.training.system_calls import Call, watched

posix = pytest.mark.skipif(os.name != "posix", reason="folders are synced")


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for content in (b"one", b""):
        durable.write(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "result.json"
    durable.write(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(TrainingError, match=r"cannot write .*result.json: No space left on device"):
        durable.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="No such file") as caught:
        durable.write(tmp_path / "absent" / "file", b"")
    assert "--out" in (caught.value.hint or "")


def test_json_keeps_floats_bit_for_bit_and_refuses_what_is_not_a_number() -> None:
    import json

    values = [0.1 + 0.2, 1 / 3, 5e-324, 1e308]
    assert json.loads(durable.encode(values)) == values
    with pytest.raises(ValueError, match="not JSON compliant"):
        durable.encode(float("nan"))


def _named(calls: list[Call]) -> list[str]:
    """The two halves of a write count as one."""
    names = [str(call) for call in calls]
    return [name for place, name in enumerate(names) if place == 0 or name != names[place - 1]]


@posix
def test_the_order_is_write_fsync_rename_fsync_of_the_folder(tmp_path: Path) -> None:
    calls: list[Call] = []
    with watched(calls.append):
        durable.write(tmp_path / "result.json", b"all of it")
    assert _named(calls) == [
        "create .result.json.partial",
        "write .result.json.partial",
        "sync .result.json.partial",
        "rename .result.json.partial to result.json",
        f"sync {tmp_path.name}",
    ]
    assert b"".join(call.content for call in calls) == b"all of it"


@posix
def test_the_names_of_new_folders_are_on_the_disk(tmp_path: Path) -> None:
    calls: list[Call] = []
    with watched(calls.append):
        durable.make_folder(tmp_path / "runs" / "lab2")
        durable.make_folder(tmp_path / "runs" / "lab2")
    named = [str(call) for call in calls]
    assert named[:2] == ["make runs", "make lab2"]
    assert sorted(named[2:]) == sorted([f"sync {tmp_path.name}", "sync runs"])


@posix
@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_file_systems_whose_folders_cannot_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fails: bool
) -> None:
    def fsync(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output") if fails else nullcontext():
        durable.sync_folder(tmp_path)


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".result.json.partial", "result.json", ".hidden", "my.partial"):
        (tmp_path / name).touch()
    durable.remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "my.partial", "result.json"]
