"""The gate before the weights: no update from a loss or gradients that are not finite.

In: whether the numbers of a step are finite, as a tensor. Out: the optimizers' step; or nothing at all: weights, what
optimizers remember and running statistics are then as they were before the step.

A CPU is asked at once, which costs it nothing. Any other device decides for itself, so that nothing waits for it: fused
optimizers leave the step out when told so by a tensor (`found_inf`), what others have changed is taken back. Which
steps were closed, the host reads later. Only the first step of a stage is waited for, because what optimizers remember
comes into being in it.
"""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

# how many steps lie between two looks at a device that is not waited for
_LOOK_EVERY = 32
# of the size of one number, in bytes
_WHOLE_NUMBERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Kept:
    """Copies of tensors that training changes in place; they can be put back."""

    def __init__(self, tensors: Iterable[Tensor]):
        by_type: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            # taken for whole numbers, because 0 times NaN is NaN
            whole = tensor.detach().view(_WHOLE_NUMBERS[tensor.element_size()])
            by_type.setdefault(whole.dtype, []).append(whole)
        self._pairs = [(now, [torch.empty_like(tensor) for tensor in now]) for now in by_type.values()]

    def keep(self) -> None:
        for now, copies in self._pairs:
            torch._foreach_copy_(copies, now)

    def restore(self) -> None:
        for now, copies in self._pairs:
            torch._foreach_copy_(now, copies)

    def restore_where(self, shut: Tensor) -> None:
        """If `shut` () bool says so, which nobody waits for. The copies are used up."""
        is_open = ~shut
        for now, copies in self._pairs:
            # a few kernels for all tensors; `torch.where` would be one for each
            torch._foreach_mul_(now, is_open.to(now[0].dtype))
            torch._foreach_mul_(copies, shut.to(now[0].dtype))
            torch._foreach_add_(now, copies)


class Gate:
    """Steps optimizers where the numbers are finite, and knows the steps of the epoch where they were not.

    `passed` says it of the last step: on a CPU a bool, elsewhere a tensor () on the device. A gate that `holds` stays
    closed after the first such step until the next epoch begins, so that the weights are those which met it; on a CPU
    its user knows at once. Gates of several processes `agree`: all know of a step after the same one.
    """

    def __init__(
        self, module: nn.Module, device: torch.device, *, holds: bool, waits: bool | None = None, agrees: bool = False
    ):
        self._device, self._holds, self._agrees = device, holds, agrees
        self._waits = device.type == "cpu" if waits is None else waits
        self._statistics = Kept(_statistics(module))
        self.passed: bool | Tensor = True
        self.begin_stage(())
        self.begin_epoch(0)

    def begin_stage(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        """Also after the optimizers were given another memory."""
        self._optimizers = optimizers
        self._taken_back: Kept | None = None

    def begin_epoch(self, steps: int) -> None:
        self._closed = torch.zeros(steps, dtype=torch.bool, device=self._device)
        self._open = torch.ones((), dtype=torch.bool, device=self._device)
        self._mail = _Mail(waits=self._agrees) if self._device.type == "cuda" else None

    def keep(self) -> None:
        """Before a step: its forward pass changes running statistics."""
        self._statistics.keep()

    def restore(self) -> None:
        """Running statistics as they were before the step."""
        self._statistics.restore()

    def step(self, finite: Tensor, step: int, *, excused: Tensor | None = None) -> None:
        """`finite` () bool is about the loss and all gradients of a step of the epoch.

        What is `excused` changes nothing either, but is no fault: float16's overflows, which its scaler looks for.
        """
        sound = finite if excused is None else finite | excused
        if self._holds and not self._waits:
            sound = self._open = sound & self._open
            finite = finite & sound
        if self._taken_back is not None:
            self._step_where(finite)
            self._closed[step], self.passed = ~sound, sound
            return
        if finite:  # waits
            self._step()
            self._taken_back = None if self._waits else Kept(_changed_by(self._optimizers))
        else:
            self.restore()
        self.passed = bool(sound)
        if not self.passed:
            self._closed[step] = True

    def closed(self) -> list[int]:
        """The steps of the epoch that were closed. The device is waited for."""
        return [step for step, shut in enumerate(self._closed.tolist()) if shut]

    def first_closed(self, step: int) -> int | None:
        """The first of them that is known after a step, without waiting."""
        if isinstance(self.passed, bool):
            return None if self.passed else step
        if self._mail is None or step % _LOOK_EVERY:
            return None
        arrived = self._mail.exchange(self._closed)
        return None if arrived is None or not arrived.any() else int(arrived.int().argmax())

    def _step(self) -> None:
        for optimizer in self._optimizers:
            optimizer.step()

    def _step_where(self, finite: Tensor) -> None:
        assert self._taken_back is not None
        shut = ~finite
        found = shut.to(torch.float32)
        self._taken_back.keep()
        for optimizer in self._optimizers:
            if not _can_leave_out(optimizer):
                optimizer.step()
                continue
            optimizer.found_inf, optimizer.grad_scale = found, None  # type: ignore[attr-defined]  # as GradScaler does
            optimizer.step()
            del optimizer.found_inf, optimizer.grad_scale  # type: ignore[attr-defined]
        self._taken_back.restore_where(shut)
        self._statistics.restore_where(shut)


def all_finite(loss: Tensor, gradients: Sequence[Tensor]) -> Tensor:
    """() bool, on their device: a sum is finite only where all of its numbers are."""
    if loss.device.type == "cpu":
        sums = [gradient.sum() for gradient in gradients]
    else:  # a few kernels for all of them
        sums = list(torch._foreach_norm(list(gradients), 1))
    return torch.stack([loss.detach(), *sums]).sum().isfinite()


class _Mail:
    """Takes a tensor to the host while the device goes on: what arrives was sent some steps ago.

    One that `waits` until it has arrived knows it by the place in the run, and not by chance.
    """

    def __init__(self, *, waits: bool = False) -> None:
        self._waits = waits
        self._sent: tuple[Tensor, torch.cuda.Event] | None = None

    def exchange(self, tensor: Tensor) -> Tensor | None:
        """What has arrived, if anything; then this one is sent."""
        if self._sent is not None and self._waits:
            self._sent[1].synchronize()
        if self._sent is not None and not self._sent[1].query():  # type: ignore[no-untyped-call]  # torch leaves it untyped
            return None
        arrived = None if self._sent is None else self._sent[0]
        there = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        there.copy_(tensor, non_blocking=True)
        event.record()
        self._sent = there, event
        return arrived


def _statistics(module: nn.Module) -> Iterator[Tensor]:
    for part in module.modules():
        if isinstance(part, _NormBase):
            yield from part.buffers(recurse=False)


def _changed_by(optimizers: Sequence[torch.optim.Optimizer]) -> Iterator[Tensor]:
    """What a step of those changes that can't leave it out.

    Counters that torch keeps on the host beside a GPU's weights stay out: they count a closed step as one.
    """
    for optimizer in optimizers:
        if not _can_leave_out(optimizer):
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    memory = optimizer.state.get(parameter, {}).values()
                    for tensor in (parameter, *memory):
                        if isinstance(tensor, Tensor) and tensor.device == parameter.device:
                            yield tensor


def _can_leave_out(optimizer: torch.optim.Optimizer) -> bool:
    """Whether it is a fused one that heeds `found_inf`. What Apple's kernels do with it is not documented."""
    device = optimizer.param_groups[0]["params"][0].device.type
    return device != "mps" and getattr(optimizer, "_step_supports_amp_scaling", False)
