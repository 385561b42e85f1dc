"""Signals are remembered, and the handlers that were there come back."""

import os
import signal
import threading
from contextlib import suppress

import pytest

from specforge.training.errors import Interrupted
from specforge.training.interrupts import InterruptGuard


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_raised_at_the_next_check(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with InterruptGuard() as guard:
        guard.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted) as caught:
            guard.check()
    assert caught.value.exit_code == code
    assert signal.getsignal(number) is before


def test_handlers_come_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with suppress(RuntimeError), InterruptGuard():
        assert signal.getsignal(signal.SIGINT) is not before
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_can_train_too() -> None:
    finished: list[bool] = []

    def work() -> None:
        with InterruptGuard() as guard:
            guard.check()
        finished.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert finished == [True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_ignored_stays_so(number: signal.Signals) -> None:
    """As in a job that a script has started with `&`: Ctrl-C is meant for another one."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with InterruptGuard() as guard:
            os.kill(os.getpid(), number)
            guard.check()
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)
