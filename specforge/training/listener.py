"""What a run tells while it goes on. Training prints nothing; whoever calls it listens."""

from collections.abc import Mapping
from typing import Protocol

Metrics = Mapping[str, float | int]


class Listener(Protocol):
    """Epochs and steps count from 1."""

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        """Training begins or goes on: so many epochs, and steps of the next one, are done already."""

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        """A step is done. `loss` is the epoch's mean so far where reading it costs nothing, else None."""

    def on_epoch(self, metrics: Metrics) -> None:
        """An epoch is done; `metrics` is its line of `metrics.jsonl`."""

    def on_message(self, text: str) -> None:
        """A sentence that the user should see."""


class Silence:
    """Listens and says nothing."""

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None: ...

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None: ...

    def on_epoch(self, metrics: Metrics) -> None: ...

    def on_message(self, text: str) -> None: ...
