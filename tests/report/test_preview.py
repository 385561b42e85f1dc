"""The sheet of a preview: magnified without smoothing, labelled, captioned with units."""

import io
from pathlib import Path

import numpy as np
import pytest

from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.mixup import Mixup
from specforge.data.preview import Picture, Strip
from specforge.report.preview import caption, write_preview
from specforge.spec import Data

MARGIN = 20


def picture(shape: tuple[int, int, int], *classes: tuple[str, float], seed: int = 0) -> Picture:
    random = np.random.default_rng(seed)
    return Picture(random.integers(0, 200, shape, dtype=np.uint8), classes or (("cat", 1.0),))


def sheet(folder: Path, strips: list[Strip], epochs: range, *, title: str = "a title") -> np.ndarray:
    """What was drawn, (H, W, 3) from 0 to 255."""
    from matplotlib.image import imread

    file = write_preview(folder / "preview.png", strips, title=title, caption=["a caption"], epochs=epochs)
    pixels = imread(io.BytesIO(file.read_bytes()), format="png")
    return np.asarray(pixels[..., :3] * 255).round().astype(np.uint8)


def contains(drawn: np.ndarray, pixels: np.ndarray) -> bool:
    """Whether the pixels stand somewhere in the drawing, as they are."""
    height, width = pixels.shape[:2]
    for y, x in np.argwhere((drawn == pixels[0, 0]).all(-1)):
        part = drawn[y : y + height, x : x + width]
        if part.shape == pixels.shape and (part == pixels).all():
            return True
    return False


@pytest.mark.parametrize(
    ("shape", "scale"), [((32, 32, 3), 5), ((8, 8, 3), 19), ((28, 28, 3), 5), ((48, 64, 3), 2), ((224, 224, 3), 1)]
)
def test_pixels_are_magnified_as_they_are(tmp_path: Path, shape: tuple[int, int, int], scale: int) -> None:
    strip = Strip(picture(shape), (picture(shape, seed=1), picture(shape, seed=2)))
    drawn = sheet(tmp_path, [strip], range(1, 3))
    for each in (strip.original, *strip.shown):
        assert each is not None
        assert contains(drawn, each.pixels.repeat(scale, 0).repeat(scale, 1))


def test_one_channel_is_grey(tmp_path: Path) -> None:
    given = picture((8, 8, 1))
    drawn = sheet(tmp_path, [Strip(given, ())], range(0))
    assert contains(drawn, given.pixels.repeat(3, 2).repeat(19, 0).repeat(19, 1))


def test_large_images_are_reduced_to_means(tmp_path: Path) -> None:
    given = picture((513, 600, 3))
    drawn = sheet(tmp_path, [Strip(given, ())], range(0))
    block = given.pixels[:3, :3].astype(np.float64).mean((0, 1)).round()
    edge = given.pixels[510:, 597:].astype(np.float64).mean((0, 1)).round()
    y, x = np.argwhere((drawn == block).all(-1))[0]
    assert x == MARGIN
    assert (drawn[y + 170, x + 199] == edge).all()


def test_an_image_that_an_epoch_leaves_out_is_a_gap(tmp_path: Path) -> None:
    shape = (8, 8, 3)
    whole = sheet(tmp_path, [Strip(picture(shape), (picture(shape),))], range(1, 2))
    gap = sheet(tmp_path, [Strip(picture(shape), (None,))], range(1, 2))
    assert whole.shape == gap.shape
    assert (gap[-60:, 200:340] == 255).all()
    assert not (whole[-60:, 200:340] == 255).all()


def test_long_names_and_scripts_without_a_font_break_nothing(tmp_path: Path) -> None:
    strips = [
        Strip(picture((8, 8, 3), ("x" * 200, 1.0)), (picture((8, 8, 3), ("y" * 200, 0.7), ("$a$ 猫_{", 0.3)),)),
    ]
    drawn = sheet(tmp_path, strips, range(7, 8), title="t" * 400)
    assert drawn.shape[1] < 700
    assert (drawn[:, -10:] == 255).all(), "nothing runs over the edge"
    # the line below the original ends before the next column
    assert (drawn[-40:, MARGIN + 154 : MARGIN + 160] == 255).all()


def test_originals_alone_stand_side_by_side(tmp_path: Path) -> None:
    one, many = (sheet(tmp_path, [Strip(picture((8, 8, 3)), ())] * count, range(0)) for count in (1, 8))
    assert many.shape[0] == one.shape[0]
    more = sheet(tmp_path, [Strip(picture((8, 8, 3)), ())] * 9, range(0))
    assert more.shape[1] == many.shape[1]
    assert more.shape[0] > many.shape[0]


def test_replaces_a_file_at_once_and_makes_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "new" / "preview.png"
    for _ in range(2):
        write_preview(file, [Strip(picture((8, 8, 3)), ())], title="", caption=[], epochs=range(0))
        assert file.read_bytes().startswith(b"\x89PNG")
    assert [entry.name for entry in file.parent.iterdir()] == ["preview.png"]


class Everything(Augmentation):
    """Has no main argument, and none must be given."""

    magnitude: int = 9
    bins: int = 31


def test_the_caption_says_what_is_done_with_units() -> None:
    data = Data(
        dataset=Synthetic(),
        augment=(HorizontalFlip(), Crop(padding=2, fill="reflect")),
        mix=(Mixup(alpha=0.2), Cutmix(probability=0.5)),
    )
    assert caption(data) == [
        "augment: horizontal_flip (probability 0.5), crop (padding 2 pixels on each side, fill reflect)",
        "mix: mixup (alpha 0.2, probability 1), cutmix (alpha 1, probability 0.5); one of them for each batch",
    ]
    assert caption(Data(dataset=Synthetic(), mix=Mixup())) == [
        "mix: mixup (alpha 1, probability 1); drawn once for each batch"
    ]
    assert caption(Data(dataset=Synthetic(), augment=(Everything(),))) == ["augment: everything (magnitude 9, bins 31)"]
    assert "shows the images as they are" in caption(Data(dataset=Synthetic()))[0]
