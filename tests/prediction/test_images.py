"""Files of images brought to the form that a model takes."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from specforge.catalog.datasets.image_listing import Fault
from specforge.prediction.card import Card
from specforge.prediction.images import find, read


def card(*image: int, resize: Literal["crop", "stretch"] = "crop") -> Card:
    return Card(name="any", spec="", spec_hash="", image=image, resize=resize)


def pixels_of(file: Path, form: Card) -> torch.Tensor:
    """(C, H, W)"""
    (found,) = read([file], form, at_once=1)
    assert not isinstance(found, Fault), found.reason
    return found[1][0]


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """A red left half and a blue right half, 8 by 4."""
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, :4, 0], pixels[:, 4:, 2] = 200, 100
    file = tmp_path / "colours.png"
    Image.fromarray(pixels).save(file)
    return file


def test_an_image_of_the_right_size_keeps_every_pixel(colours: Path) -> None:
    found = pixels_of(colours, card(3, 4, 8))
    assert found.shape == (3, 4, 8)
    assert found.dtype == torch.uint8
    assert found[0, :, :4].unique().tolist() == [200]
    assert found[2, :, 4:].unique().tolist() == [100]


def test_colours_become_grey_and_grey_becomes_three_channels(colours: Path, tmp_path: Path) -> None:
    grey = pixels_of(colours, card(1, 4, 8))
    assert grey.shape == (1, 4, 8)
    assert grey[0, 0, 0] == round(200 * 0.299)
    Image.fromarray(np.full((4, 4), 7, np.uint8)).save(tmp_path / "grey.png")
    assert pixels_of(tmp_path / "grey.png", card(3, 4, 4)).unique().tolist() == [7]


def test_other_proportions_are_cut_off_or_stretched(colours: Path) -> None:
    cropped, stretched = (pixels_of(colours, card(3, 4, 2, resize=how)) for how in ("crop", "stretch"))
    assert cropped[:, 0].tolist() == [[200, 0], [0, 0], [0, 100]]
    # averaged over the neighbourhood of each new pixel
    assert stretched[0, 0, 0] > 150
    assert (
        pixels_of(colours, card(3, 2, 2))[0, 0].tolist()
        != pixels_of(colours, card(3, 2, 2, resize="stretch"))[0, 0].tolist()
    )


def test_transparency_and_palettes_are_dropped(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (4, 4), (10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "palette.gif")
    for name in ("clear.png", "palette.gif"):
        assert pixels_of(tmp_path / name, card(3, 4, 4))[:, 0, 0].tolist() == [10, 20, 30]


def test_folders_stand_for_their_images_by_name(tmp_path: Path, colours: Path) -> None:
    content = colours.read_bytes()
    names = ["b/2.png", "b/10.png", "a/deep/1.PNG", "z.png", ".hidden/1.png", "b/.1.png", "b/notes.txt"]
    for name in names:
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_bytes(content)
    found = [
        path.relative_to(tmp_path / "all").as_posix() for path in find([tmp_path / "all"]) if isinstance(path, Path)
    ]
    assert found == ["z.png", "a/deep/1.PNG", "b/10.png", "b/2.png"]


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert find([tmp_path]) == [Fault(tmp_path, "cannot be read: Permission denied")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_and_a_dead_link_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    found = find([tmp_path / "pipe.png", tmp_path / "link.png", tmp_path])
    assert [each.reason for each in found if isinstance(each, Fault)] == [
        "not a regular file", "a link that leads nowhere", "a link that leads nowhere", "not a regular file",
    ]  # fmt: skip
