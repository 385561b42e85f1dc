"""What was not finite first in a step that the gate has closed: the step is computed again and looked at.

In: a learner whose weights are those that met the batch, and the batch. Out: words for a sentence such as `the output
of `conv_2``. Nothing has changed afterwards. The device is waited for often, which no longer matters then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from specforge.data.batches import Batch
from specforge.modules import SynchronizedBatchNorm
from specforge.training.learner import Learner

# images of a batch that are named
_NAMED = 5
# what is said where nothing is found
UNSEEN = "a number that was finite when the step was computed again, as when memory or processor are faulty,"


def first_fault(learner: Learner, batch: Batch, *, epoch: int, step: int) -> str:
    """`the loss`, `the output of …`, `the gradient of …`; epoch and step are those of the run, from 0."""
    if not _is_finite(batch.images):
        broken = batch.indices[~batch.images.flatten(1).isfinite().all(1)]
        return f"{'image' if len(broken) == 1 else 'a number in the images'} {rows_of(broken)}"
    for name, tensor in learner.module.state_dict().items():
        if not _is_finite(tensor):
            return f"`{name}`, since an earlier step,"
    learner.gate.keep()
    try:
        learner.begin_step(epoch, step)
        with apart(learner.module):
            return _first_output(learner, batch) or _of_the_backward_pass(learner, batch, epoch=epoch, step=step)
    finally:
        learner.module.zero_grad(set_to_none=True)
        learner.gate.restore()


@contextmanager
def apart(module: nn.Module) -> Iterator[None]:
    """Batch norms that go by the images of all processes take their own: the others look elsewhere meanwhile."""
    synchronized = [layer for layer in module.modules() if isinstance(layer, SynchronizedBatchNorm)]
    for layer in synchronized:
        layer.is_apart = True
    try:
        yield
    finally:
        for layer in synchronized:
            layer.is_apart = False


def rows_of(indices: Tensor) -> str:
    """`7, 12, 3 of the data set`, or the first of them."""
    named = ", ".join(str(row) for row in indices[:_NAMED].tolist())
    return f"{named}{', …' if len(indices) > _NAMED else ''} of the data set"


def _first_output(learner: Learner, batch: Batch) -> str | None:
    """In the order in which layers finish, so that the innermost comes first."""
    found: list[str] = []

    def watch(path: str) -> Callable[[nn.Module, object, object], None]:
        def look(_: nn.Module, __: object, output: object) -> None:
            if not found and not all(map(_is_finite, _tensors(output))):
                found.append(f"the output of `{path}`" if path else "the output of the network")

        return look

    hooks = [module.register_forward_hook(watch(path)) for path, module in learner.module.named_modules()]
    try:
        with torch.no_grad(), learner.precision.context():
            for part in learner.micro_batches.parts(batch):
                learner.module(part.images)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else None


def _of_the_backward_pass(learner: Learner, batch: Batch, *, epoch: int, step: int) -> str:
    learner.begin_step(epoch, step)
    losses = [learner.gradients(part, batch)[0] for part in learner.micro_batches.parts(batch)]
    if not all(map(_is_finite, losses)):
        return "the loss"
    # the backward pass comes from the end
    for name, parameter in reversed(list(learner.module.named_parameters())):
        if parameter.grad is not None and not _is_finite(parameter.grad):
            return f"the gradient of `{name}`"
    return UNSEEN


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)
    elif isinstance(output, dict):
        for part in output.values():
            yield from _tensors(part)


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
