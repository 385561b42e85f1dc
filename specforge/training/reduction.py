"""What several processes have computed of one step, added up: gradients, loss and running statistics.

In: each process's share of them. Out: in place, the same numbers in all processes, bit for bit.

Gradients are complete before the first is sent, so a process may compute its share in as many parts as its memory
needs, and the gate and gradient clipping see the sum. They are sent in the order of memory, some megabytes at a time.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.dropout import _DropoutNd

from specforge.data.batches import Batch
from specforge.modules import BitDropout, StochasticDepth, SynchronizedBatchNorm
from specforge.recipe import Train
from specforge.training.processes import Processes

# numbers in one message: enough that starting it takes no time beside sending it
_AT_ONCE = 2**22


class Reduction:
    """Adds up over `processes`; `module` is what has running statistics."""

    def __init__(self, module: nn.Module, processes: Processes):
        self._processes = processes
        self._norms = [part for part in module.modules() if isinstance(part, _NormBase)]
        self._synchronized = [part for part in self._norms if isinstance(part, SynchronizedBatchNorm)]

    def begin(self, batch: Batch) -> None:
        """Before a step's forward pass."""
        for norm in self._synchronized:
            norm.copies = 1 if batch.whole is None else batch.whole.copies

    def __call__(self, loss: Tensor, batch: Batch, parameters: Sequence[nn.Parameter]) -> Tensor:
        """The loss () of the whole batch; gradients and statistics are changed in place.

        Statistics become the mean over all images: of the running means it is exact, and what one process would have
        for the same shares.
        """
        statistics = list(self._statistics())
        if statistics:
            torch._foreach_mul_(statistics, batch.share)
        total = loss.detach().clone().view(1)
        gradients = [_in_order(parameter) for parameter in parameters if parameter.grad is not None]
        for piece in _pieces([total, *statistics, *gradients]):
            self._add(piece)
        return total[0]

    def _statistics(self) -> Iterator[Tensor]:
        """Those that differ by process; what stands still, or counts all images already, is the same everywhere."""
        for norm in self._norms:
            if norm.training and norm not in self._synchronized:
                yield from (values.view(-1) for values in norm.buffers(recurse=False) if values.is_floating_point())

    def _add(self, tensors: Sequence[Tensor]) -> None:
        sent = torch.cat(list(tensors))
        self._processes.add(sent)
        torch._foreach_copy_(list(tensors), list(torch.split_with_sizes(sent, [len(values) for values in tensors])))


def synchronize(module: nn.Module) -> None:
    """Have batch norms go by the images of all processes. Paths, parameters and statistics are what they were."""
    for part in module.modules():
        if isinstance(part, _BatchNorm) and not isinstance(part, SynchronizedBatchNorm):
            part.__class__ = SynchronizedBatchNorm  # in place, so that layers which share it share it still


def by_process(module: nn.Module, recipe: Train) -> list[str]:
    """What of a network goes by the images or the number of each process, in words."""
    parts = list(module.modules())
    found = []
    if not recipe.sync_batch_norm and any(isinstance(part, _BatchNorm) for part in parts):
        found.append("batch normalisation (no sync_batch_norm)")
    if any(isinstance(part, BitDropout | _DropoutNd) or getattr(part, "dropout", 0) for part in parts):
        found.append("dropout")
    if any(isinstance(part, StochasticDepth) for part in parts):
        found.append("stochastic depth")
    return found


def _in_order(parameter: nn.Parameter) -> Tensor:
    """Its gradient as a row of numbers in the order of memory; one that has gaps is laid out anew."""
    gradient = parameter.grad
    assert gradient is not None
    is_dense = gradient.is_contiguous() or (
        gradient.ndim == 4 and gradient.is_contiguous(memory_format=torch.channels_last)
    )
    if not is_dense:
        parameter.grad = gradient = gradient.contiguous()
    return gradient.as_strided((gradient.numel(),), (1,))


def _pieces(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Rows of numbers of one type, so many at once."""
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        piece = by_type.setdefault(tensor.dtype, [])
        if piece and sum(map(len, piece)) + len(tensor) > _AT_ONCE:
            yield piece
            piece = by_type[tensor.dtype] = []
        piece.append(tensor)
    yield from by_type.values()
