"""Checkpoints: everything that a run needs to go on as if it had never stopped.

    checkpoints/epoch-0007/            after epoch 7
        weights.safetensors            the module's state_dict
        averages.safetensors           the same of its moving average, where the recipe has one
        optimizer.safetensors          the optimizer's tensors, `optimizer.<parameter>.<key>`
        progress.json                  position, partial sums, history, plain numbers of optimizer and scaler
        manifest.json                  size and sha256 of the files above, written last
    checkpoints/epoch-0007-step-00120/ 120 steps into epoch 8

A checkpoint is written to a folder of another name, synced and renamed, and renamed again before it is removed, so that
a folder with this name is whole, whenever the process or the machine dies. The same state gives the same bytes. Should
a file be damaged later, its checksum says so, and the checkpoint before it is taken.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from specforge.diagnostics import one_line
from specforge.training import durable
from specforge.training.errors import TrainingError
from specforge.training.manifest import MANIFEST, Damage, listed, manifest, read_verified
from specforge.training.optimizer import OptimizerState
from specforge.training.progress import PROGRESS, Progress

WEIGHTS, AVERAGES = "weights.safetensors", "averages.safetensors"
OPTIMIZER = "optimizer.safetensors"
_NAME = re.compile(r"epoch-(\d+)(?:-step-(\d+))?")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run's state between two steps."""

    progress: Progress
    weights: dict[str, Tensor]
    optimizer: OptimizerState
    averages: dict[str, Tensor] | None = None
    scaler: dict[str, float | int] = field(default_factory=dict)


def name_of(epoch: int, step: int = 0) -> str:
    """The folder of a checkpoint after so many epochs, and steps of the next."""
    return f"epoch-{epoch:04d}" + (f"-step-{step:05d}" if step else "")


class CheckpointStore:
    """The checkpoints of one run, in one folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def names(self) -> list[str]:
        """All checkpoints, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = [(match, path.name) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name))]
        return [name for _, name in sorted(found, key=lambda pair: (int(pair[0][1]), int(pair[0][2] or 0)))]

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; the older ones stay as they are, also when the disk is full."""
        progress = checkpoint.progress
        path = self.folder / name_of(progress.epoch, progress.step)
        partial = self.folder / f".{path.name}.partial"
        try:
            durable.make_folder(self.folder)
            if path.exists():  # only if a damaged one could not be set aside
                self._discard([path.name])
            _write(partial, _contents(checkpoint))
            partial.replace(path)
            durable.sync_folder(self.folder)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise durable.cannot_write(path, error) from error

    def keep(self, wanted: Iterable[str]) -> None:
        """Remove all but these, the newest two and the newest of a complete epoch, and what a killed write left."""
        complete = [name for name in self.names() if "-step-" not in name]
        kept = {*wanted, *self.names()[-2:], *complete[-1:]}
        self._discard([name for name in self.names() if name not in kept])

    def newest(self, *, tell: Callable[[str], None]) -> Checkpoint | None:
        """The last good checkpoint, None if there never was one; damaged ones are told of and set aside.

        What a killed write or removal left is removed.
        """
        self._remove_leftovers()
        damaged: list[str] = []
        for name in reversed(self.names()):
            try:
                found = self.load(name)
            except Damage as damage:
                tell(str(damage))
                damaged.append(name)
                continue
            if damaged:
                self._set_aside(damaged)
                tell(f"going on from the checkpoint before it, {name}")
            return found
        if damaged:
            raise TrainingError(f"no checkpoint in {self.folder} is whole", hint="train again with another `--out`")
        return None

    def load(self, name: str) -> Checkpoint:
        """Read a checkpoint; raises `Damage` with the file at fault."""
        content = {file: read_verified(self.folder / name, file) for file in (WEIGHTS, OPTIMIZER, PROGRESS)}
        averaged = AVERAGES in listed(self.folder / name)
        averages = read_verified(self.folder / name, AVERAGES) if averaged else None
        progress, numbers, scaler = Progress.decode(content[PROGRESS])
        return Checkpoint(
            progress,
            self._decoded(name, WEIGHTS, content[WEIGHTS]),
            OptimizerState(self._decoded(name, OPTIMIZER, content[OPTIMIZER]), numbers),
            None if averages is None else self._decoded(name, AVERAGES, averages),
            scaler,
        )

    def weights(self, name: str, file: str = WEIGHTS) -> dict[str, Tensor]:
        """Only a checkpoint's weights, or their averages; raises `Damage`."""
        return self._decoded(name, file, read_verified(self.folder / name, file))

    def progress(self, name: str) -> Progress:
        """Only a checkpoint's position and history; raises `Damage`."""
        return Progress.decode(read_verified(self.folder / name, PROGRESS))[0]

    def _decoded(self, name: str, file: str, content: bytes) -> dict[str, Tensor]:
        """Tensors; `Damage` for what is none although the checksum beside it is right, as a stranger can make it."""
        try:
            return safetensors.torch.load(content)
        except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise Damage.of(self.folder / name / file, f"holds no tensors: {one_line(str(error))}") from error

    def _discard(self, names: Sequence[str]) -> None:
        """Remove checkpoints. The disk has their other names before it loses the first file."""
        if names:
            with suppress(OSError):
                for name in names:
                    (self.folder / name).replace(self.folder / f".{name}.discarded.partial")
                durable.sync_folder(self.folder)
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob(".*.partial"):
            shutil.rmtree(path, ignore_errors=True)

    def _set_aside(self, names: Iterable[str]) -> None:
        """Under another name, where somebody may still look at them."""
        for name in names:
            path = self.folder / f"damaged-{name}"
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                (self.folder / name).replace(path)


def _contents(checkpoint: Checkpoint) -> dict[str, bytes]:
    averages = {} if checkpoint.averages is None else {AVERAGES: _tensors(checkpoint.averages)}
    return {
        WEIGHTS: _tensors(checkpoint.weights),
        **averages,
        OPTIMIZER: _tensors(checkpoint.optimizer.tensors),
        PROGRESS: checkpoint.progress.encode(checkpoint.optimizer.numbers, checkpoint.scaler),
    }


def _tensors(tensors: dict[str, Tensor]) -> bytes:
    """The file keeps values, not memory layouts, and wants every tensor in memory of its own."""
    return safetensors.torch.save(
        {name: torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor) for name, tensor in tensors.items()}
    )


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    """Files first, the manifest that vouches for them last."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in contents.items():
        durable.put(folder / name, content)
    durable.put(folder / MANIFEST, manifest(contents))
    durable.sync_folder(folder)
