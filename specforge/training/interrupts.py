"""Ctrl-C and termination requests, taken up where the run can be saved.

    with InterruptGuard(Path("runs/lab2")) as guard:
        for batch in batches:
            guard.check()   # raises Interrupted after a signal

The first signal is remembered; the second ends the process at once, with one line to stderr. The handlers that were
there come back. A signal that the process was started to ignore, as by `nohup` or by a script's `&`, stays ignored.
"""

import os
import shlex
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, Self

from specforge.diagnostics import one_line
from specforge.training.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# seconds within which the signals of several processes are one
_SAME = 3.0
_SHOW_CURSOR = b"\r\x1b[?25h"  # a progress bar hides it


class InterruptGuard:
    """Remembers the first signal until `check` is called. Outside the main thread it cannot and does nothing.

    `run` is the folder of what would be interrupted. Several processes `agree` on a signal, at the same check for all
    of them; what comes within a moment of the first is the same one, sent by whoever has started them.
    """

    def __init__(self, run: Path | None = None, *, agree: Callable[[int | None], int | None] | None = None) -> None:
        self._run, self._agree = run, agree
        self._at = 0.0
        self._received: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._previous = {number: signal.signal(number, self._receive) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            # None stands for a handler that was not installed from Python and cannot be put back
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def check(self) -> None:
        received = self._received if self._agree is None else self._agree(self._received)
        if received is not None:
            raise Interrupted(received, run=self._run)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self._received is not None and self._agree is not None and monotonic() - self._at < _SAME:
            return
        if self._received is not None:
            with suppress(OSError):
                os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + self._last_words())
            # not SystemExit: it could be caught half way through a write and look like a failure of the disk
            os._exit(128 + number)
        self._received, self._at = number, monotonic()

    def _last_words(self) -> bytes:
        options = ["--resume"] if self._run is None else ["--out", str(self._run), "--resume"]
        line = f"ended at once: what was saved before is whole; go on with it by `{one_line(shlex.join(options))}`\n"
        return line.encode(errors="replace")
