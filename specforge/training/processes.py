"""Several processes that train one network: who they are, what they add up, what they agree on.

In: what `torchrun` says in the environment of each of its processes. Out: `Processes`, which the loop asks.

    torchrun --nproc-per-node 2 -m specforge train lab2.yaml

    with joined("auto") as (processes, device):
        processes.add(gradients)                    # the sum over all processes, in place
        processes.from_first(lambda: path.exists())     # only the first one looks; all get the answer

All processes hold the same weights bit for bit after every step, and come to the same decisions at the same step.
Only the first one writes. A process that fails ends; the others see it at the next thing that they do together, and
end too. Exactly one of them says what is wrong, the rest raise `Hushed`. A process that is `ALONE` waits for nobody.
"""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from specforge.data.sharding import Shard
from specforge.diagnostics import one_line
from specforge.training.device import choose_device
from specforge.training.errors import Gone, Hushed, Interrupted, TrainingError, speak

if TYPE_CHECKING:
    from torch.distributed import Work
    from torch.distributed.distributed_c10d import Store

T = TypeVar("T")

_FAILED = "specforge/failed"
# how torch says that a connection is no more
_LOST = ("connection closed by peer", "connection reset by peer", "connection refused", "broken pipe", "timed out")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Which of so many processes this one is, in all and on its machine; all count from 0."""

    number: int
    count: int
    local_number: int
    local_count: int


def launched(environment: Mapping[str, str] = os.environ) -> Place | None:
    """What `torchrun` says; None for a process that was started alone, or as the only one."""
    needed = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    if any(name not in environment for name in needed):
        return None
    number, count, local = (int(environment[name]) for name in needed[:3])
    return Place(number, count, local, int(environment.get("LOCAL_WORLD_SIZE", count))) if count > 1 else None


class Processes:
    """A process that is alone: whatever it asks, the answer is its own."""

    number, count = 0, 1
    # on this machine, whose memory they share
    local_count = 1

    @property
    def is_first(self) -> bool:
        return self.number == 0

    @property
    def shard(self) -> Shard:
        return Shard(self.number, self.count)

    def add(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        return values

    def all_of(self, value: T) -> list[T]:
        """What every process has, in their order."""
        return [value]

    def from_first(self, make: Callable[[], T]) -> T:
        """What the first process makes; the others wait for a copy of it."""
        return make()

    def in_turn(self, make: Callable[[], T]) -> T:
        """What every process makes, after the first of its machine has: what one fetches, the others find."""
        return make()

    def agree(self, signal: int | None) -> int | None:
        """A signal that any process has received, at the same call for all of them."""
        return signal

    @contextmanager
    def held(self, opened: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
        """What the first process opens and closes, for all."""
        with ExitStack() as stack:
            yield self.from_first(lambda: stack.enter_context(opened()))


ALONE = Processes()


class Group(Processes):
    """One of several processes, by torch's default process group."""

    def __init__(self, place: Place):
        self.number, self.count, self.local_count = place.number, place.count, place.local_count
        self._place = place
        self._flag = torch.zeros(1, dtype=torch.int32)
        self._asked: Work | None = None

    def add(self, values: Tensor) -> Tensor:
        with _together():
            torch.distributed.all_reduce(values)
        return values

    def all_of(self, value: T) -> list[T]:
        found: list[Any] = [None] * self.count
        with _together():
            torch.distributed.all_gather_object(found, value)
        return found

    def from_first(self, make: Callable[[], T]) -> T:
        given: list[Any] = [make() if self.is_first else None]
        with _together():
            torch.distributed.broadcast_object_list(given, device=torch.device("cpu"))
        found: T = given[0]
        return found

    def in_turn(self, make: Callable[[], T]) -> T:
        made = [make()] if self._place.local_number == 0 else []
        self.all_of(None)
        return made[0] if made else make()

    def agree(self, signal: int | None) -> int | None:
        """Of the call before: its answer has arrived while a step was computed, so nobody waits."""
        decided: int | None = None
        with _together():
            if self._asked is not None:
                self._asked.wait()
                self._asked, decided = None, int(self._flag) or None
            if decided is not None:
                return decided
            self._flag = torch.tensor([signal or 0], dtype=torch.int32)
            self._asked = torch.distributed.all_reduce(
                self._flag, torch.distributed.ReduceOp.MAX, async_op=True
            )  # on the host, also beside a GPU
        return decided


@contextmanager
def joined(device: str | None = None) -> Iterator[tuple[Processes, torch.device]]:
    """The processes that `torchrun` has started, or this one alone, and where it computes.

    Of several, each takes the GPU of its number on its machine. What goes wrong is raised where it is said; the
    others, and after a signal all but the first, raise `Hushed`.
    """
    place = launched()
    if place is None:
        yield ALONE, choose_device(device)
        return
    store = None if torch.distributed.is_initialized() else _store()
    with _one_speaks(store):
        chosen = own_device(device, place)
        if store is not None:
            _join(place, chosen, store)
        group = Group(place)
        try:
            yield group, chosen
        except Interrupted as interrupted:
            group.all_of(None)  # the first has saved the run by then
            if not group.is_first:
                raise Hushed(interrupted.exit_code) from interrupted
            raise
    if store is not None:
        torch.distributed.destroy_process_group()


@contextmanager
def _one_speaks(store: "Store | None") -> Iterator[None]:
    """Of all that fail, the first that does raises its error, the others `Hushed`."""
    try:
        yield
    except (Interrupted, Hushed):
        _end_in_peace()
        raise
    except Exception as error:
        _end_in_peace()
        if not _is_to_speak(store):
            raise Hushed(1) from error
        speak()
        raise


def own_device(name: str | None, place: Place) -> torch.device:
    """`auto` and `cuda` are the GPU of the process's number on its machine; a TrainingError where there are too few."""
    if name not in (None, "auto", "cuda"):
        device = choose_device(name)
        if device.type != "cpu" and place.local_count > 1:
            raise TrainingError(
                f"{place.local_count} processes can't share the device `{name}`: each takes a GPU of its own",
                hint="leave out `--device`, or write `--device cuda`; CUDA_VISIBLE_DEVICES says which GPUs there are",
            )
        return device
    device = choose_device(name)
    if device.type != "cuda":  # Apple's GPU has no way to talk to other processes
        return torch.device("cpu")
    gpus = torch.cuda.device_count()
    if gpus < place.local_count:
        raise TrainingError(
            f"{place.local_count} processes on a machine with {gpus} GPU{'s' if gpus > 1 else ''}: each takes one of "
            "its own",
            hint=f"write `torchrun --nproc-per-node {gpus}`, or `--device cpu`",
        )
    torch.cuda.set_device(place.local_number)
    return torch.device("cuda", place.local_number)


def _store() -> "Store":
    """Where processes meet: it knows who has failed first.

    `torchrun` keeps one for all of its restarts. Those of a restart must not find the addresses of the dead.
    """
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    with _together():
        store: Store = next(rendezvous("env://"))[0]
    return PrefixStore(f"specforge/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def _join(place: Place, device: torch.device, store: "Store") -> None:
    # what is on a GPU goes by NVIDIA's library where there is one, all else by gloo
    has_nccl = device.type == "cuda" and torch.distributed.is_nccl_available()
    with _together():
        torch.distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if has_nccl else "gloo", store=store, rank=place.number, world_size=place.count
        )


@contextmanager
def _together() -> Iterator[None]:
    """What torch raises when another process is gone, as `Gone`."""
    try:
        yield
    except RuntimeError as error:
        raise Gone(_why(str(error))) from error


def _why(text: str) -> str:
    """torch's words, without the place in its source and its advice to developers."""
    known = next((phrase for phrase in _LOST if phrase in text.lower()), None)
    return known or one_line(re.sub(r"^\[[^]]*\]\s*", "", text.strip()))[:_LONGEST]


def _end_in_peace() -> None:
    """`torchrun` asks processes to end as soon as one has: this one does, and says why."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _is_to_speak(store: "Store | None") -> bool:
    """Whether this process is the first that has something to say."""
    if store is None:
        return True
    try:
        return store.add(_FAILED, 1) == 1
    except RuntimeError:  # whoever kept the store is gone
        return True
