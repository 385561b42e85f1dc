"""A child process that judges cases in a folder of its own, within a limit on memory that nothing can pass."""

import os
import resource
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.cases import BESIDE, MAIN, Case, make_case
from tests.fuzz.verdict import MAX_MEGABYTES, judge

GUARD = (
    3  # times the limit that a verdict knows: what lies between is told as a verdict, what is above ends in MemoryError
)
SELDOM = 10
THOROUGH = {"grammar": 2, "experiment": 2}  # these are right more often


def work(orders: Connection) -> None:
    """Answer every order, a case or (seed, number), with (number, verdict); None ends."""
    limit = int(GUARD * MAX_MEGABYTES * 1024 * 1024)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        _put(Case("", b"specforge: 1\nname: warm\nmodel: {input: [3], layers: [linear: 3]}\n", b""))
        judge(thorough=True)
        while (order := orders.recv()) is not None:
            case, number = (order, 0) if isinstance(order, Case) else (make_case(*order), order[1])
            _put(case)
            often = THOROUGH.get(case.kind.partition("+")[0], SELDOM)
            orders.send((number, judge(case.settings, thorough=isinstance(order, Case) or number % often == 0)))
        os.chdir("/")


def _put(case: Case) -> None:
    Path(MAIN).write_bytes(case.spec)
    Path(BESIDE).write_bytes(case.beside)
