"""Several processes on one machine that run a search's trials.

In: a search that is opened, and how many. Out: its trials. A process that dies is replaced, and its trial is given to
another one; what a process reports as wrong ends the search.

    parent --(a JSON line, then nothing until it is gone)--> `python -m specforge.search` --(a JSON line)--> parent

Processes have a group of their own, so that Ctrl-C reaches the parent alone, which passes it on once. They end when the
parent does: their standard input ends with it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from specforge.search.chains import Chain, chains
from specforge.search.errors import SearchError
from specforge.search.news import News
from specforge.search.owners import Owners, is_of, mend
from specforge.search.ranking import settled
from specforge.search.storage import explained
from specforge.training.errors import Interrupted
from specforge.training.interrupts import InterruptGuard

if TYPE_CHECKING:
    from specforge.search.run import Opened, Request

_LOOK, _LISTEN = 0.1, 1.0  # seconds between looks at the processes, and at the storage
# so often in a row may processes die without any trial having ended in between
_MOST_DEATHS = 8
_THREADS = "OMP_NUM_THREADS"


def run_workers(
    request: "Request", opened: "Opened", guard: InterruptGuard, news: News, deadline: float | None
) -> None:
    """Raises SearchError, and Interrupted when all processes have saved their trials."""
    try:
        with _Crew(request, opened, deadline, news.tell) as crew:
            heard = monotonic()
            while crew.is_busy():
                guard.check()
                if monotonic() - heard > _LISTEN:
                    heard = monotonic()
                    _listen(opened, news)
                sleep(_LOOK)
    except (Interrupted, SearchError):
        with suppress(SearchError):  # what was first is told
            _listen(opened, news)
        raise
    _listen(opened, news)


def _listen(opened: "Opened", news: News) -> None:
    with explained(opened.place):
        news(chains(opened.study.get_trials(deepcopy=False)))


class _Crew:
    """The processes; leaving the block ends those that are left."""

    def __init__(self, request: "Request", opened: "Opened", deadline: float | None, tell: Callable[[str], None]):
        self._request, self._opened, self._deadline, self._tell = request, opened, deadline, tell
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._deaths = self._settled = 0

    def __enter__(self) -> "_Crew":
        for number in range(self._request.workers):
            self._start(number)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def is_busy(self) -> bool:
        """Whether somebody works. Who died is replaced, while there is something left to do."""
        for number, process in list(self._processes.items()):
            if process.poll() is not None:
                del self._processes[number]
                self._bury(number, process)
        return bool(self._processes)

    def stop(self) -> None:
        """Ask all to save what they do, and wait; ask again, as for a second Ctrl-C, and they end at once."""
        for process in self._processes.values():
            with suppress(OSError):
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            _wait(process)
        self._processes.clear()

    def _bury(self, number: int, process: "subprocess.Popen[str]") -> None:
        said = _said(process)
        if process.returncode == 0:
            return
        if said is not None:
            raise SearchError(said["message"], hint=said.get("hint"))
        if process.returncode > 0 and process.returncode not in (128 + signal.SIGTERM, 128 + signal.SIGINT):
            raise SearchError(
                f"a worker ended with the exit code {process.returncode}; what it said is above",
                hint="go on with `--resume`; with `--workers 1` the search runs in this process",
            )
        opened = self._opened
        owners = Owners.of(opened.place, opened.folder)
        with explained(opened.place), owners.alone():
            known = mend(opened.study, owners, opened.budget)
        self._tell(_death(process, known))
        ended = len(settled(known))
        self._deaths = 1 if ended > self._settled else self._deaths + 1
        self._settled = ended
        if self._deaths >= _MOST_DEATHS:
            raise SearchError(
                f"{self._deaths} workers died one after another, the last {_cause(process.returncode)}",
                hint="is the memory used up? try fewer `--workers`, then `--resume`",
            )
        if ended < opened.budget:
            self._start(number)

    def _start(self, number: int) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "specforge.search"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            env={**os.environ, _THREADS: str(threads_of(self._request.workers))},
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it is dead already, which is seen next
            process.stdin.write(json.dumps(self._job(number)) + "\n")
            process.stdin.flush()
        self._processes[number] = process

    def _job(self, number: int) -> dict[str, Any]:
        request, opened = self._request, self._opened
        devices = request.device.split(",") if request.device else [None]
        return {
            "file": request.file,
            "settings": list(request.settings),
            "out": str(opened.folder),
            "storage": request.storage,
            "study": opened.study.study_name,
            "trials": opened.budget,
            "seconds": None if self._deadline is None else max(0.0, self._deadline - monotonic()),
            "device": devices[number % len(devices)],
            "data_dir": None if request.data_dir is None else str(request.data_dir),
            "download": request.download,
        }


def threads_of(workers: int) -> int:
    """Each worker's share of the cores, or of what `OMP_NUM_THREADS` allows."""
    given = os.environ.get(_THREADS, "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, (int(given) if given.isdigit() else cores) // workers)


def _said(process: "subprocess.Popen[str]") -> dict[str, Any] | None:
    """Its last line, if it said why it ended."""
    assert process.stdout is not None
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    with process.stdout as stdout:
        text = stdout.read()
    for line in reversed(text.splitlines()):
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict) and isinstance(record.get("message"), str):
                return record
    return None


def _wait(process: "subprocess.Popen[str]") -> None:
    """A worker saves its trial; a second Ctrl-C ends it at once."""
    with _passed_on(process):
        process.wait()
    _said(process)


@contextmanager
def _passed_on(process: "subprocess.Popen[str]") -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def again(number: int, _: object) -> None:
        process.send_signal(signal.SIGTERM)

    try:
        for number in previous:
            signal.signal(number, again)
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _death(process: "subprocess.Popen[str]", known: list[Chain]) -> str:
    """What became of a worker and its trial."""
    code = process.returncode
    how = f"was killed (signal {-code})" if code < 0 else f"was ended (exit code {code})"
    had_one = any(not chain.is_settled and is_of(trial, process.pid) for chain in known for trial in chain.trials)
    return f"worker {process.pid} {how}{': its trial is taken up again' * had_one}"


def _cause(code: int) -> str:
    if code >= 0:
        return f"with the exit code {code}"
    try:
        return f"of {signal.Signals(-code).name}"
    except ValueError:
        return f"of signal {-code}"
