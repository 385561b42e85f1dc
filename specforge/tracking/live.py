"""A run in progress, sent to other tools as it goes.

In: targets and the run's folder, and a listener. Out: a listener that hears the same, and hands each epoch on. What
goes wrong with a tool is told once, and never stops the training; what it has missed comes with the next `--track` or
by `specforge track`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time

from specforge.tracking.content import epoch_of, outcome
from specforge.tracking.tracker import Target, Tracked, opened, reason_of
from specforge.training.listener import Listener, Metrics


@contextmanager
def tracking(targets: Sequence[Target], folder: Path, listener: Listener) -> Iterator[Listener]:
    """Inside, what the listener hears is tracked; at the end, the final test too."""
    if not targets:
        yield listener
        return
    live = _Live(targets, folder, listener)
    try:
        yield live
    finally:
        live.close()


class _Live:
    def __init__(self, targets: Sequence[Target], folder: Path, listener: Listener):
        self._folder, self._listener = folder, listener
        self._waiting: list[Target] = list(targets)
        self._open: dict[Target, Tracked] = {}

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        self._begin()
        self._listener.on_start(epochs, steps_per_epoch, epochs_done, steps_done)

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self._listener.on_step(epoch, step, steps, loss)

    def on_epoch(self, metrics: Metrics) -> None:
        self._listener.on_epoch(metrics)
        epoch = epoch_of(metrics, at=time())
        for target, tracked in list(self._open.items()):
            self._try(target, lambda tracked=tracked: tracked.add(epoch))  # type: ignore[misc]  # mypy knows no defaults

    def on_message(self, text: str) -> None:
        self._listener.on_message(text)

    def close(self) -> None:
        """A run that was finished before has not begun here; one that could not start has nothing to track."""
        if outcome(self._folder):
            self._begin()
        for target, tracked in list(self._open.items()):
            self._try(target, tracked.close)

    def _begin(self) -> None:
        """When the folder is there, with the lines of the epochs that are done."""
        while self._waiting:
            target = self._waiting.pop()
            self._try(target, lambda target=target: self._begun(target))  # type: ignore[misc]  # as above

    def _begun(self, target: Target) -> None:
        tracked = opened(target, self._folder)
        tracked.catch_up()
        self._open[target] = tracked

    def _try(self, target: Target, what: Callable[[], object]) -> None:
        try:
            what()
        except Exception as error:  # noqa: BLE001  whatever another program's client raises, the training goes on
            was_open = self._open.pop(target, None) is not None
            why = reason_of(error)
            lost = (
                f"is not tracked any more by {target} ({why})"
                if was_open
                else f"could not be tracked by {target}: {why}"
            )
            self._listener.on_message(
                f"the run {lost}; training goes on, and `specforge track {self._folder} --to {target}` sends what is "
                "missing"
            )
