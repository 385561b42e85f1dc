"""Mixing the images of a batch, and what the loss must know of it.

In: normalised images (N, C, H, W) and their labels (N,) on a device, and where a run stands. Out: the images, each
mixed with a partner, and `Mixed`: the partners' labels and the share of an image's own. The draws follow from
(seed, "mix", epoch, step), so that a run that is taken up again mixes as it would have. Nothing waits for the device.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from specforge.catalog.mixes.definition import Draw, Mix
from specforge.data.moving import moved
from specforge.data.randomness import key


@dataclass(frozen=True, slots=True)
class Mixed:
    """How the labels of a batch are mixed: the partners' (N,) int64, and the share of every own one, () float32."""

    labels: torch.Tensor
    share: torch.Tensor

    def between(self, own: torch.Tensor, partner: torch.Tensor) -> torch.Tensor:
        """The loss, or the number of right answers, from those against the own labels and the partners'."""
        return self.share * own + (1 - self.share) * partner


@dataclass(frozen=True, slots=True)
class Mixing:
    """What one batch gets: a mix, and its numbers, the partners on the device."""

    mix: Mix
    draw: Draw


class Mixer:
    """Gives each batch one of the mixes, all equally likely."""

    def __init__(self, mixes: Sequence[Mix], *, seed: int, device: torch.device):
        self._mixes, self._seed, self._device = tuple(mixes), seed, device

    def draw(self, epoch: int, counts: Mapping[int, int]) -> dict[int, Mixing]:
        """For each step with so many images what is done; steps that stay as they are have none.

        Drawing for several steps at once saves copies: one small copy for each step would cost more than the batch.
        """
        found = self.drawn(epoch, counts)
        if not found:
            return {}
        partners = moved(torch.cat([mixing.draw.partners for mixing in found.values()]), self._device)
        parts = torch.split_with_sizes(partners, [counts[step] for step in found])
        return {
            step: replace(mixing, draw=replace(mixing.draw, partners=part))
            for (step, mixing), part in zip(found.items(), parts, strict=True)
        }

    def drawn(self, epoch: int, counts: Mapping[int, int]) -> dict[int, Mixing]:
        """The same with the partners on the CPU."""
        if not self._mixes:
            return {}
        found = {}
        # RandomState, because numpy promises that its numbers never change; making one takes longer than seeding it
        random = np.random.RandomState(0)
        for step, count in counts.items():
            drawn = key(self._seed, "mix", epoch, step)
            random.seed([drawn >> 32, drawn & 0xFFFFFFFF])
            mix = self._mixes[random.randint(len(self._mixes))]
            draw = mix.draw(count, random)
            if draw is not None:
                found[step] = Mixing(mix, draw)
        return found


def mixed(images: torch.Tensor, labels: torch.Tensor, mixing: Mixing | None) -> tuple[torch.Tensor, Mixed | None]:
    """The images as they are mixed, and how their labels are."""
    if mixing is None:
        return images, None
    images, share = mixing.mix.apply(images, mixing.draw)
    # filled on the device: a number that is copied there would wait for the work before it
    shares = torch.full((), share, dtype=torch.float32, device=images.device)
    return images, Mixed(labels.index_select(0, mixing.draw.partners), shares)
