"""Generated images that a network can learn: every class has a smooth pattern of its own, under noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from specforge.catalog.datasets.definition import Arrays, Dataset, Facts
from specforge.catalog.definition import Count

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

# noise is made this many images at a time, so that a large set does not need four times its size for a while
_CHUNK = 1024
_WAVES = 3


class Synthetic(Dataset):
    """Class-dependent generated images, for tests and for timing without a download.

        data:
          dataset: {synthetic: {image: [3, 32, 32], classes: 10, train: 512, test: 128}}

    Images are (N, C, H, W). Each class is a sum of three slow waves per channel; every image adds normal noise of
    standard deviation `noise` (on a scale where 1 is the full range from black to white). Classes take turns, so
    their counts differ by one at most. The same arguments and numpy give the same images; `test` does not change
    the training images.

    Source: generated here; no data set lies behind it.
    """

    image: tuple[Count, Count, Count] = (3, 32, 32)
    classes: Count = 10
    train: Count = 512
    test: int = Field(default=128, ge=0)
    seed: int = Field(default=0, ge=0)
    noise: float = Field(default=0.2, ge=0)

    def facts(self) -> Facts:
        return Facts(image=self.image, classes=self.classes, train=self.train, test=self.test)

    def load(self, data_dir: Path, *, download: bool = False) -> Arrays:
        """Generate all images; neither argument is needed."""
        import numpy as np

        patterns = self._patterns()
        labels = np.concatenate([np.arange(count, dtype=np.int64) % self.classes for count in (self.train, self.test)])
        images = np.empty((self.train + self.test, *self.image), dtype=np.uint8)
        for part, first, last in ((1, 0, self.train), (2, self.train, self.train + self.test)):
            random = np.random.default_rng([self.seed, part])
            for start in range(first, last, _CHUNK):
                rows = slice(start, min(start + _CHUNK, last))
                noisy = random.standard_normal(images[rows].shape, dtype=np.float32)
                noisy *= 255 * self.noise
                noisy += patterns[labels[rows]]
                images[rows] = np.clip(np.rint(noisy), 0, 255)
        return Arrays(
            images=images,
            labels=labels,
            train=self.train,
            class_names=tuple(f"class {number}" for number in range(self.classes)),
        )

    def _patterns(self) -> np.ndarray:
        """(classes, C, H, W) float32 from 0 to 255: waves of at most two periods along each axis."""
        import numpy as np

        channels, height, width = self.image
        random = np.random.default_rng([self.seed, 0])
        down, across, phase = random.uniform(-2, 2, size=(3, self.classes, channels, _WAVES, 1, 1))
        rows, columns = np.arange(height)[:, None] / height, np.arange(width)[None, :] / width
        waves: np.ndarray = np.cos(2 * np.pi * (down * rows + across * columns + phase)).mean(axis=2)
        levels: np.ndarray = (127.5 * (1 + waves)).astype(np.float32)
        return levels
