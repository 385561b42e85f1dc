"""One run, one folder, one writer: makes the folder of a run and holds it until the run's last file is written.

    with run_folder(Path("runs/lab2"), "lab2", resume=False, tell=print) as folder:
        ...  # nobody else writes here

In: a path. Out: a folder that this process alone writes into; a TrainingError that names the process which has it. A
folder that was made for nothing, because the run could not start, is gone again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import ELOOP, ENAMETOOLONG
from pathlib import Path

from specforge.training import durable
from specforge.training.errors import TrainingError
from specforge.training.lock import Busy, Lock, acquire

LOCK = ".specforge.lock"
# no path below a run is longer: `checkpoints/.epoch-0007-step-00120.partial/averages.safetensors`, with room for more
_DEEPEST = Path("checkpoints") / ("x" * 60) / ("x" * 60)
_ANOTHER = "choose another folder with `--out`"
_SHOWN = 120


class Taken(Exception):
    """A folder that should have been new is there."""


@contextmanager
def run_folder(out: Path | None, name: str, *, resume: bool, tell: Callable[[str], None]) -> Iterator[Path]:
    """Hold the folder that was named, or one of `runs/NAME`, `runs/NAME-2`, …, which is new unless a run goes on."""
    with ExitStack() as held:
        while True:
            folder = default_folder(name, resume=resume) if out is None else out
            try:
                held.enter_context(claimed(folder, tell=tell, new=out is None and not resume))
            except Taken:  # by a run that began at the same moment
                continue
            break
        yield folder


def default_folder(name: str, *, resume: bool) -> Path:
    """`runs/NAME`, or the next free `runs/NAME-2`, …; to resume, the newest that exists."""
    number, folder = 1, Path("runs") / name
    while os.path.lexists(folder):
        number += 1
        following = Path("runs") / f"{name}-{number}"
        if resume and not os.path.lexists(following):
            return folder
        folder = following
    return folder


@contextmanager
def claimed(folder: Path, *, tell: Callable[[str], None], new: bool = False) -> Iterator[None]:
    """Hold the folder inside, made where it is missing; raises `Taken` for one that exists although it must be `new`.

    Where the file system has no locks, that is told, and nobody is kept out.
    """
    made, lock = _enter(folder, new=new)
    try:
        if lock is None:
            tell(f"the file system of {folder} has no locks: take care that no other process trains there")
        yield
    finally:
        if lock is not None:
            lock.release()
        _remove_empty(made)


def _enter(folder: Path, *, new: bool) -> tuple[list[Path], Lock | None]:
    demand_short(folder)
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    for attempt in range(3):
        try:
            durable.make_folder(folder.parent)
            folder.mkdir(exist_ok=not new)
            durable.sync_folder(folder.parent)
            return missing, acquire(folder / LOCK)
        except Busy as busy:
            raise _in_use(folder, busy) from None
        except FileNotFoundError as error:
            # whoever made it for nothing has just removed it
            if attempt == 2 or (folder.is_symlink() and not folder.exists()):
                raise _cannot_enter(folder, error) from None
        except OSError as error:
            _remove_empty(missing)
            if new and isinstance(error, FileExistsError) and os.path.lexists(folder):
                raise Taken from None
            raise _cannot_enter(folder, error) from None
    raise AssertionError("the last attempt returns or raises")


def _in_use(folder: Path, busy: Busy) -> TrainingError:
    stop = f", stop it (`kill {busy.pid}`)" if busy.pid is not None and os.name == "posix" else ""
    return TrainingError(
        f"{folder} is in use by {busy.holder}", hint=f"wait until it ends{stop}, or choose another folder with `--out`"
    )


def _cannot_enter(folder: Path, error: OSError) -> TrainingError:
    if error.errno == ENAMETOOLONG:
        return _too_long(folder)
    if folder.is_symlink() and not folder.exists():
        return TrainingError(f"{folder} is a link to a folder that is not there", hint=f"make it, or {_ANOTHER}")
    if error.errno == ELOOP and (folder / LOCK).is_symlink():
        return TrainingError(
            f"{folder / LOCK} is a link, which no run writes through", hint=f"remove it, or {_ANOTHER}"
        )
    return durable.cannot_write(folder, error)


def demand_short(folder: Path) -> None:
    """A run must not train an epoch to find that its checkpoint's path is too long: raises TrainingError."""
    try:
        (folder / _DEEPEST).lstat()
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            raise _too_long(folder) from None


def _too_long(folder: Path) -> TrainingError:
    text = str(folder)
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 2 :]}"
    longest = max(len(os.fsencode(part)) for part in folder.parts)
    return TrainingError(
        f"the path of the run is too long for the file system: {shown} ({len(os.fsencode(folder)):,} bytes "
        f"in all, {longest:,} in one name)",
        hint="most take 255 bytes in a name and 4,095 in a path, of which a run needs 150; choose a shorter `--out`",
    )


def _remove_empty(made: list[Path]) -> None:
    """The folders that were made here, the deepest first, while nothing is in them."""
    for path in made:
        with suppress(OSError):
            path.rmdir()
