"""specforge itself: `specforge.train`, as the command line calls it, with a listener that waits for its turns."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.turns import Turns


def run(case: Case, turns: Turns) -> None:
    train(case, case.settings(), turns)


def train(case: Case, settings: tuple[str, ...], turns: Turns) -> None:
    """Nothing of torch is imported here: `specforge.train` settles how torch starts before it does."""
    import specforge

    specforge.train(case.path, settings=settings, out=Path("run"), listener=TakesTurns(turns))


class TakesTurns:
    """Holds the engine after every step until it may go on."""

    def __init__(self, turns: Turns):
        self._turns = turns

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        from benchmarks.ways.device import finish

        self._turns.begin(finish)

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self._turns.step()

    def on_epoch(self, metrics: Mapping[str, float | int]) -> None:
        self._turns.again()

    def on_message(self, text: str) -> None: ...
