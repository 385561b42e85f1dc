"""Who a process is, which device it takes, and how a process that is alone is nothing new."""

from collections.abc import Callable
from contextlib import contextmanager

import pytest
import torch

from specforge.data.randomness import key
from specforge.training.errors import Gone, TrainingError
from specforge.training.learner import Learner
from specforge.training.processes import ALONE, Place, Processes, _together, joined, launched, own_device
from tests.training.experiments import CPU, experiment, network, plans_for

TORCHRUN = {
    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "alpha",
    "MASTER_PORT": "29500",
}  # fmt: skip


def test_torchrun_says_who_a_process_is() -> None:
    assert launched(TORCHRUN) == Place(number=5, count=8, local_number=1, local_count=4)


@pytest.mark.parametrize("name", sorted(set(TORCHRUN) - {"LOCAL_WORLD_SIZE"}))
def test_without_torchrun_a_process_is_alone(name: str) -> None:
    assert launched({each: value for each, value in TORCHRUN.items() if each != name}) is None


def test_the_only_process_of_torchrun_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with joined("cpu") as (processes, device):
        assert processes is ALONE
        assert device == torch.device("cpu")
        assert not torch.distributed.is_initialized()


def test_a_process_that_is_alone_has_all_answers() -> None:
    values = torch.ones(3)
    assert ALONE.add(values) is values
    assert ALONE.from_first(lambda: 7) == ALONE.in_turn(lambda: 7) == 7
    assert ALONE.all_of("a") == ["a"]
    assert (ALONE.is_first, ALONE.shard.count, ALONE.agree(None), ALONE.agree(15)) == (True, 1, None, 15)


def test_what_is_held_is_let_go_of() -> None:
    events: list[str] = []

    @contextmanager
    def opened():  # type: ignore[no-untyped-def]
        events.append("opened")
        yield 3
        events.append("closed")

    with ALONE.held(opened) as found:
        assert (found, events) == (3, ["opened"])
    assert events == ["opened", "closed"]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    def have(count: int) -> list[int]:
        taken: list[int] = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "set_device", taken.append)
        return taken

    return have


@pytest.mark.parametrize("name", [None, "auto", "cuda"])
def test_every_process_of_a_machine_takes_a_gpu_of_its_own(gpus: Callable[[int], list[int]], name: str | None) -> None:
    taken = gpus(4)
    assert own_device(name, Place(5, 8, 1, 4)) == torch.device("cuda", 1)
    assert taken == [1]


@pytest.mark.parametrize("name", [None, "cuda"])
def test_too_few_gpus(gpus: Callable[[int], list[int]], name: str | None) -> None:
    gpus(2)
    with pytest.raises(
        TrainingError, match="4 processes on a machine with 2 GPUs: each takes one of its own"
    ) as raised:
        own_device(name, Place(5, 8, 1, 4))
    assert raised.value.hint == "write `torchrun --nproc-per-node 2`, or `--device cpu`"


def test_no_two_processes_share_a_gpu(gpus: Callable[[int], list[int]]) -> None:
    gpus(4)
    with pytest.raises(TrainingError, match="4 processes can't share the device `cuda:1`"):
        own_device("cuda:1", Place(5, 8, 1, 4))


def test_processors_are_shared(gpus: Callable[[int], list[int]]) -> None:
    gpus(0)
    assert own_device(None, Place(0, 2, 0, 2)) == own_device("cpu", Place(1, 2, 1, 2)) == torch.device("cpu")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "[/src/gloo/pair.cc:545] Connection closed by peer [127.0.0.1]:1. Look at other logs",
            "connection closed by peer",
        ),
        ("[/src/pair.cc:152] timed out connecting: SO_ERROR", "timed out"),
        ("[/src/enforce.cc:3] op.preamble.length <= op.nbytes. 8 vs 4", "op.preamble.length <= op.nbytes. 8 vs 4"),
    ],
)
def test_what_torch_says_of_another_process(said: str, told: str) -> None:
    with pytest.raises(Gone, match="another process of this run has ended") as raised, _together():
        raise RuntimeError(said)
    assert raised.value.message == f"another process of this run has ended: {told}"


class _Second(Processes):
    number, count = 1, 2


@pytest.mark.parametrize(("processes", "own"), [(ALONE, ()), (_Second(), (1,))])
def test_dropout_draws_differ_by_process_and_follow_from_the_position(processes: Processes, own: tuple[int]) -> None:
    spec, module = experiment(), network()
    assert spec.train is not None
    learner = Learner(module, spec.train, device=CPU, class_counts=(12,) * 4, processes=processes)
    learner.begin_stage(plans_for(spec, module)[0])
    learner.begin_step(3, 2)
    assert torch.initial_seed() == key(spec.train.seed, "dropout", 3, 2, *own)
