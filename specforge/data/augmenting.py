"""Augmentation of batches of bytes: what is drawn for every image, and the images that come of it.

In: images (N, C, H, W) uint8 on a device, and where a run stands. Out: images of the same kind, each changed by numbers
of its own. The draws follow from (seed, stream, epoch, step, place in the list), so they can be repeated at any time,
and no augmentation's draws depend on what another consumes.

    augmenter = Augmenter(data.augment, seed=0, device=images.device)
    augmenter(images, epoch=3, step=17)      # what training sees when these images come in that step

Geometric augmentations that stand side by side are one pass: their maps are multiplied and the images read once, which
is faster and blurs less. What the first moved out of the frame is then still there for the second. Those that differ in
`fill`, `value` or `interpolation` are passes of their own.

    [rotation, shift, horizontal_flip, crop]    ->    (rotation shift horizontal_flip), (crop)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from specforge.catalog.augmentations.definition import Augmentation, GeometricAugmentation
from specforge.catalog.augmentations.resampling import Resampling, composed
from specforge.data.randomness import key

Draws = dict[str, torch.Tensor]
# Draws of the augmentation at a place of the list, on the CPU.
_Drawn = Callable[[int, Augmentation], Draws]


class Augmenter:
    """Applies augmentations in their order, drawing for every image on its own.

    `stream` names what the images are for: other streams draw other numbers at the same place of a run, as
    test-time augmentation must.
    """

    def __init__(
        self, augmentations: Sequence[Augmentation], *, seed: int, device: torch.device, stream: str = "augment"
    ):
        self._seed, self._stream, self._device = seed, stream, device
        self._passes = tuple(_passes(augmentations))

    def __call__(self, images: torch.Tensor, *, epoch: int, step: int) -> torch.Tensor:
        """The images as they are changed in a step of an epoch."""
        count, _, height, width = images.shape
        return self.apply(images, self.draw(epoch, {step: count}, (height, width)))

    def draw(self, epoch: int, counts: Mapping[int, int], size: tuple[int, int]) -> list[Draws]:
        """Draws for steps with so many images of (H, W) `size` each, one after the other, for every pass.

        Drawing for several steps at once saves copies: one small copy for each step would cost more than the batch.
        """

        def drawn(place: int, augmentation: Augmentation) -> Draws:
            generator, by_step = torch.Generator(), []
            for step, count in counts.items():
                generator.manual_seed(key(self._seed, self._stream, epoch, step, place))
                by_step.append(augmentation.draw(count, size, generator))
            return {name: torch.cat([draws[name] for draws in by_step]) for name in by_step[0]}

        return [one.draws(drawn, self._device) for one in self._passes]

    def apply(self, images: torch.Tensor, draws: Sequence[Draws], first: int = 0) -> torch.Tensor:
        """The images, changed by as many rows of the draws, from the `first` on."""
        rows = slice(first, first + len(images))
        for one, drawn in zip(self._passes, draws, strict=True):
            images = one.apply(images, {name: values[rows] for name, values in drawn.items()})
        return images


def moved(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """To the device; from pinned memory, so that the copy does not wait for the work queued before it."""
    return (values.pin_memory() if device.type == "cuda" else values).to(device, non_blocking=True)


@dataclass(frozen=True, slots=True)
class _Alone:
    """An augmentation that is applied by itself."""

    place: int
    augmentation: Augmentation

    def draws(self, drawn: _Drawn, device: torch.device) -> Draws:
        draws = drawn(self.place, self.augmentation)
        stay = self.augmentation.on_host
        return {name: values if name in stay else moved(values, device) for name, values in draws.items()}

    def apply(self, images: torch.Tensor, draws: Draws) -> torch.Tensor:
        return self.augmentation.apply(images, draws)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Geometric neighbours, from a place of the list on, that are applied as one map."""

    place: int
    augmentations: tuple[GeometricAugmentation, ...]
    resampling: Resampling

    def draws(self, drawn: _Drawn, device: torch.device) -> Draws:
        maps = [one.maps(drawn(place, one)) for place, one in enumerate(self.augmentations, self.place)]
        return {"maps": moved(composed(maps).to(torch.float32), device)}

    def apply(self, images: torch.Tensor, draws: Draws) -> torch.Tensor:
        return self.resampling(images, draws["maps"])


def _passes(augmentations: Sequence[Augmentation]) -> Iterator[_Alone | _Joined]:
    """The augmentations in their order, neighbours that can be one joined.

    Those that read between pixels join where they do it in the same way; a flip joins any of them. Flips among
    themselves stay exact copies.
    """
    place = 0
    while place < len(augmentations):
        run, resampling = _run(augmentations[place:])
        if resampling is None:
            yield _Alone(place, augmentations[place])
            place += 1
        else:
            yield _Joined(place, run, resampling)
            place += len(run)


def _run(augmentations: Sequence[Augmentation]) -> tuple[tuple[GeometricAugmentation, ...], Resampling | None]:
    """How many from the first on are one, and how they read; None where nothing is read between pixels."""
    run: list[GeometricAugmentation] = []
    resampling: Resampling | None = None
    for augmentation in augmentations:
        if not isinstance(augmentation, GeometricAugmentation):
            break
        wanted = augmentation.resampling
        if wanted is not None and resampling is not None and wanted != resampling:
            break
        run.append(augmentation)
        resampling = resampling or wanted
    return tuple(run), resampling
