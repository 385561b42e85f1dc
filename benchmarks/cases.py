"""What is trained: a spec of `specs/`, the images of a step, and what happens to them on the way.

    Case("lab2_bn", 128, "flip_crop").settings()     # what `specforge train --set` gets for it

Every way of training gets images of CIFAR-100's shape and number, generated, so that nothing has to be downloaded.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np

ROOT = Path(__file__).resolve().parents[1]

Augmentation = Literal["none", "flip_crop", "full"]
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
CLASSES = 100
IMAGE = (3, 32, 32)
# training images, and how many of them there are for each test image
TRAIN, TESTED = 50_000, 5
# of CIFAR-100's channels, on pixels scaled to 0..1
MEAN, STD = (0.507, 0.487, 0.441), (0.267, 0.256, 0.276)
# rates that keep weights finite on any of the networks for as long as a measurement takes
RATES = {"lab2_bn": 1e-3, "six_conv": 1e-3, "phase3_resnet18": 1e-2}
MOMENTUM = 0.9
# Keras's, which the documents used
ADAM_EPSILON = 1e-7

# In the language; `full` is what `specs/augment_15.yaml` asks for.
_WORDS: dict[Augmentation, str] = {
    "none": "[]",
    "flip_crop": "[horizontal_flip, {crop: {padding: 4}}]",
    "full": "[{rotation: {degrees: 15, fill: nearest}}, {shift: {fraction: 0.1, fill: nearest}}, "
    "{shear: {degrees: 0.2, preserve: length, fill: nearest}}, {zoom: {extent: 0.2, axes: apart, fill: nearest}}, "
    "horizontal_flip]",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One network, one batch size, one augmentation, so many training images."""

    spec: str
    batch: int
    augmentation: Augmentation
    images: int = TRAIN

    def __str__(self) -> str:
        names = {"none": "no augmentation", "flip_crop": "flip and crop", "full": "full affine set"}
        return f"{self.spec}, batch {self.batch}, {names[self.augmentation]}"

    @property
    def path(self) -> Path:
        """The spec's file; a spec may also be given by its path."""
        named = Path(self.spec)
        return named if named.suffix else ROOT / "specs" / f"{self.spec}.yaml"

    @property
    def data_bytes(self) -> int:
        """Of all images, as bytes: what a data set in memory needs at least."""
        return (self.images + self.images // TESTED) * prod(IMAGE)

    def settings(self) -> tuple[str, ...]:
        """What stands in for the data set, and goes on for as long as a measurement may take."""
        shape = ", ".join(map(str, IMAGE))
        counts = f"train: {self.images}, test: {self.images // TESTED}"
        data = f"{{synthetic: {{image: [{shape}], classes: {CLASSES}, {counts}}}}}"
        rate = (f"train.optimizer.lr={RATES[self.spec]}",) if self.spec in RATES else ()
        return (
            f"data.dataset={data}",
            "data.split={train: 1.0, validation: null, test: official}",
            f"data.augment={_WORDS[self.augmentation]}",
            f"train.batch_size={self.batch}",
            "train.epochs=1000",
            *rate,
        )


def pictures(count: int) -> "tuple[np.ndarray, np.ndarray]":
    """Training images (N, 32, 32, 3) uint8 and labels (N,) int64, for the ways that are not specforge's."""
    import numpy as np

    channels, height, width = IMAGE
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    return images, random.integers(0, CLASSES, count, dtype=np.int64)
