"""A run that is stopped or dies at a place of its own ends as if it had not: weights, averages, optimizer, metrics.

What random numbers are drawn is compared too: the state of torch's generator after every step.
"""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.training import epochs
from specforge.training.errors import Interrupted
from specforge.training.learner import Learner
from specforge.training.run_directory import RunDirectory
from tests.training.endings import differences
from tests.training.experiments import Recorder
from tests.training.recipes import train_recipe

Place = tuple[Any, ...]
PLACES: list[tuple[str, Place]] = [
    ("plain", ("epoch", 1)),
    ("plain", ("step", 3, 3)),
    ("plain", ("epoch", 3)),
    ("plain", ("file", "confusion.json")),
    ("plain", ("file", "result.json")),
    ("everything", ("step", 1, 2)),  # in the warmup
    ("everything", ("epoch", 1)),
    ("everything", ("step", 2, 3)),
    ("everything", ("epoch", 2)),  # at its end
    ("everything", ("step", 3, 1)),
    ("everything", ("message", "stopped early")),
    ("stages", ("step", 1, 3)),
    ("stages", ("epoch", 1)),
    ("stages", ("message", "stage 2")),  # thawed, before its first step
    ("stages", ("step", 2, 1)),
    ("stages", ("epoch", 2)),
    ("stages", ("message", "stage 3")),
    ("snapshots", ("step", 2, 2)),
    ("snapshots", ("epoch", 2)),  # between two cycles
    ("snapshots", ("step", 3, 1)),
    ("snapshots", ("epoch", 4)),
    ("found", ("sweep", 1, 20)),
    ("found", ("message", "the learning-rate finder")),
    ("found", ("step", 1, 1)),
    ("found", ("sweep", 2, 0)),
    ("found", ("sweep", 2, 20)),
    ("found", ("epoch", 2)),
]


class Killed(BaseException):
    """Stands for a death that nothing can react to."""


def _ask() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _die() -> None:
    raise Killed


ENDS: dict[str, tuple[Callable[[], None], AbstractContextManager[Any]]] = {
    "asked": (_ask, pytest.raises(Interrupted)),
    "killed": (_die, pytest.raises(Killed)),
}


# once the test is done, a run that is asked to stop comes to its end
CASES = [(recipe, place, end) for recipe, place in PLACES for end in ENDS if end == "killed" or place[0] != "file"]


class Walker(Recorder):
    """Calls `stop` at a place, once; `random` is the state of torch's generator after each step."""

    def __init__(self, place: Place = (), stop: Callable[[], None] = lambda: None):
        super().__init__()
        self._place, self._stop, self._sweep = place, stop, 0
        self.random: dict[tuple[int, int], bytes] = {}

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self.random[epoch, step] = bytes(torch.get_rng_state().tolist())
        self.reach("step", epoch, step)

    def on_epoch(self, metrics: Mapping[str, Any]) -> None:
        self.reach("epoch", metrics["epoch"])

    def on_message(self, text: str) -> None:
        if self._place[:1] == ("message",) and text.startswith(self._place[1]):
            self.reach(*self._place)

    def sweep(self, step: int) -> None:
        self._sweep += step == 0
        self.reach("sweep", self._sweep, step)

    def reach(self, *place: Any) -> None:
        if place == self._place:
            self._place = ()
            self._stop()


@pytest.fixture(autouse=True)
def _save_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "SAVING_SHARE", 1.0)


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Walker]]:
    """Runs that nothing has stopped, of each recipe one."""
    found: dict[str, tuple[Path, Walker]] = {}

    def whole(recipe: str) -> tuple[Path, Walker]:
        if recipe not in found:
            folder, walker = tmp_path_factory.mktemp(recipe) / "run", Walker()
            train_recipe(folder, recipe, listener=walker)
            found[recipe] = folder, walker
        return found[recipe]

    return whole


@pytest.mark.parametrize(("recipe", "place", "end"), CASES, ids=str)
def test_a_run_ends_the_same_wherever_it_was_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wholes: Callable[[str], tuple[Path, Walker]],
    recipe: str,
    place: Place,
    end: str,
) -> None:
    whole, uninterrupted = wholes(recipe)
    stop, ends = ENDS[end]
    stopped, resumed = Walker(place, stop), Walker()
    with monkeypatch.context() as patched, ends:
        _lead_past(stopped, patched)
        train_recipe(tmp_path / "run", recipe, listener=stopped)
    train_recipe(tmp_path / "run", recipe, listener=resumed, resume=True)
    assert differences(whole, tmp_path / "run") == []
    drawn = {**stopped.random, **resumed.random}
    assert drawn == uninterrupted.random


def _lead_past(walker: Walker, patched: pytest.MonkeyPatch) -> None:
    """The walker hears of the finder's steps and of the files of the final test."""
    learn, write = Learner.learn, RunDirectory.write

    def learning(self: Learner, batch: Any, *, epoch: int, step: int) -> Any:
        if epoch == -1:
            walker.sweep(step)
        return learn(self, batch, epoch=epoch, step=step)

    def writing(self: RunDirectory, name: str, content: bytes) -> None:
        walker.reach("file", name)
        write(self, name, content)

    patched.setattr(Learner, "learn", learning)
    patched.setattr(RunDirectory, "write", writing)
