"""specforge on images that stay on the disk: a folder of pictures, decoded once, mapped and read while training.

Fewer pictures than the other ways have, since each is a file that must be written first: an epoch is short, and what
happens at its end is not counted.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.cases import CLASSES, IMAGE, Case
from benchmarks.turns import Turns
from benchmarks.ways.engine import train

PICTURES = {"train": 50, "test": 1}  # of each class


def run(case: Case, turns: Turns) -> None:
    folder = _write(Path("pictures").resolve())
    _, height, width = IMAGE
    images = f"data.dataset={{image_folder: {{path: {folder}, size: [{height}, {width}]}}}}"
    train(case, (*case.settings(), images, "data.memory=streamed"), turns)


def _write(folder: Path) -> Path:
    random = np.random.default_rng(0)
    channels, height, width = IMAGE
    for part, count in PICTURES.items():
        for number in range(CLASSES):
            place = folder / part / f"{number:03}"
            place.mkdir(parents=True)
            pixels = random.integers(0, 256, (count, height, width, channels), dtype=np.uint8)
            for image in range(count):
                Image.fromarray(pixels[image]).save(place / f"{image}.png", compress_level=0)
    return folder
