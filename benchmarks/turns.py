"""Steps on request: a way of training calls `step` after each of its steps, and is held there until it is its turn.

in:  a line `steps 3`
out: a line {"seconds": 0.21, "cpu_seconds": 0.4, "images": 384, "peak_bytes": 912000000}

So the loop that is measured is the real one, whoever owns it: specforge's engine, Keras's `fit` or Lightning's trainer.
"""

import json
import os
from collections.abc import Callable
from time import perf_counter
from typing import NoReturn, TextIO

from benchmarks.usage import cpu_seconds, peak_bytes


class Turns:
    """The worker's end of the pipes. `stop` makes the whole worker stand still until it is its turn again."""

    def __init__(self, commands: TextIO, answers: TextIO, *, batch: int, stop: Callable[[], object]):
        self._commands, self._answers, self._batch, self._stop = commands, answers, batch, stop
        self._finish: Callable[[], object] = _nothing
        self._left = self._steps = 0

    def begin(self, finish: Callable[[], object] | None = None) -> None:
        """Everything is ready for the first step: say so, and wait.

        `finish` waits for what a step may leave unfinished, such as a GPU's work.
        """
        self._finish = finish or _nothing
        self._answer({"ready": True})
        self._await()

    def step(self) -> None:
        """A step is done; after the last one of a turn, answer and wait for the next."""
        self._left -= 1
        if self._left:
            return
        self._finish()
        seconds, cpu = perf_counter() - self._began, cpu_seconds() - self._cpu_began
        images = self._steps * self._batch
        self._answer({"seconds": seconds, "cpu_seconds": cpu, "images": images, "peak_bytes": peak_bytes()})
        self._await()

    def again(self) -> None:
        """Something else than steps came in between, such as the end of an epoch: take the turn again from here."""
        if self._left < self._steps:
            self._left = self._steps
        self._open()

    def _await(self) -> None:
        self._stop()
        words = self._commands.readline().split()
        if not words:
            _leave()
        name, steps = words
        assert name == "steps", name
        self._left = self._steps = int(steps)
        self._open()

    def _open(self) -> None:
        self._cpu_began, self._began = cpu_seconds(), perf_counter()

    def _answer(self, content: dict[str, object]) -> None:
        self._answers.write(json.dumps(content) + "\n")
        self._answers.flush()


def _nothing() -> None:
    pass


def _leave() -> NoReturn:
    """The other end is gone. No loop that is measured knows how to end in the middle of a step."""
    os._exit(0)
