"""Checkpoints: whole, found again, kept as long as they are needed."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.training.checkpoint import Checkpoint, CheckpointStore, name_of
from specforge.training.errors import TrainingError
from specforge.training.manifest import Damage
from specforge.training.optimizer import OptimizerState
from specforge.training.progress import Best, Progress
from tests.training.system_calls import Call, watched

posix = pytest.mark.skipif(os.name != "posix", reason="folders are synced")


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


@posix
def test_the_order_of_a_checkpoint_s_calls(tmp_path: Path) -> None:
    """Every file on the disk, then the folder's names, then the checkpoint's own name, then the next one may begin."""
    calls: list[Call] = []
    store = CheckpointStore(tmp_path / "checkpoints")
    with watched(calls.append):
        store.save(checkpoint(1))
    files = [f"{verb} {name}" for name in FILES for verb in ("create", "write", "write", "sync")]
    assert [str(call) for call in calls] == [
        "make checkpoints",
        f"sync {tmp_path.name}",
        "make .epoch-0001.partial",
        *files,
        "sync .epoch-0001.partial",
        "rename .epoch-0001.partial to epoch-0001",
        "sync checkpoints",
    ]
    for name in FILES:
        written = b"".join(call.content for call in calls if call.path.name == name)
        assert written == (tmp_path / "checkpoints" / "epoch-0001" / name).read_bytes(), "nothing after its fsync"


@posix
def test_a_checkpoint_loses_its_name_before_its_first_file(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints")
    for epoch in (1, 2, 3):
        store.save(checkpoint(epoch))
    calls: list[Call] = []
    with watched(calls.append):
        store.keep([])
    named = [str(call) for call in calls]
    assert named[:2] == ["rename epoch-0001 to .epoch-0001.discarded.partial", "sync checkpoints"]
    assert {name.split()[0] for name in named[2:]} == {"remove"}
    assert len(named[2:]) == len(FILES) + 1


def test_what_a_killed_write_or_removal_left_is_removed(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save(checkpoint(1))
    for name in (".epoch-0002.partial", ".epoch-0000.discarded.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.safetensors").write_bytes(b"half")
    assert store.newest(tell=silent) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0001"]


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _rich() -> Checkpoint:
    generator = torch.Generator().manual_seed(3)
    layout = torch.rand(2, 3, 4, 5, generator=generator).contiguous(memory_format=torch.channels_last)
    weights = {"b": layout, "a": torch.rand(7, generator=generator).bfloat16(), "n": torch.tensor(4), "c": layout[0]}
    state = OptimizerState(
        {f"optimizer.{name}.exp_avg": value for name, value in weights.items()}, {"optimizer.b.mu": 0.1 + 0.2}
    )
    history = ({"epoch": 1, "lr": {"others": 1 / 3}, "train_loss": 5e-324},)
    return Checkpoint(Progress(epoch=1, history=history, rates={"0": 0.3, "1": 0.1}), weights, state, weights)


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    """Saved twice, and saved again after it was read."""
    stores = [CheckpointStore(tmp_path / name) for name in ("first", "second", "third")]
    stores[0].save(_rich())
    stores[1].save(_rich())
    stores[2].save(stores[0].load("epoch-0001"))
    contents = [_contents(store.folder / "epoch-0001") for store in stores]
    assert len(contents[0]) == 5
    assert contents[0] == contents[1]
    assert contents[0] == contents[2]


def test_the_bytes_do_not_depend_on_the_order_of_tensors(tmp_path: Path) -> None:
    rich = _rich()
    turned = replace(rich, weights=dict(reversed(rich.weights.items())))
    for name, one in (("first", rich), ("second", turned)):
        CheckpointStore(tmp_path / name).save(one)
    assert _contents(tmp_path / "first" / "epoch-0001") == _contents(tmp_path / "second" / "epoch-0001")


_SAVING = """
import sys
from pathlib import Path
from specforge.training.checkpoint import CheckpointStore
from tests.training.test_checkpoint import _rich

CheckpointStore(Path(sys.argv[1])).save(_rich())
"""


def test_the_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    """Such as on the seed of Python's hashes, by which sets and some libraries' tables are ordered."""
    root = Path(__file__).parents[2]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-c", _SAVING, str(tmp_path / seed)], env=environment, cwd=root, check=True)
    assert _contents(tmp_path / "1" / "epoch-0001") == _contents(tmp_path / "2" / "epoch-0001")


def test_the_header_of_a_file_of_weights_says_nothing_but_its_tensors(tmp_path: Path) -> None:
    """Entries of its metadata come in an order of their own every time."""
    CheckpointStore(tmp_path).save(_rich())
    content = (tmp_path / "epoch-0001" / "weights.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert set(header) == {"a", "b", "c", "n"}
