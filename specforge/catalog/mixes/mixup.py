"""Averaging two images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specforge.catalog.mixes.definition import Draw, Mix

if TYPE_CHECKING:
    import torch


class Mixup(Mix):
    """Blends each image of a batch, and its label, with another one of the batch.

        data:
          dataset: cifar10
          mix: {mixup: {alpha: 0.2}}

    `(N, C, H, W) -> (N, C, H, W)` on normalised images: share * image + (1 - share) * partner, and the loss is
    share * loss(label) + (1 - share) * loss(partner's label). One share is drawn for a batch, as in the paper, from
    Beta(alpha, alpha); partners are the batch in another order, so an image may meet itself.
    `alpha`, 0.001 to 1000, says how strong it is: near 0 one image of two prevails, at 1 every share is as likely, far
    above 1 both count alike. The paper takes 1 for CIFAR and 0.1 to 0.4 for ImageNet.
    `probability` is the share of batches that are mixed, 0 to 1; the others stay as they are.

    Source: https://arxiv.org/abs/1710.09412
    """

    def apply(self, images: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, float]:
        import torch

        images_nhwc = images.permute(0, 2, 3, 1)
        mixed_nhwc = torch.lerp(images_nhwc.index_select(0, draw.partners), images_nhwc, draw.share)
        return mixed_nhwc.permute(0, 3, 1, 2), draw.share
