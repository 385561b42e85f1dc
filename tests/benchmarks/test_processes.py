"""Ways of training in processes of their own: they answer, they stand still between turns, and they end."""

import multiprocessing
import sys
import time
from pathlib import Path

import pytest

from benchmarks.cases import Case
from benchmarks.processes import Worker, WorkerFailed, workers
from benchmarks.usage import cpu_seconds, peak_bytes

TINY = """\
specforge: 1
name: tiny
model: {input: [3, 32, 32], layers: [flatten, linear: 100]}
data: {dataset: cifar100}
train: {epochs: 1, batch_size: 8, optimizer: {sgd: {lr: 1e-3}}, loss: cross_entropy}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Case:
    """Four steps an epoch, so that turns of three steps meet its end."""
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY, encoding="utf-8")
    return Case(str(file), 8, "flip_crop", images=32)


def state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def test_specforge_trains_in_turns(tiny: Case) -> None:
    failures: list[tuple[str, str]] = []
    with workers({"ours": ("specforge", tiny)}, lambda *failure: failures.append(failure)) as ready:
        assert failures == []
        turns = [ready["ours"].turn(3) for _ in range(4)]
        number = ready["ours"].process
        if sys.platform == "linux":
            assert state(number) == "T", "a worker is stopped while others have their turns"
    assert [turn.images for turn in turns] == [24] * 4
    assert all(turn.seconds > 0 and turn.cpu_seconds > 0 for turn in turns)
    assert turns[0].peak_bytes > 50_000_000, "torch alone needs more"
    if sys.platform == "linux":
        assert not Path(f"/proc/{number}").exists()


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    failures: dict[str, str] = {}
    missing = Case(str(tmp_path / "missing.yaml"), 8, "none", images=32)
    with workers({"ours": ("batches", missing)}, failures.__setitem__) as ready:
        assert ready == {}
    assert "missing.yaml" in failures["ours"]


def test_a_worker_that_has_ended_fails_its_turn(tiny: Case, tmp_path: Path) -> None:
    worker = Worker("bare", tiny, tmp_path)  # no network is written by hand for it
    try:
        with pytest.raises(WorkerFailed, match="no network is written by hand"):
            worker.await_ready()
        with pytest.raises(WorkerFailed, match="no network is written by hand"):
            worker.turn(1)
    finally:
        worker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="children are counted on Linux alone")
def test_children_count() -> None:
    before, alone = cpu_seconds(), peak_bytes()
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=time.sleep, args=(30,))
    child.start()
    try:
        waited = time.monotonic() + 20
        while peak_bytes() < alone + 2_000_000 and time.monotonic() < waited:
            time.sleep(0.01)
        assert peak_bytes() >= alone + 2_000_000
        own = time.process_time()
        assert cpu_seconds() - before > 0
        assert cpu_seconds() > own, "the child's start is counted too"
    finally:
        child.kill()
        child.join()
