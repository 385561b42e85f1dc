"""What is left when the machine itself dies, at every place: whatever was promised is there, and nothing is damaged."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from specforge.training import epochs
from specforge.training.checkpoint import Checkpoint, CheckpointStore
from specforge.training.optimizer import OptimizerState
from specforge.training.progress import Progress
from tests.training.disk import Disk, Luck, chance, names_alone, nothing
from tests.training.endings import differences
from tests.training.experiments import Recorder
from tests.training.recipes import train_recipe
from tests.training.system_calls import Call, watched

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are synced")

LUCK: dict[str, Callable[[int], Luck]] = {
    "nothing that was not synced": lambda _: nothing,
    "names without contents": lambda _: names_alone,
    "some of it": chance,
}
Position = tuple[int, int]


class Filmed:
    """The calls of a program, and what it promised on the way: after so many calls, this position is saved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.calls: list[Call] = []
        self._promises: list[tuple[int, Position]] = []
        original = CheckpointStore.save

        def save(store: CheckpointStore, checkpoint: Checkpoint) -> None:
            original(store, checkpoint)
            self._promises.append((len(self.calls), (checkpoint.progress.epoch, checkpoint.progress.step)))

        monkeypatch.setattr(CheckpointStore, "save", save)

    def promised(self, calls: int) -> Position:
        """What is saved after so many calls; nothing is (-1, 0)."""
        return max((position for number, position in self._promises if number <= calls), default=(-1, 0))

    def disk(self, root: Path, calls: int) -> Disk:
        disk = Disk(root)
        for call in self.calls[:calls]:
            disk.carry_out(call)
        return disk


def _checkpoint(epoch: int, step: int = 0) -> Checkpoint:
    weights = {"weight": torch.full((2, 3), float(epoch)), "count": torch.tensor(step)}
    return Checkpoint(Progress(epoch=epoch, step=step), weights, OptimizerState({}, {}), averages=weights)


@pytest.mark.parametrize("luck", LUCK.values(), ids=LUCK)
def test_a_checkpoint_that_was_saved_is_there_and_one_that_was_not_is_no_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, luck: Callable[[int], Luck]
) -> None:
    filmed, store = Filmed(monkeypatch), CheckpointStore(tmp_path / "here" / "run" / "checkpoints")
    (tmp_path / "here").mkdir()
    with watched(filmed.calls.append):
        for epoch, step in ((1, 0), (2, 0), (2, 2), (3, 0), (4, 0)):
            store.save(_checkpoint(epoch, step))
            store.keep(["epoch-0001"])
    assert len(filmed.calls) > 100
    for calls in range(len(filmed.calls) + 1):
        found = tmp_path / f"after-{calls}"
        filmed.disk(tmp_path / "here", calls).lay_out(found, luck(calls))
        told: list[str] = []
        newest = CheckpointStore(found / "run" / "checkpoints").newest(tell=told.append)
        position = (-1, 0) if newest is None else (newest.progress.epoch, newest.progress.step)
        assert position >= filmed.promised(calls), f"before {filmed.calls[calls]}"
        assert told == []
        for name in CheckpointStore(found / "run" / "checkpoints").names():
            CheckpointStore(found / "run" / "checkpoints").load(name)  # or it raises


@pytest.mark.parametrize("luck", LUCK.values(), ids=LUCK)
def test_a_run_goes_on_after_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, luck: Callable[[int], Luck]
) -> None:
    whole, filmed = filmed_run(tmp_path, monkeypatch)
    ends = [len(filmed.calls), *Random(0).sample(range(len(filmed.calls)), 3)]
    for calls in ends:
        found = tmp_path / f"after-{calls}"
        filmed.disk(whole.parent, calls).lay_out(found, luck(calls))
        goes_on(whole, found / "run", filmed.promised(calls))


def test_a_finished_run_is_whole_whatever_was_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, filmed = filmed_run(tmp_path, monkeypatch)
    filmed.disk(whole.parent, len(filmed.calls)).lay_out(tmp_path / "found", nothing)
    found = tmp_path / "found" / "run"
    names = _names(whole)
    assert _names(found) == names
    for name in names:
        assert (found / name).is_dir() or (found / name).read_bytes() == (whole / name).read_bytes(), name


def _names(run: Path) -> list[str]:
    """Without hidden ones: a lock that nobody holds, and what was being removed."""
    names = [path.relative_to(run) for path in run.rglob("*")]
    return sorted(str(name) for name in names if not any(part.startswith(".") for part in name.parts))


def filmed_run(folder: Path, monkeypatch: pytest.MonkeyPatch, recipe: str = "plain") -> tuple[Path, Filmed]:
    """A run that nothing has stopped, and all that it asked of the disk."""
    monkeypatch.setattr(epochs, "SAVING_SHARE", 1.0)
    (folder / "here").mkdir()
    filmed = Filmed(monkeypatch)
    with watched(filmed.calls.append):
        train_recipe(folder / "here" / "run", recipe)
    return folder / "here" / "run", filmed


def goes_on(whole: Path, found: Path, promised: Position, recipe: str = "plain") -> None:
    """To the same end, from what was promised or later."""
    recorder = Recorder()
    finished = (found / "result.json").exists()
    train_recipe(found, recipe, resume=True, listener=recorder)
    assert differences(whole, found) == []
    assert not finished or recorder.steps == []
    for _, _, *position in recorder.started:
        assert tuple(position) >= promised


def test_what_is_not_synced_is_lost(tmp_path: Path) -> None:
    """The tests above could not fail with a disk that keeps everything."""
    disk = Disk(tmp_path)
    story: list[tuple[str, str, dict[str, Any]]] = [
        ("make", "a", {}), ("create", "a/f", {}), ("write", "a/f", {"content": b"new"}), ("sync", "a", {}),
    ]  # fmt: skip
    for verb, name, options in story:
        disk.carry_out(Call(verb, tmp_path / name, **options))
    disk.lay_out(tmp_path / "lost", nothing)
    assert list((tmp_path / "lost").iterdir()) == []
    disk.carry_out(Call("sync", tmp_path))
    disk.lay_out(tmp_path / "empty", nothing)
    assert (tmp_path / "empty" / "a" / "f").read_bytes() == b""
    disk.carry_out(Call("sync", tmp_path / "a" / "f"))
    disk.lay_out(tmp_path / "there", nothing)
    assert (tmp_path / "there" / "a" / "f").read_bytes() == b"new"
