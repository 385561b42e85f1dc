"""Ctrl-C and termination requests, taken up where the run can be saved.

    with InterruptGuard() as guard:
        for batch in batches:
            guard.check()   # raises Interrupted after a signal

The first signal is remembered; the second ends the process at once. The handlers that were there come back.
"""

import os
import signal
import threading
from types import FrameType
from typing import Any, Self

from specforge.training.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class InterruptGuard:
    """Remembers the first signal until `check` is called. Outside the main thread it cannot and does nothing."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._receive) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            # None stands for a handler that was not installed from Python and cannot be put back
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def check(self) -> None:
        if self._received is not None:
            raise Interrupted(self._received)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self._received is not None:
            # not SystemExit: it could be caught half way through a write and look like a failure of the disk
            os._exit(128 + number)
        self._received = number
