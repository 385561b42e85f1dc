"""A batch that does not fit the memory, computed in parts whose gradients add up to the same.

In: a batch, and what computes the loss of images and adds their gradients. Out: the batch's mean loss and its logits.
After memory ran out, half as many images are computed at a time, and so on, where that changes nothing but the rounding
and dropout's draws; else the run ends, with the batch size that fits. Nothing waits for the device.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from specforge.data.batches import Batch
from specforge.modules import StochasticDepth, SynchronizedBatchNorm
from specforge.training.errors import TrainingError

# what the allocators of CPUs, Apple's GPUs and NVIDIA's libraries say
_FULL = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
# adds the gradients of the first batch, a part of the second, and gives its share of the loss, and its logits
Compute = Callable[[Batch, Batch], tuple[Tensor, Tensor]]


class MicroBatches:
    """How many images of a stage's batches are computed at once: all of them while `limit` is None.

    What is decided is told through `tell`. Of several `processes`, each decides for its own share of a batch.
    """

    def __init__(self, module: nn.Module, *, tell: Callable[[str], None], processes: int = 1):
        self._module, self._tell, self._processes = module, tell, processes
        self.begin_stage(nn.CrossEntropyLoss())

    def begin_stage(self, loss: nn.Module) -> None:
        """What fits, and whether parts are the same, depends on what is frozen and on the loss."""
        self._loss = loss
        self.limit: int | None = None

    def parts(self, batch: Batch) -> list[Batch]:
        count = len(batch.images)
        if self.limit is None or count <= self.limit:
            return [batch]
        return [part(batch, start, start + self.limit) for start in range(0, count, self.limit)]

    def gradients(
        self, batch: Batch, compute: Compute, *, begin: Callable[[], None], undo: Callable[[], None]
    ) -> tuple[Tensor, Tensor]:
        """`begin` comes before every try, `undo` before the error that ends the run."""
        limit = self.limit
        begin()
        while (found := self._tried(batch, compute)) is None:
            _give_back()
            self._shrink(batch, compute, begin, undo)
            begin()
        if self.limit != limit:
            self._tell(
                f"out of memory with {min(limit or len(batch.images), len(batch.images))} images at once: from here on "
                f"a step computes {self.limit} at a time and adds up their gradients. The recipe's batch size is the "
                "same, and so is the update, but for its rounding and dropout's draws"
            )
        return found

    def _tried(self, batch: Batch, compute: Compute) -> tuple[Tensor, Tensor] | None:
        """None if memory ran out; what had been computed is let go of by then."""
        try:
            found = [compute(piece, batch) for piece in self.parts(batch)]
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return None
        if len(found) == 1:
            return found[0]
        losses, logits = zip(*found, strict=True)
        return torch.stack(losses).sum(), torch.cat(logits)

    def _shrink(self, batch: Batch, compute: Compute, begin: Callable[[], None], undo: Callable[[], None]) -> None:
        """Half as many images at a time; a TrainingError where that is none, or something else than the recipe."""
        count = len(batch.images)
        size = count if self.limit is None else min(self.limit, count)
        why = needs_whole_batch(self._module, self._loss)
        if why is None and size > 1:
            self.limit = -(-size // 2)
            return
        if why is None:
            raise TrainingError("a single image does not fit the memory", hint=_SMALLER)
        fits = self._fitting(batch, compute, begin)
        undo()
        message = f"a batch of {count} images does not fit the memory, and it can't be computed in parts: {why}"
        if fits is None:
            raise TrainingError(message, hint=_SMALLER)
        raise TrainingError(
            message,
            hint=f"write `batch_size: {fits * self._processes}`, which fits now; that is another recipe, "
            "whose rate may differ too",
        )

    def _fitting(self, batch: Batch, compute: Compute, begin: Callable[[], None]) -> int | None:
        """The largest of a half, a quarter, … of the batch that can be computed."""
        if any(isinstance(layer, SynchronizedBatchNorm) for layer in self._module.modules()):
            return None  # trying needs the other processes
        size = len(batch.images) // 2
        while size > 1:  # a batch norm needs two
            begin()
            fewer = part(batch, 0, size)
            fits = self._tried(fewer, compute) is not None
            _give_back()
            if fits:
                return size
            size //= 2
        return None


_SMALLER = "make the network or its images smaller, or take a device with more memory"


def part(batch: Batch, start: int, stop: int) -> Batch:
    """Some images of a batch, mixed as they are there."""
    mixed = None if batch.mixed is None else replace(batch.mixed, labels=batch.mixed.labels[start:stop])
    return Batch(batch.images[start:stop], batch.labels[start:stop], batch.indices[start:stop], mixed)


def share(loss: nn.Module, labels: Tensor, whole: Tensor) -> Tensor | float:
    """Of the mean loss over the `whole` batch's labels (M,), what the mean over some of them (N,) counts for.

    With class weights, it is that of the weights: the mean is divided by those of its labels.
    """
    weight = getattr(loss, "weight", None)
    if weight is None:
        return len(labels) / len(whole)
    found: Tensor = weight[labels].sum() / weight[whole].sum()
    return found


def needs_whole_batch(module: nn.Module, loss: nn.Module) -> str | None:
    """Why parts of a batch would train something else; None where they would not."""
    if not isinstance(loss, nn.CrossEntropyLoss):
        return f"{type(loss).__name__} may depend on all of its images"
    for path, layer in module.named_modules():
        if isinstance(layer, _BatchNorm) and (layer.training or layer.running_mean is None):
            return f"`{path}` normalises by the mean and variance of the whole batch"
        if isinstance(layer, _InstanceNorm) and layer.training and layer.track_running_stats:
            return f"`{path}` counts the statistics of whole batches"
        if isinstance(layer, StochasticDepth) and layer.mode == "batch" and layer.p:
            return f"`{path}` makes one draw for the whole batch"
    return None


def is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(text in str(error) for text in _FULL)


@contextmanager
def memory_is_told() -> Iterator[None]:
    """A TrainingError where memory runs out and nothing can be done about it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            "the memory is used up; what was saved before is intact",
            hint="end what else uses it and go on with `--resume`, or choose a smaller `batch_size`",
        ) from error


def _give_back() -> None:
    """What a failed try has freed, so that blocks of another size can be made of it."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.cuda.empty_cache()
