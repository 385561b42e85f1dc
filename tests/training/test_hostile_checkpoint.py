"""Checkpoints of strangers: their checksums are right, because whoever makes a file can make its checksum too."""

import json
from pathlib import Path

import pytest
import torch

from specforge.training.checkpoint import OPTIMIZER, WEIGHTS, Checkpoint, CheckpointStore
from specforge.training.manifest import MANIFEST, Damage, manifest
from specforge.training.optimizer import OptimizerState
from specforge.training.progress import PROGRESS, Progress
from tests.catalog.datasets.hostile import GADGETS, Bait, malformed_pickles, payloads
from tests.torch_backend.test_hostile_weights import HEADERS

GOOD, HOSTILE = "epoch-0001", "epoch-0002"


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    """Two good checkpoints, of which the second is to be replaced."""
    made = CheckpointStore(tmp_path / "checkpoints")
    for epoch in (1, 2):
        made.save(Checkpoint(Progress(epoch=epoch), {"weight": torch.ones(2)}, OptimizerState({}, {})))
    return made


def put(store: CheckpointStore, file: str, content: bytes) -> None:
    """Replace a file of the second checkpoint, and make the manifest agree."""
    folder = store.folder / HOSTILE
    (folder / file).write_bytes(content)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
    (folder / MANIFEST).write_bytes(manifest(files))


def require_set_aside(store: CheckpointStore) -> None:
    with pytest.raises(Damage) as caught:
        store.load(HOSTILE)
    assert str(caught.value).isprintable()
    told: list[str] = []
    found = store.newest(tell=told.append)
    assert found is not None
    assert found.progress.epoch == 1
    assert told[-1] == f"going on from the checkpoint before it, {GOOD}"


def test_no_pickle_in_the_place_of_weights_runs_anything(store: CheckpointStore, tmp_path: Path) -> None:
    bait = Bait(tmp_path)
    for file in (WEIGHTS, OPTIMIZER, PROGRESS):
        for gadget in GADGETS[:20]:
            for _, payload in payloads(gadget, bait.command):
                put(store, file, payload)
                with pytest.raises(Damage):
                    store.load(HOSTILE)
        assert not bait.was_taken
    require_set_aside(store)


@pytest.mark.parametrize("case", HEADERS)
@pytest.mark.parametrize("file", [WEIGHTS, OPTIMIZER])
def test_absurd_tensors_are_set_aside(case: str, file: str, store: CheckpointStore) -> None:
    put(store, file, HEADERS[case])
    require_set_aside(store)


PLACES = [
    *(
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"format": 2}',
        b'{"format": "' + b"x" * 9_000,
    ),
    *(
        json.dumps({"format": 2, "optimizer": {}, "scaler": {}, "best": best, "history": []}).encode()
        for best in (1, [], {})
    ),
    json.dumps({"format": 2, "optimizer": {}, "scaler": {}, "best": None, "history": 7}).encode(),
    json.dumps({"format": 2, "optimizer": {}, "scaler": {}, "best": None, "history": [], "__class__": 1}).encode(),
]


@pytest.mark.parametrize("number", range(len(PLACES)))
def test_absurd_positions_are_set_aside(number: int, store: CheckpointStore) -> None:
    put(store, PROGRESS, PLACES[number])
    require_set_aside(store)


def test_malformed_pickles_are_no_positions(store: CheckpointStore) -> None:
    for content in list(malformed_pickles())[::9]:
        put(store, PROGRESS, content)
        with pytest.raises(Damage):
            store.load(HOSTILE)
