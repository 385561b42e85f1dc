"""Runs that are killed: a process that has loaded torch forks one child for each of them.

    with Nursery() as nursery:
        nursery.train(folder, "plain", after=0.1)  # SIGKILL after so many seconds
        nursery.train(folder, "plain", at_call=17)  # SIGKILL in place of the 17th call that changes the disk
        nursery.train(folder, "plain")  # goes on to the end

Starting Python with torch takes a second, forking it a millisecond. The process computes in one thread, as a child of
one that has a pool of them could wait for it forever. What a child did stays beside its folder: `NAME.trail` has its
steps and saves, `NAME.calls` what changed the disk.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, NamedTuple, NoReturn
from unittest import mock

import torch

from specforge.analysis import analyse
from specforge.training import epochs
from specforge.training.checkpoint import Checkpoint, CheckpointStore
from tests.training.recipes import RECIPES, STEPS, spec_of, train_recipe
from tests.training.system_calls import Call, watched

ROOT = Path(__file__).parents[2]
KILLED = -9  # what `waitpid` says of SIGKILL


@dataclass(frozen=True, slots=True)
class Order:
    folder: str
    recipe: str
    after: float | None = None
    at_call: int | None = None


class End(NamedTuple):
    """`status` is 0 for a finished run, `KILLED` for a killed one."""

    status: int
    seconds: float


class Nursery:
    """A process that takes orders."""

    def __enter__(self) -> "Nursery":
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.training.nursery"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def train(self, folder: Path, recipe: str, *, after: float | None = None, at_call: int | None = None) -> End:
        """Start a run, or go on with it, and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(Order(str(folder), recipe, after, at_call))) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery is gone: see its messages"
        return End(**json.loads(answer))


def main() -> None:
    """A line of JSON for each order."""
    torch.set_num_threads(1)
    for name in ("specforge.training.trainer", "specforge.training.changed_spec", "specforge.data.first_images"):
        import_module(name)
    for recipe in RECIPES:
        analyse(spec_of(recipe)).require()  # imports the words of the recipe, once for all children
    for line in sys.stdin:
        print(json.dumps(_carried_out(Order(**json.loads(line)))._asdict()), flush=True)


def _carried_out(order: Order) -> End:
    began = perf_counter()
    child = os.fork()
    if child == 0:
        _live(order)
    ended, status = 0, 0
    while order.after is not None and not ended and perf_counter() < began + order.after:
        sleep(0.001)
        ended, status = os.waitpid(child, os.WNOHANG)
    if order.after is not None and not ended:
        os.kill(child, signal.SIGKILL)
    if not ended:
        _, status = os.waitpid(child, 0)
    return End(os.waitstatus_to_exitcode(status), perf_counter() - began)


def _live(order: Order) -> NoReturn:
    """A child's life; nothing of the parent's may be cleaned up at its end."""
    status = 1
    try:
        _train(order)
        status = 0
    except BaseException:  # noqa: BLE001  whatever it is, its traceback is what the test shows
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _train(order: Order) -> None:
    folder = Path(order.folder)
    trail, counted = Trail(folder.with_name(f"{folder.name}.trail")), _Counted(order.at_call)
    epochs.SAVING_SHARE = 1.0  # every epoch
    original = CheckpointStore.save

    def save(store: CheckpointStore, checkpoint: Checkpoint) -> None:
        original(store, checkpoint)
        trail.note("saved", checkpoint.progress.epoch, checkpoint.progress.step)

    with mock.patch.object(CheckpointStore, "save", save), watched(counted):
        train_recipe(folder, order.recipe, resume=True, listener=trail)
    folder.with_name(f"{folder.name}.calls").write_text("\n".join(counted.calls))


class _Counted:
    """Dies in place of a call."""

    def __init__(self, last: int | None):
        self._last = last
        self.calls: list[str] = []

    def __call__(self, call: Call) -> None:
        if len(self.calls) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.calls.append(str(call))


class Trail:
    """A listener whose notes outlive it."""

    def __init__(self, path: Path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, word: str, epoch: int, step: int) -> None:
        os.write(self._file, f"{word} {epoch} {step}\n".encode())

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        self.note("start", epochs_done, steps_done)

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self.note("step", epoch - 1, step)

    def on_epoch(self, metrics: Any) -> None:
        pass

    def on_message(self, text: str) -> None:
        pass


def redone(run: Path) -> list[int]:
    """How many steps each start of a run did again; asserts that they were none of those that had been saved."""
    found: list[int] = []
    reached = saved = 0
    for line in run.with_name(f"{run.name}.trail").read_text().splitlines():
        word, epoch, step = line.split()
        position = int(epoch) * STEPS + int(step)
        if word == "start":
            assert position >= saved, f"{run.name}: saved {saved} steps, and went on from {position}"
            found.append(max(0, reached - position))
        saved = max(saved, position) if word == "saved" else saved
        reached = max(reached, position)
    return found


if __name__ == "__main__":
    main()
