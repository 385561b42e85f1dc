"""Several processes that train one network, against one process that trains it alone.

Real processes, which `torchrun` starts: two and four of them train the scenarios of `several.py` in one go.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

import specforge
from specforge.data.batches import train_batches
from specforge.data.sharding import Shard
from specforge.training.checkpoint import CheckpointStore
from tests.training.experiments import prepared_for
from tests.training.several import SCENARIOS, normalized, train_scenario

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
# trained by two processes as by one
EQUAL = (
    "plain",
    "rich",
    "mixed",
    "mixed_streamed",
    "balanced",
    "tested",
    "stopped_early",
    "rate_found",
    "synchronized",
    "tiny",
)
OTHERS = ("per_shard", "skipped", "gone_back", "diverged", "short_of_memory", "interrupted")
OF_FOUR = ("plain", "mixed", "synchronized", "tiny", "interrupted_again")

pytestmark = pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="torch was built without gloo")


def _launch(count: int, folder: Path, names: tuple[str, ...]) -> None:
    command = [*TORCHRUN, "--nproc-per-node", str(count), "-m", "tests.training.several", str(folder)]
    done = subprocess.run(
        [*command, *names], cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of the scenarios, and an interrupted run of its own."""
    folder = tmp_path_factory.mktemp("alone")
    for name in (*EQUAL, "per_shard"):
        train_scenario(folder, f"alone/{name}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RANK", "1")  # where the trap is
        assert train_scenario(folder, "alone/interrupted")["interrupted"] == signal.SIGTERM
    return folder / "alone"


@pytest.fixture(scope="module")
def of_two(alone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(alone / "interrupted", folder / "taken_over" / "interrupted")
    _launch(2, folder, (*(f"two/{name}" for name in (*EQUAL, *OTHERS)), "taken_over/interrupted_again"))
    return folder


@pytest.fixture(scope="module")
def of_four(of_two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four")
    shutil.copytree(of_two / "two" / "interrupted", folder / "four" / "interrupted")
    _launch(4, folder, tuple(f"four/{name}" for name in OF_FOUR))
    return folder / "four"


def _ended(run: Path, count: int) -> list[dict[str, Any]]:
    """What each process ended with."""
    return [json.loads(run.with_name(f"{run.name}.{number}.json").read_text()) for number in range(count)]


def _state(run: Path) -> dict[str, Tensor]:
    """All tensors of the newest checkpoint."""
    store = CheckpointStore(run / "checkpoints")
    files = sorted((store.folder / store.names()[-1]).glob("*.safetensors"))
    found: dict[str, Tensor] = {}
    for file in files:
        found |= {f"{file.stem}.{key}": value for key, value in safetensors.torch.load_file(file).items()}
    return found


def _lines(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if "second" not in key} for line in lines]


def _result(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "result.json").read_text())
    return {key: value for key, value in found.items() if key != "seconds"}


def _assert_alike(one: Any, other: Any, at: str = "") -> None:
    """The same values, numbers to five digits behind the point."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), at
        for key, value in one.items():
            _assert_alike(value, other[key], f"{at}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), at
        for number, pair in enumerate(zip(one, other, strict=True)):
            _assert_alike(*pair, f"{at}.{number}")
    elif isinstance(one, Tensor):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-5, msg=lambda text: f"{at}: {text}")
    elif isinstance(one, float):
        assert other == pytest.approx(one, rel=1e-5, abs=1e-5), at
    else:
        assert one == other, at


def _assert_same_run(one: Path, other: Path) -> None:
    _assert_alike(_lines(one), _lines(other))
    _assert_alike(_result(one), _result(other))
    _assert_alike(_state(one), _state(other))


@pytest.mark.parametrize("name", EQUAL)
def test_two_processes_train_what_one_trains(alone: Path, of_two: Path, name: str) -> None:
    _assert_same_run(alone / name, of_two / "two" / name)
    first, second = _ended(of_two / "two" / name, 2)
    assert first["state"] == second["state"], "all hold the same weights, bit for bit"
    assert first["result"] == second["result"]
    assert second["told"] == [], "the first one tells"


@pytest.mark.parametrize("name", OF_FOUR[:-1])
def test_four_processes_train_what_one_trains(alone: Path, of_four: Path, name: str) -> None:
    _assert_same_run(alone / name, of_four / name)
    assert len({ended["state"] for ended in _ended(of_four / name, 4)}) == 1


def test_another_batch_division_would_be_noticed(alone: Path, of_two: Path) -> None:
    """The scenarios can tell runs apart."""
    with pytest.raises(AssertionError):
        _assert_same_run(alone / "plain", alone / "rich")
    with pytest.raises(AssertionError):
        _assert_same_run(alone / "per_shard", of_two / "two" / "per_shard")


def test_batches_too_small_to_be_divided_are_told(of_two: Path, of_four: Path) -> None:
    told = [_ended(run, count)[0]["told"] for run, count in ((of_two / "two" / "tiny", 2), (of_four / "tiny", 4))]
    assert [any("each computes all of it" in text for text in texts) for texts in told] == [False, True]


def test_the_environment_says_how_many_there_were(alone: Path, of_four: Path) -> None:
    counts = [json.loads((run / "plain" / "environment.json").read_text())["processes"] for run in (alone, of_four)]
    assert counts == [1, 4]


def _trained_by_shards(count: int) -> dict[str, Tensor]:
    """One process that normalises every share of a batch by itself, and takes the mean of the running statistics."""
    spec, module = SCENARIOS["per_shard"].spec, normalized().to(memory_format=torch.channels_last)
    assert spec.data is not None
    assert spec.train is not None
    batches = train_batches(spec.data, prepared_for(spec), batch_size=spec.train.batch_size, seed=spec.train.seed)
    statistics = [values for values in module.buffers() if values.is_floating_point()]
    for epoch in range(spec.train.total_epochs):
        for batch in batches.epoch(epoch):
            before = [values.clone() for values in statistics]
            means = [torch.zeros_like(values) for values in statistics]
            for number in range(count):
                own = Shard(number, count).training(slice(0, len(batch.labels)))
                shares = len(batch.labels[own]) / len(batch.labels)
                weight = shares / Shard(number, count).copies(len(batch.labels))
                loss = nn.functional.cross_entropy(module(batch.images[own]), batch.labels[own])
                (weight * loss).backward()
                for mean, values, old in zip(means, statistics, before, strict=True):
                    mean += weight * values
                    values.copy_(old)
            for mean, values in zip(means, statistics, strict=True):
                values.copy_(mean)
            with torch.no_grad():
                for parameter in module.parameters():
                    assert parameter.grad is not None
                    parameter -= 0.05 * parameter.grad
                    parameter.grad = None
    return {f"weights.{name}": value for name, value in module.state_dict().items() if "num_batches" not in name}


def test_batch_norm_goes_by_each_processs_own_images(of_two: Path) -> None:
    found = {name: value for name, value in _state(of_two / "two" / "per_shard").items() if "num_batches" not in name}
    _assert_alike(_trained_by_shards(2), found)


@pytest.mark.parametrize("name", ["skipped", "gone_back"])
def test_all_leave_out_a_step_that_is_not_finite_for_one(of_two: Path, name: str) -> None:
    first, second = _ended(of_two / "two" / name, 2)
    assert first["state"] == second["state"]
    assert [line.get("skipped", 0) for line in _lines(of_two / "two" / name)] == [0, 1, 0, 0, 0, 0]
    assert any("epoch 2" in text for text in first["told"])


def test_divergence_is_told_with_the_images_of_the_process_that_had_it(of_two: Path) -> None:
    first, second = _ended(of_two / "two" / "diverged", 2)
    assert first["error"] == second["error"]
    assert "the output of `4` is not finite" in first["error"]
    spec = SCENARIOS["diverged"].spec
    assert spec.data is not None
    shard = Shard(1, 2)
    batches = train_batches(spec.data, prepared_for(spec), batch_size=15, seed=0, shard=shard)
    rows = list(batches.epoch(1))[1].indices[:3].tolist()
    assert f"holds the images {', '.join(map(str, rows))}, " in first["error"]


def test_a_process_short_of_memory_computes_its_share_in_parts(alone: Path, of_two: Path) -> None:
    state = _state(of_two / "two" / "short_of_memory")
    renamed = {name.replace(".5.", ".4."): value for name, value in state.items()}
    _assert_alike(_state(alone / "plain"), renamed)


def test_a_signal_to_one_stops_all_at_the_same_step(of_two: Path) -> None:
    first, second = _ended(of_two / "two" / "interrupted", 2)
    assert first["interrupted"] == second["interrupted"] == signal.SIGTERM
    assert first["state"] == second["state"]


def _assert_like_rich(alone: Path, run: Path) -> None:
    """The network of an interrupted run has one layer more, the trap."""
    _assert_alike(_lines(alone / "rich"), _lines(run))
    renamed = {name.replace(".5.", ".4."): value for name, value in _state(run).items()}
    _assert_alike(_state(alone / "rich"), renamed)


def test_two_go_on_with_a_run_of_one(alone: Path, of_two: Path) -> None:
    _assert_like_rich(alone, of_two / "taken_over" / "interrupted")
    told = _ended(of_two / "taken_over" / "interrupted_again", 2)[0]["told"]
    assert any("processes 1 -> 2" in text for text in told)


def test_one_goes_on_with_a_run_of_two(alone: Path, of_two: Path, tmp_path: Path) -> None:
    shutil.copytree(of_two / "two" / "interrupted", tmp_path / "alone" / "interrupted")
    train_scenario(tmp_path, "alone/interrupted_again")
    _assert_like_rich(alone, tmp_path / "alone" / "interrupted")


def test_four_go_on_with_a_run_of_two(alone: Path, of_four: Path) -> None:
    _assert_like_rich(alone, of_four / "interrupted")


SPEC = """\
specforge: 1
name: tiny
model:
  input: [1, 8, 8]
  layers: [{conv: {out_channels: 8, kernel_size: 3, padding: same}}, relu, {max_pool: 2}, flatten, {linear: 10}]
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train: {epochs: 40, batch_size: 64, optimizer: {sgd: {lr: 0.05, momentum: 0.9}}, loss: cross_entropy, keep_every: 1}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


def _started(tiny: Path, *options: str, program: tuple[str, ...] = ("-m", "specforge")) -> "subprocess.Popen[str]":
    words = [*TORCHRUN, "--nproc-per-node", "2", *options, *program, "train", str(tiny), "--device", "cpu"]
    return subprocess.Popen(
        [*words, "--out", "run", "--resume"], cwd=tiny.parent, env=ENVIRONMENT, text=True, stderr=subprocess.PIPE
    )


def _wait_for(what: Callable[[], bool]) -> None:
    last = time.monotonic() + 120
    while not what():
        assert time.monotonic() < last
        time.sleep(0.01)


def _epochs(run: Path) -> int:
    store = CheckpointStore(run / "checkpoints")
    return int(store.names()[-1][6:10]) if store.names() else 0


def _workers(process: "subprocess.Popen[str]") -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def _messages(process: "subprocess.Popen[str]", seconds: float = 120.0) -> list[str]:
    """What specforge has said: torchrun's own words begin with a letter and the date, or are a traceback's."""
    _, text = process.communicate(timeout=seconds)
    return [line for line in text.splitlines() if line.startswith(("error", "hint", "interrupted", "resumed"))]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux lists a process's children")
def test_a_killed_process_ends_the_run_which_torchrun_restarts_and_anyone_resumes(tiny: Path) -> None:
    run = tiny.parent / "run"
    process = _started(tiny, "--max-restarts", "1")
    for kept in (2, 8):  # the first is restarted, the second is not
        _wait_for(lambda kept=kept: _epochs(run) >= kept and len(_workers(process)) == 2)  # type: ignore[misc]
        writer = json.loads((run / ".specforge.lock").read_text())["pid"]
        (other,) = set(_workers(process)) - {writer}
        os.kill(other, signal.SIGKILL)
        killed_at = time.monotonic()
        _wait_for(lambda writer=writer: writer not in _workers(process))  # type: ignore[misc]
        assert time.monotonic() - killed_at < 15
    told = _messages(process)
    assert process.returncode != 0
    assert sum(line.startswith("resumed after epoch") for line in told) == 1, told
    assert sum("another process of this run has ended: connection" in line for line in told) == 2, told
    assert _epochs(run) < 40
    for out in (run, tiny.parent / "whole"):
        specforge.train(tiny, out=out, device="cpu", resume=True)
    _assert_alike(_lines(tiny.parent / "whole"), _lines(run))
    _assert_alike(_state(tiny.parent / "whole"), _state(run))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux lists a process's children")
@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_signal_to_all_leaves_one_checkpoint_and_one_line(tiny: Path, number: int) -> None:
    """As a cluster sends it: to torchrun, which hands it on, and to every process."""
    process = _started(tiny)
    _wait_for(lambda: _epochs(tiny.parent / "run") >= 1)
    for pid in (*_workers(process), process.pid):
        os.kill(pid, number)
    told = _messages(process)
    assert len(told) == 1, told
    words = f"torchrun --nproc-per-node 2 -m specforge train {tiny} --device cpu --out run --resume"
    assert told[0] == f"interrupted: the run is saved; go on with: {words}"
    assert CheckpointStore(tiny.parent / "run" / "checkpoints").names()
    assert not (tiny.parent / "run" / ".specforge.lock").exists()


FAILING = """\
import os, sys
from specforge.catalog.datasets.definition import DataError
from specforge.cli import main
from specforge.data import batches

original = batches.TrainBatches.epoch

def epoch(self, epoch, start_step=0):
    if os.environ["RANK"] == "1" and epoch == 2:
        raise DataError("image 7 can't be read", hint="restore it")
    return original(self, epoch, start_step)

batches.TrainBatches.epoch = epoch
main()
"""


def test_a_process_that_fails_ends_all_with_its_message_alone(tiny: Path) -> None:
    program = tiny.parent / "failing.py"
    program.write_text(FAILING)
    process = _started(tiny, program=(str(program),))
    told = _messages(process)
    assert process.returncode == 1
    assert told == ["error: image 7 can't be read", "hint: restore it"]
