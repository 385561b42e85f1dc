"""The folder of a run that several processes train: the first one writes, all know what it holds.

In: a run directory. Out: one with the same methods. What writes does so in the first process and nothing elsewhere;
what reads is asked of the first process, so all must ask, in the same order. The others need not see its disk.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from specforge.training.checkpoint import WEIGHTS, Checkpoint, CheckpointStore
from specforge.training.manifest import Damage
from specforge.training.processes import Processes
from specforge.training.progress import Line, Progress
from specforge.training.run_directory import RunDirectory


def shared(run: RunDirectory, processes: Processes) -> RunDirectory:
    """The run as all processes may use it; a process that is alone keeps its own."""
    if processes.count == 1:
        return run
    return _SharedRun(run.path, run.spec_text, run.spec_hash, run.change, own=run, processes=processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SharedRun(RunDirectory):
    """`start`, `admit` and the result are for the first process, before it is shared."""

    own: RunDirectory
    processes: Processes

    @property
    def checkpoints(self) -> CheckpointStore:
        return _SharedStore(self.own.checkpoints, self.processes)

    def sweeps(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.processes.from_first(self.own.sweeps)
        return found

    def settle(self, spec_text: str, spec_hash: str) -> None:
        if self.processes.is_first:
            self.own.settle(spec_text, spec_hash)

    def append_metrics(self, line: Line) -> None:
        if self.processes.is_first:
            self.own.append_metrics(line)

    def rewrite_metrics(self, history: tuple[Line, ...]) -> None:
        if self.processes.is_first:
            self.own.rewrite_metrics(history)

    def write(self, name: str, content: bytes) -> None:
        if self.processes.is_first:
            self.own.write(name, content)


class _SharedStore(CheckpointStore):
    def __init__(self, store: CheckpointStore, processes: Processes):
        super().__init__(store.folder)
        self._store, self._processes = store, processes

    def names(self) -> list[str]:
        return self._processes.from_first(self._store.names)

    def save(self, checkpoint: Checkpoint) -> None:
        if self._processes.is_first:
            self._store.save(checkpoint)

    def keep(self, wanted: Iterable[str]) -> None:
        if self._processes.is_first:
            self._store.keep(wanted)

    def newest(self, *, tell: Callable[[str], None]) -> Checkpoint | None:
        return self._processes.from_first(lambda: self._store.newest(tell=tell))

    def weights(self, name: str, file: str = WEIGHTS) -> dict[str, Tensor]:
        found = self._processes.from_first(partial(self._read, name, file))
        if isinstance(found, Damage):
            raise found
        return found

    def progress(self, name: str) -> Progress:
        return self._processes.from_first(lambda: self._store.progress(name))

    def _read(self, name: str, file: str) -> dict[str, Tensor] | Damage:
        """What all are to know: who finds a damaged file asks for names, to say what helps."""
        try:
            return self._store.weights(name, file)
        except Damage as damage:
            return damage
