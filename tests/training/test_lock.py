"""Locks: one holder at a time, named to the others, and gone with its process, whatever became of its children."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from typing import IO

import pytest

from specforge.training import lock
from specforge.training.lock import Busy, acquire, locked

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and forks")

_HOLD = """
import sys, time
from pathlib import Path
from specforge.training.lock import acquire
held = acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""

# the child outlives its parent, who holds the lock
_FORK = """
import os, sys, time
from pathlib import Path
from specforge.training.lock import acquire
held = acquire(Path(sys.argv[1]))
child = os.fork()
if not child:
    print("child", os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""

# what a child inherits that is started by a shell command: every descriptor that is not closed
_EXECUTE = """
import subprocess, sys, time
from pathlib import Path
from specforge.training.lock import acquire
held = acquire(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
print("child", child.pid, flush=True)
time.sleep(60)
"""

# a forked child that leaves the block as its parent would
_LEAVING_CHILD = """
import os, sys
from pathlib import Path
from specforge.training.lock import Busy, acquire, locked
path = Path(sys.argv[1])
with locked(path):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        assert path.exists()
        try:
            acquire(path)
        except Busy as busy:
            print(busy.pid == os.getpid())
"""

_COUNT = """
import sys
from pathlib import Path
from specforge.training.lock import locked
folder = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with locked(folder / "lock", wait=60):
        number = int((folder / "count").read_text())
        (folder / "count").write_text(str(number + 1))
"""


def _process(program: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


@contextmanager
def _running(program: str, *arguments: object) -> "Iterator[tuple[subprocess.Popen[str], list[str]]]":
    """A process, and the words of the first line that it prints."""
    with _process(program, *arguments) as process:
        output: IO[str] | None = process.stdout
        assert output is not None
        try:
            yield process, output.readline().split()
        finally:
            process.kill()


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with _running(_HOLD, tmp_path / "lock") as (process, _), pytest.raises(Busy) as caught:
        acquire(tmp_path / "lock")
    today = datetime.now(UTC).strftime("%Y-%m-")
    assert caught.value.holder.startswith(f"process {process.pid} on {node()}, since {today}")
    assert caught.value.pid == process.pid


def test_within_one_process_too(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(Busy) as caught:
        acquire(tmp_path / "lock")
    assert caught.value.pid == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_leaves_a_file_that_hinders_nobody(tmp_path: Path) -> None:
    with _running(_HOLD, tmp_path / "lock") as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert json.loads((tmp_path / "lock").read_text())["pid"] == process.pid
        with locked(tmp_path / "lock"):
            assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", [_FORK, _EXECUTE], ids=["fork", "execute"])
def test_a_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path: Path, program: str) -> None:
    with _running(program, tmp_path / "lock") as (process, (_, child)):
        with pytest.raises(Busy) as caught:
            acquire(tmp_path / "lock")
        assert caught.value.pid == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.kill(int(child), 0)  # it is alive
        try:
            with locked(tmp_path / "lock", wait=5):
                pass
        finally:
            os.kill(int(child), signal.SIGKILL)


def test_a_child_that_leaves_lets_its_parent_keep_the_lock(tmp_path: Path) -> None:
    with _running(_LEAVING_CHILD, tmp_path / "lock") as (process, words):
        assert process.wait(timeout=30) == 0
        assert words == ["True"]


def test_nothing_is_lost_where_many_take_turns(tmp_path: Path) -> None:
    """The file is removed and made anew all the time, which must not let two in."""
    (tmp_path / "count").write_text("0")
    processes = [_process(_COUNT, tmp_path, 100) for _ in range(4)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0, 0]
    for process in processes:
        process.communicate()
    assert (tmp_path / "count").read_text() == "400"


def test_a_file_that_was_removed_while_it_was_opened_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, original, taken = acquire(tmp_path / "lock"), lock._take, []
    assert first is not None

    def take(descriptor: int) -> None:
        if not taken:  # between opening and locking, the holder lets go of it
            first.release()
        taken.append(descriptor)
        original(descriptor)

    monkeypatch.setattr(lock, "_take", take)
    with locked(tmp_path / "lock"):
        assert len(taken) == 2
        monkeypatch.undo()
        with pytest.raises(Busy):
            acquire(tmp_path / "lock")


def test_a_file_system_that_numbers_files_anew_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.samestat", lambda *_: False)
    with locked(tmp_path / "lock"), pytest.raises(Busy):
        acquire(tmp_path / "lock")
    with locked(tmp_path / "lock"):
        pass


def test_waiting_for_a_holder_who_lets_go(tmp_path: Path) -> None:
    first = acquire(tmp_path / "lock")
    assert first is not None
    later = threading.Timer(0.1, first.release)
    later.start()
    with locked(tmp_path / "lock", wait=30):
        later.join()
    began = time.monotonic()
    with locked(tmp_path / "lock"), pytest.raises(Busy):
        acquire(tmp_path / "lock", wait=0.1)
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "\x1b[2J" * 400, "\0" * 2000])
def test_a_holder_without_a_name(tmp_path: Path, content: str) -> None:
    with locked(tmp_path / "lock"):
        (tmp_path / "lock").write_text(content)
        with pytest.raises(Busy, match="another process"):
            acquire(tmp_path / "lock")


def test_a_name_can_not_drive_a_terminal(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        (tmp_path / "lock").write_text(json.dumps({"pid": "\x1b[31m", "host": "a\nb", "since": "x" * 300}))
        with pytest.raises(Busy) as caught:
            acquire(tmp_path / "lock")
    assert caught.value.holder.isprintable()
    assert caught.value.pid is None


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL], ids=errno.errorcode.get
)
def test_a_file_system_without_locks_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock, "_take", refuse)
    told: list[str] = []
    for _ in range(2):
        with locked(tmp_path / "lock", tell=told.append):
            assert list(tmp_path.iterdir()) == []
    (only,) = told
    assert str(tmp_path) in only
    assert "has no locks" in only
    assert not lock._HELD


def test_it_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    (tmp_path / "lock").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="symbolic"):
        acquire(tmp_path / "lock")
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_pipe_is_no_lock(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(OSError, match="Not a plain file"):
        acquire(tmp_path / "lock")
    assert stat.S_ISFIFO((tmp_path / "lock").stat().st_mode)


@pytest.mark.parametrize("year", [1970, 9998])
def test_the_clock_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: int) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Clock":
            return cls(year, 1, 1, tzinfo=UTC)

    with locked(tmp_path / "lock"):
        monkeypatch.setattr(lock, "datetime", Clock)
        with pytest.raises(Busy):
            acquire(tmp_path / "lock", wait=0.05)
    with locked(tmp_path / "lock"), pytest.raises(Busy, match=f"since {year}-01-01"):
        acquire(tmp_path / "lock")
