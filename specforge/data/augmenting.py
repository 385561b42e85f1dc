"""Augmentation of batches of bytes: what is drawn for every image, and the images that come of it.

In: images (N, C, H, W) uint8 on a device, their rows of the data set, and where a run stands. Out: images of the same
kind, each changed by numbers of its own. The draws follow from (seed, stream, epoch, step, place in the list), and from
the image's row where it keeps them from epoch to epoch, so they can be repeated at any time, and no augmentation's
draws depend on what another consumes.

    augmenter = Augmenter(data.augment, seed=0, device=images.device)
    augmenter(images, rows=rows, epoch=3, step=17)      # what training sees when these images come in that step

Geometric augmentations that stand side by side are one pass: their maps are multiplied and the images read once, which
is faster and blurs less. What the first moved out of the frame is then still there for the second. Those that differ in
`fill`, `value` or `interpolation` are passes of their own.

    [rotation, shift, horizontal_flip, crop]    ->    (rotation shift horizontal_flip), (crop)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from specforge.catalog.augmentations.definition import Augmentation, GeometricAugmentation, Moment
from specforge.catalog.augmentations.resampling import Resampling, composed
from specforge.data.moving import moved
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

    def __call__(self, images: torch.Tensor, *, rows: torch.Tensor, epoch: int, step: int) -> torch.Tensor:
        """The images, which are these rows of the data set (N,), as they are changed in a step of an epoch."""
        height, width = images.shape[2:]
        return self.apply(images, self.draw(epoch, {step: rows}, (height, width)))

    def draw(self, epoch: int, rows: Mapping[int, torch.Tensor], size: tuple[int, int]) -> list[Draws]:
        """Draws for steps with these rows of the data set (on the CPU), one after the other, for every pass.

        Images have the (H, W) `size`. Drawing for several steps at once saves copies: one small copy for each step
        would cost more than the batch.
        """

        def drawn(place: int, augmentation: Augmentation) -> Draws:
            generator, by_step, own = torch.Generator(), [], key(self._seed, self._stream, place)
            for step, of_step in rows.items():
                generator.manual_seed(key(self._seed, self._stream, epoch, step, place))
                by_step.append(augmentation.draw_at(Moment(of_step, epoch, own), size, generator))
            return {name: torch.cat([draws[name] for draws in by_step]) for name in by_step[0]}

        return [one.draws(drawn, self._device) for one in self._passes]

    def apply(self, images: torch.Tensor, draws: Sequence[Draws], first: int = 0) -> torch.Tensor:
        """The images, changed by as many rows of the draws, from the `first` on."""
        for one, drawn in self._steps(draws, first, len(images)):
            images = one.apply(images, drawn)
        return images

    def levels(self, images: torch.Tensor, draws: Sequence[Draws], first: int = 0) -> torch.Tensor:
        """The same values as `apply` gives, in float32 where the last pass has them so: for who needs no bytes."""
        steps = list(self._steps(draws, first, len(images)))
        for one, drawn in steps[:-1]:
            images = one.apply(images, drawn)
        for one, drawn in steps[-1:]:
            images = one.levels(images, drawn)
        return images

    def _steps(self, draws: Sequence[Draws], first: int, count: int) -> Iterator[tuple["_Alone | _Joined", Draws]]:
        """The passes, each with `count` rows of its draws."""
        rows = slice(first, first + count)
        for one, drawn in zip(self._passes, draws, strict=True):
            yield one, {name: values[rows] for name, values in drawn.items()}


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

    def levels(self, images: torch.Tensor, draws: Draws) -> torch.Tensor:
        return self.apply(images, draws)


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

    def levels(self, images: torch.Tensor, draws: Draws) -> torch.Tensor:
        return self.resampling.levels(images, draws["maps"])


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
