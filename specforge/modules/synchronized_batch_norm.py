"""Batch normalisation over the images of all processes."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import batch_norm
from torch.nn.modules.batchnorm import _BatchNorm


class SynchronizedBatchNorm(_BatchNorm):
    """(N, C, …) -> the same: in training, normalises by mean and variance of the images that all processes have.

    On any device, where `torch.nn.SyncBatchNorm` needs a GPU, and by the same formulas. Without a process group, in
    evaluation, and while `is_apart`, it is torch's batch norm. `copies` is how many processes have the same images.
    """

    copies = 1
    is_apart = False

    def forward(self, input: Tensor) -> Tensor:
        is_shared = self.training and not self.is_apart and dist.is_available() and dist.is_initialized()
        if not is_shared or dist.get_world_size() == 1:
            return super().forward(input)
        normalized: Tensor
        normalized, mean, variance, count = _uncompiled(input, self.weight, self.bias, self.eps)
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            self._remember(mean, variance, count / self.copies)
        return normalized

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes: the layer's shape rule has checked them."""

    def _remember(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """The running statistics keep the unbiased variance, as torch's do."""
        assert self.running_mean is not None
        assert self.running_var is not None
        with torch.no_grad():
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
            share = self._share()
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
            self.running_var.lerp_((variance * (count / (count - 1))).to(self.running_var.dtype), share)

    def _share(self) -> float:
        """What a batch counts for in the running statistics."""
        if self.momentum is not None:
            return self.momentum
        return 1.0 / float(self.num_batches_tracked) if self.num_batches_tracked is not None else 0.0


class _Synchronized(torch.autograd.Function):
    """Images, scale and shift -> normalised images, the mean and variance of all processes' (C,), how many values."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        axes = [axis for axis in range(images.ndim) if axis != 1]
        values = images.numel() // images.shape[1]
        variance, mean = torch.var_mean(images.float(), axes, correction=0)
        # a row for each process: adding rows of zeros gathers them, exactly
        rows = torch.zeros(dist.get_world_size(), 2 * len(mean) + 1, device=images.device)
        rows[dist.get_rank()] = torch.cat([mean, variance * values, mean.new_full((1,), values)])
        dist.all_reduce(rows)
        means, squares, counts = torch.split_with_sizes(rows, [len(mean), len(mean), 1], dim=1)
        count = counts.sum()
        mean = (means * counts).sum(0) / count
        # squares around each process's own mean, and those of the means: nothing cancels out
        variance = (squares + counts * (means - mean).square()).sum(0) / count
        ctx.save_for_backward(images, weight, mean, torch.rsqrt(variance + eps), count)
        ctx.mark_non_differentiable(mean, variance, count)
        return batch_norm(images, mean, variance, weight, bias, False, 0.0, eps), mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        images, weight, mean, scale, count = ctx.saved_tensors
        axes = [axis for axis in range(images.ndim) if axis != 1]
        shape = [1, -1, *[1] * (images.ndim - 2)]
        gradient = gradients[0].float()
        normalized = (images.float() - mean.view(shape)) * scale.view(shape)
        sums = torch.stack([gradient.sum(axes), (gradient * normalized).sum(axes)])
        own = sums.clone()  # the gradients of scale and shift are added up with all others, after the backward pass
        dist.all_reduce(sums)
        centred, along = (values.view(shape) for values in sums / count)
        of_input = (gradient - centred - normalized * along) * (
            scale if weight is None else scale * weight.float()
        ).view(shape)
        if weight is None:
            return of_input.to(images.dtype), None, None, None
        return of_input.to(images.dtype), own[1].to(weight.dtype), own[0].to(weight.dtype), None


def _uncompiled(*arguments: Any) -> Any:
    return _Synchronized.apply(*arguments)


# what `torch.compiler.disable` marks a function with; calling that would load the compiler
_uncompiled._torchdynamo_disable = True  # type: ignore[attr-defined]
