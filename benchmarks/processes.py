"""The parent's end: ways of training in processes of their own, which take turns.

Between its turns a process is stopped, with all its children, as Ctrl-Z does it: it cannot load batches ahead at the
cost of whoever has the turn, and no idle thread of its spins.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cases import ROOT, Case
from specforge.experiment import SPINS

# Threads of torch's runtime that wait for each other give way soon, in every way as in specforge: without it, other
# work on the machine would slow the ways that do not ask for it ten times, and the comparison would be about that.
SHORT_SPINS = {"GOMP_SPINCOUNT": SPINS}
# seconds in which every way gets ready, or through a turn, on any machine that these networks are trained on
PATIENCE = 300


class WorkerFailed(Exception):
    """A worker ended before it answered; the text is what it said last."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a worker's steps took. `peak_bytes` is the most memory that it has held so far."""

    seconds: float
    cpu_seconds: float
    images: int
    peak_bytes: int


class Worker:
    """One way in its process, stopped whenever it is not its turn. `folder` is where it may write."""

    def __init__(self, way: str, case: Case, folder: Path):
        self._errors = folder / "errors.txt"
        words = way, case.spec, str(case.batch), case.augmentation, str(case.images)
        command = [sys.executable, "-m", "benchmarks.worker", *words]
        environment = {**SHORT_SPINS, **os.environ, "PYTHONPATH": str(ROOT)}
        with self._errors.open("w") as errors:
            # a group of its own, so that children are stopped with it
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                process_group=0,
            )

    def await_ready(self) -> None:
        """Until it has imported and prepared everything; raises WorkerFailed."""
        self._answer()
        self._await_stop()

    def turn(self, steps: int) -> Turn:
        """Let it take so many steps; raises WorkerFailed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"steps {steps}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self._last_words()) from None
        self._signal(signal.SIGCONT)
        found = Turn(**self._answer())
        self._await_stop()
        return found

    @property
    def process(self) -> int:
        """Its number."""
        return self._process.pid

    def close(self) -> None:
        """End it and what it started."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # a command that was never read
                if pipe is not None:
                    pipe.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answered, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        if not answered:
            raise WorkerFailed(f"no answer in {PATIENCE} seconds")
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(self._last_words())
        content: dict[str, Any] = json.loads(line)
        return content

    def _last_words(self) -> str:
        code = self._process.wait()
        lines = self._errors.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [line for line in lines if line.strip() and not line[0].isspace()]
        return said[-1] if said else f"it ended with code {code} and said nothing"

    def _await_stop(self) -> None:
        """A worker that was let go on before it stands still would never do so."""
        with suppress(ChildProcessError):  # it has ended, which the next answer will tell
            os.waitpid(self._process.pid, os.WUNTRACED)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has ended, which the next answer will tell
            os.killpg(self._process.pid, number)


@contextmanager
def workers(wanted: Mapping[str, tuple[str, Case]], failed: Callable[[str, str], None]) -> Iterator[dict[str, Worker]]:
    """A ready worker for each name's way and case. `failed` is told the name and the reason of those that are not."""
    with ExitStack() as stack:
        started: dict[str, Worker] = {}
        for name, (way, case) in wanted.items():
            folder = stack.enter_context(TemporaryDirectory(prefix="benchmark-"))
            started[name] = Worker(way, case, Path(folder))
            stack.callback(started[name].close)
        ready: dict[str, Worker] = {}
        for name, worker in started.items():
            try:
                worker.await_ready()
                ready[name] = worker
            except WorkerFailed as failure:
                failed(name, str(failure))
        yield ready
