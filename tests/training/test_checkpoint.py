"""Checkpoints: whole, found again, kept as long as they are needed."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.training.checkpoint import Checkpoint, CheckpointStore, name_of
from specforge.training.errors import TrainingError
from specforge.training.manifest import Damage
from specforge.training.optimizer import OptimizerState
from specforge.training.progress import Best, Progress


def checkpoint(epoch: int, step: int = 0, **fields: Any) -> Checkpoint:
    weights = {"weight": torch.full((2, 3), float(epoch)), "count": torch.tensor(7)}
    state = OptimizerState({"optimizer.weight.step": torch.tensor(3.0)}, {"optimizer.weight.momentum_buffer": None})
    return Checkpoint(Progress(epoch=epoch, step=step, **fields), weights, state)


def silent(_: str) -> None:
    raise AssertionError("nothing is damaged")


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints")
    saved = checkpoint(
        2, 5, loss_sum=0.1 + 0.2, correct=3, images=9, seconds=1 / 3,
        history=({"epoch": 1, "lr": 1e-3}, {"epoch": 2, "lr": 1e-4}), best=Best(1, 2 / 3),
    )  # fmt: skip
    store.save(saved)
    found = store.newest(tell=silent)
    assert found is not None
    assert found.progress == saved.progress
    assert found.optimizer.numbers == saved.optimizer.numbers
    assert all(torch.equal(found.weights[name], value) for name, value in saved.weights.items())
    assert found.optimizer.tensors == saved.optimizer.tensors


def test_tensors_of_any_layout_and_shared_ones_can_be_saved(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    images = torch.arange(48.0).view(2, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    weights = {"a": images, "same": images, "view": images[:, 1], "empty": torch.empty(0), "flag": torch.tensor(True)}
    store.save(Checkpoint(Progress(epoch=1), weights, OptimizerState({}, {})))
    found = store.weights("epoch-0001")
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    assert found["a"].dtype == torch.float32


def test_names_are_in_the_order_of_training(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    places = [(9, 0), (9, 120), (10, 0), (9999, 0), (10000, 0), (9, 20)]
    for place in places:
        (tmp_path / name_of(*place)).mkdir()
    (tmp_path / "epoch-0003.old").mkdir()
    assert store.names() == [name_of(*place) for place in sorted(places)]


def test_the_newest_two_and_the_wanted_ones_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for epoch in range(1, 6):
        store.save(checkpoint(epoch))
    (tmp_path / ".epoch-0006.partial").mkdir()
    store.keep(["epoch-0002"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-0002", "epoch-0004", "epoch-0005"]


FILES = ["weights.safetensors", "optimizer.safetensors", "progress.json", "manifest.json"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_a_damaged_file_is_named_and_the_one_before_is_taken(tmp_path: Path, file: str, harm: str) -> None:
    store = CheckpointStore(tmp_path)
    store.save(checkpoint(1))
    store.save(checkpoint(2))
    damaged = tmp_path / "epoch-0002" / file
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0xFF
    new = {"flip": content, "cut": content[: len(content) // 2], "empty": b""}
    damaged.unlink() if harm == "remove" else damaged.write_bytes(new[harm])
    told: list[str] = []
    found = store.newest(tell=told.append)
    assert found is not None
    assert found.progress.epoch == 1
    assert str(damaged) in told[0]
    assert store.names() == ["epoch-0001"]
    assert (tmp_path / "damaged-epoch-0002").is_dir(), "set aside, not removed"
    with pytest.raises(Damage):
        CheckpointStore(tmp_path).load("epoch-0002")


def test_a_manifest_that_does_not_list_a_file_is_damaged(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save(checkpoint(1))
    (tmp_path / "epoch-0001" / "manifest.json").write_text(json.dumps({"files": {}}))
    with pytest.raises(Damage, match="does not list weights"):
        store.weights("epoch-0001")


def test_no_checkpoint_at_all_is_none(tmp_path: Path) -> None:
    assert CheckpointStore(tmp_path / "absent").newest(tell=silent) is None


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace", "mkdir"])
def test_a_full_disk_is_an_error_that_names_the_path_and_spares_the_older_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = CheckpointStore(tmp_path)
    store.save(checkpoint(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, call, _full)
        with pytest.raises(TrainingError, match=r"cannot write .*epoch-0002: No space left on device") as caught:
            store.save(checkpoint(2))
    assert "--resume" in (caught.value.hint or "")
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0001"], "nothing half written is left"
    found = store.newest(tell=silent)
    assert found is not None
    assert found.progress.epoch == 1


# four files and their folder; the sixth sync is for the new folder's name
@pytest.mark.parametrize("synced", range(5))
def test_a_disk_that_fills_up_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: int) -> None:
    store = CheckpointStore(tmp_path)
    store.save(checkpoint(1))
    original, left = os.fsync, list(range(synced))

    def fsync(descriptor: int) -> None:
        if not left:
            _full()
        left.pop()
        original(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(TrainingError):
            store.save(checkpoint(2))
    assert left == []
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0001"]
    store.save(checkpoint(2))
    assert store.names() == ["epoch-0001", "epoch-0002"]
