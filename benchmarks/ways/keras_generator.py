"""Keras's `fit` on an ImageDataGenerator, which is how its coursework and tutorials augment."""

from typing import Any

from benchmarks.cases import Augmentation, Case, pictures
from benchmarks.turns import Turns
from benchmarks.ways.keras_networks import MANY_EPOCHS, TakesTurns, compiled, normalised

# Four pixels of 32 are an eighth. Keras reads angles in degrees.
ARGUMENTS: dict[Augmentation, dict[str, Any]] = {
    "none": {},
    "flip_crop": {
        "horizontal_flip": True,
        "width_shift_range": 0.125,
        "height_shift_range": 0.125,
        "fill_mode": "constant",
    },
    "full": {
        "rotation_range": 15,
        "width_shift_range": 0.1,
        "height_shift_range": 0.1,
        "shear_range": 0.2,
        "zoom_range": 0.2,
        "horizontal_flip": True,
        "fill_mode": "nearest",
    },
}


def run(case: Case, turns: Turns) -> None:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator  # where Keras 3 keeps it

    images, labels = pictures(case.images)
    generator = ImageDataGenerator(**ARGUMENTS[case.augmentation])
    model = compiled(case.spec)
    batches = generator.flow(normalised(images), labels, batch_size=case.batch)
    model.fit(batches, epochs=MANY_EPOCHS, verbose=0, callbacks=[TakesTurns(turns)])
