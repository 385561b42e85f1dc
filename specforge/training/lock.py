"""One writer at a time: a lock that the operating system takes back when its process ends, however it ends.

In: the path of a lock file. Out: the lock, held until the block ends, or `Busy` with the name of who holds it.

    with locked(results.with_name(".results.json.lock"), wait=60.0):
        ...  # read, change and write

What counts is the lock on the file, not the file: one that a killed process left behind hinders nobody. It says who
holds the lock, for others to read: `{"pid": 4711, "host": "alpha", "since": "2026-11-21 18:40:12 UTC"}`.
"""

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EACCES, EAGAIN, EDEADLK, EINVAL, ELOOP, ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP
from pathlib import Path
from platform import node
from time import monotonic, sleep

from specforge.diagnostics import one_line

# how a lock that another process holds is refused, and how a file system says that it has none
_TAKEN = (EACCES, EAGAIN, EDEADLK)
_UNKNOWN = (ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP, EINVAL)
# never through a link: the file is written to, and a folder may come from somebody else
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
# seconds between two tries, and the most bytes that a holder's name takes
_PAUSE, _NAME_BYTES = 0.02, 1000
# how often in a row a file may be removed as it is opened; more often, the file system does not know its own files
_MOST_OTHERS = 100
# the descriptors of this process that hold a lock or try to
_HELD: set[int] = set()
# folders without locks that were told of, which is done once
_TOLD_OF: set[Path] = set()

if sys.platform == "win32":
    import msvcrt

    # a locked byte can't be read by others, so it lies far behind the name
    _FAR = 1 << 30

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Busy(Exception):
    """Another process holds the lock; `holder` names it, `pid` is its number where it runs on this machine."""

    def __init__(self, holder: str, pid: int | None):
        super().__init__(holder)
        self.holder, self.pid = holder, pid


@contextmanager
def locked(path: Path, *, wait: float = 0.0, tell: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lock inside; raises `Busy` when it is not free within `wait` seconds, OSError for a path that is wrong.

    Where the file system has no locks, that is told and the block runs without.
    """
    lock = acquire(path, wait=wait)
    if lock is None and path.parent not in _TOLD_OF:
        _TOLD_OF.add(path.parent)
        tell(f"the file system of {path.parent} has no locks: nothing keeps another process from writing there too")
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held. A forked child has a copy of this object, but the lock is its parent's."""

    path: Path
    descriptor: int
    pid: int

    def release(self) -> None:
        """Let go of it, and remove its file."""
        if self.pid != os.getpid():
            return
        _HELD.discard(self.descriptor)
        if sys.platform == "win32":  # no open file can be removed, which protects the one of the next holder
            os.close(self.descriptor)
            with suppress(OSError):
                self.path.unlink()
            return
        # while it is held: whoever has opened this file sees, once it has the lock, that the file is gone
        if _is_at(self.path, self.descriptor):
            with suppress(OSError):
                self.path.unlink()
        os.close(self.descriptor)


def acquire(path: Path, *, wait: float = 0.0) -> Lock | None:
    """The lock, None where the file system has none; raises as `locked` does."""
    last_try, others = monotonic() + wait, 0
    while True:
        try:
            found = _try(path)
        except Busy:
            if monotonic() >= last_try:
                raise
            sleep(_PAUSE)
            continue
        if found is None or _is_at(path, found.descriptor) or others == _MOST_OTHERS:
            return found
        others += 1
        found.release()  # its holder removed the file after we had opened it


def _try(path: Path) -> Lock | None:
    if path.is_symlink():
        raise OSError(ELOOP, os.strerror(ELOOP), str(path))
    descriptor = os.open(path, _FLAGS, 0o666)
    _HELD.add(descriptor)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(ELOOP, "Not a plain file", str(path))
        _take(descriptor)
        _sign(descriptor)
    except OSError as error:
        _HELD.discard(descriptor)
        holder = _holder(descriptor)
        os.close(descriptor)
        if error.errno in _TAKEN:
            raise Busy(*holder) from None
        if error.errno not in _UNKNOWN:
            raise
        with suppress(OSError):
            path.unlink()
        return None
    return Lock(path, descriptor, os.getpid())


def _sign(descriptor: int) -> None:
    """Say in the file who holds it. The clock is for people: nothing is decided by it."""
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    text = json.dumps({"pid": os.getpid(), "host": node(), "since": since})
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    with suppress(OSError):  # a full disk: the lock is held all the same
        os.write(descriptor, text.encode())


def _holder(descriptor: int) -> tuple[str, int | None]:
    """Who wrote the file, in words, and the process's number if it runs on this machine."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        record = json.loads(os.read(descriptor, _NAME_BYTES))
        pid, host, since = record["pid"], record["host"], record["since"]
    except (OSError, ValueError, KeyError, TypeError):
        return "another process", None
    words = one_line(f"process {pid} on {host}, since {since}")
    return words, pid if isinstance(pid, int) and host == node() else None


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is still the one at this path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _let_go_in_child() -> None:
    """A forked child shares its parent's locks, and would keep them when the parent is dead."""
    for descriptor in _HELD:
        with suppress(OSError):
            os.close(descriptor)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
