"""Many cases on several worker processes; a worker that dies or hangs is a failure of its case and is replaced."""

import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic

from tests.fuzz.cases import Case
from tests.fuzz.verdict import Verdict
from tests.fuzz.worker import work

HANG = 60.0
Order = tuple[int, int] | Case


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    orders: Connection
    number: int | None = None
    since: float = 0.0


class Workers:
    """Worker processes, used as a context."""

    def __init__(self, count: int):
        self.context = multiprocessing.get_context("spawn")
        self.workers = [self._started() for _ in range(count)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self.workers:
            worker.orders.close()  # ends the worker's wait for an order
            worker.process.join(2)
            worker.process.kill()
            worker.process.join()

    def _started(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=_run, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def judged(self, orders: Iterator[Order]) -> Iterator[tuple[int, Verdict]]:
        """The verdict of every order, in the order that they are done in."""
        free = list(self.workers)
        busy: list[_Worker] = []
        for order in orders:
            while not free:
                yield from self._finished(busy, free)
            worker = free.pop()
            with suppress(BrokenPipeError):  # it has died: its answer will say so
                worker.orders.send(order)
            worker.number, worker.since = (0 if isinstance(order, Case) else order[1]), monotonic()
            busy.append(worker)
        while busy:
            yield from self._finished(busy, free)

    def judge(self, case: Case) -> Verdict:
        return next(verdict for _, verdict in self.judged(iter([case])))

    def _finished(self, busy: list[_Worker], free: list[_Worker]) -> Iterator[tuple[int, Verdict]]:
        ready = wait([worker.orders for worker in busy], timeout=1.0)
        for worker in list(busy):
            assert worker.number is not None
            hangs = monotonic() - worker.since > HANG
            if worker.orders not in ready and not hangs:
                continue
            busy.remove(worker)
            try:
                if worker.orders not in ready:
                    raise EOFError
                number, verdict = worker.orders.recv()
            except (EOFError, ConnectionResetError):
                number, verdict = worker.number, self._replaced(worker, hangs=hangs)
            free.append(worker)
            yield number, verdict

    def _replaced(self, worker: _Worker, *, hangs: bool) -> Verdict:
        worker.process.kill()
        worker.process.join()
        code = worker.process.exitcode
        new = self._started()
        worker.process, worker.orders = new.process, new.orders
        return Verdict("crash", "hangs" if hangs else f"exit code {code}", "the process was killed" if hangs else "")


def _run(orders: Connection) -> None:
    try:
        work(orders)
    except (EOFError, KeyboardInterrupt, BrokenPipeError):
        sys.exit(0)
