"""Decoding images: as Pillow and torchvision do, upright, in grey or RGB; damaged files are named, all of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specforge.catalog.datasets import image_decoding
from specforge.catalog.datasets.image_decoding import Form, decode_all
from specforge.catalog.datasets.image_listing import ImageFile
from tests.catalog.datasets.image_files import Image, pixels, write_image

SAME = Form(12, 16, 3, "stretch")


def listed(*files: Path) -> list[ImageFile]:
    return [ImageFile(file, 0, file.stat().st_size, 0) for file in files]


def decoded(file: Path, form: Form = SAME) -> np.ndarray:
    """One file's pixels (H, W, C)."""
    written: list[np.ndarray] = []
    assert decode_all(listed(file), form, written.append) == []
    (images,) = written
    assert images.shape == (1, *form.shape)
    assert images.dtype == np.uint8
    return images[0]


def saved(file: Path, image: Any, **keys: Any) -> Path:
    image.save(file, **keys)
    return file


def test_an_image_of_the_size_asked_for_is_not_changed(tmp_path: Path) -> None:
    assert np.array_equal(decoded(write_image(tmp_path / "1.png", 3)), pixels(3))


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm", "tif", "webp", "gif", "jpg"])
def test_formats(suffix: str, tmp_path: Path) -> None:
    lossless = {"webp": {"lossless": True}}.get(suffix, {})
    file = saved(tmp_path / f"1.{suffix}", Image.fromarray(pixels(1)), **lossless)
    difference = np.abs(decoded(file).astype(int) - pixels(1))
    assert difference.max() <= {"jpg": 40, "gif": 40}.get(suffix, 0)
    assert difference.mean() < 8


@pytest.mark.parametrize("size", [(5, 7), (30, 40), (12, 16), (1, 1), (40, 5)])
def test_stretched_as_torchvision_resizes(size: tuple[int, int], tmp_path: Path) -> None:
    functional = pytest.importorskip("torchvision.transforms.functional")
    expected = np.asarray(functional.resize(Image.fromarray(pixels(2)), size))
    assert np.array_equal(decoded(write_image(tmp_path / "1.png", 2), Form(*size, 3, "stretch")), expected)


def test_cropped_to_what_is_in_the_middle(tmp_path: Path) -> None:
    wide, high = (write_image(tmp_path / f"{size}.png", 4, size=size) for size in ((10, 30), (30, 10)))
    assert np.array_equal(decoded(wide, Form(10, 10, 3, "crop")), pixels(4, (10, 30))[:, 10:20])
    assert np.array_equal(decoded(high, Form(10, 10, 3, "crop")), pixels(4, (30, 10))[10:20])


@pytest.mark.parametrize("size", [(6, 6), (24, 24), (20, 10), (5, 16)])
def test_cropping_keeps_the_proportions(size: tuple[int, int], tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    rows, columns = np.mgrid[0:48, 0:64]
    picture[(rows - 23.5) ** 2 + (columns - 31.5) ** 2 < 100] = 255
    form = Form(*size, 3, "crop")
    found = decoded(saved(tmp_path / "1.png", Image.fromarray(picture)), form)
    scale = max(size[0] / 48, size[1] / 64)
    assert found[..., 0].mean() / 255 * size[0] * size[1] == pytest.approx(np.pi * 100 * scale**2, rel=0.03)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_by_its_exif_orientation(orientation: int, tmp_path: Path) -> None:
    turns = {3: "ROTATE_180", 6: "ROTATE_90", 8: "ROTATE_270", 2: "FLIP_LEFT_RIGHT", 4: "FLIP_TOP_BOTTOM"}
    turns |= {5: "TRANSPOSE", 7: "TRANSVERSE"}
    image = Image.fromarray(pixels(0))
    stored = image.transpose(Image.Transpose[turns[orientation]]) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decoded(saved(tmp_path / "1.png", stored, exif=exif)), pixels(0))


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA", "1", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_colours_of_other_kinds(mode: str, channels: Any, tmp_path: Path) -> None:
    image = Image.fromarray(pixels(0)).convert(mode)
    file = saved(tmp_path / ("1.tif" if mode == "CMYK" else "1.png"), image)
    expected = np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(12, 16, channels)
    assert np.array_equal(decoded(file, Form(12, 16, channels, "crop")), expected)


def test_a_palette_with_transparency_needs_no_warning(tmp_path: Path) -> None:
    image = Image.fromarray(pixels(0)).convert("P")
    file = saved(tmp_path / "1.png", image, transparency=bytes(range(256)))
    assert np.array_equal(decoded(file), np.asarray(image.convert("RGB")))


def test_grey_of_sixteen_bits_keeps_its_upper_half(tmp_path: Path) -> None:
    deep = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 340
    for suffix in ("png", "tif"):
        file = saved(tmp_path / f"1.{suffix}", Image.fromarray(deep))
        assert np.array_equal(decoded(file, Form(12, 16, 1, "crop"))[..., 0], deep >> 8)


def test_images_come_in_the_order_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_decoding, "_CHUNK", 3 * SAME.nbytes)
    files = [write_image(tmp_path / f"{number}.png", number) for number in range(20)]
    written: list[np.ndarray] = []
    decode_all(listed(*files), SAME, written.append)
    assert [len(images) for images in written] == [3] * 6 + [2]
    assert np.array_equal(np.concatenate(written), np.stack([pixels(number) for number in range(20)]))


def bad_files(folder: Path) -> dict[Path, str]:
    """Files that are no whole images, and what is said of each."""
    png, jpeg = write_image(folder / "whole.png"), write_image(folder / "whole.jpg", size=(60, 60))
    header = png.read_bytes()
    contents = {
        "truncated.png": (png.read_bytes()[:-40], "damaged"),
        "truncated.jpg": (jpeg.read_bytes()[: jpeg.stat().st_size // 2], "damaged: image file is truncated"),
        "damaged.png": (header[:60] + bytes(20) + header[80:], "damaged"),
        "one_byte.png": (b"\x89", "not an image (JPEG, PNG"),
        "text.txt": (b"rose 1.jpg\n", "not an image (JPEG, PNG"),
        "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image (JPEG, PNG"),
    }
    said = {}
    for name, (content, reason) in contents.items():
        (folder / name).write_bytes(content)
        said[folder / name] = reason
    deep = saved(folder / "deep.tif", Image.fromarray(np.ones((4, 4), np.float32)))
    return said | {deep: "pixels of 32 bits"}


def test_every_bad_file_is_found_in_one_pass(tmp_path: Path) -> None:
    said = bad_files(tmp_path)
    whole = [write_image(tmp_path / f"{number}.png") for number in range(3)]
    faults = decode_all(listed(*whole, *said, *whole), SAME, lambda images: pytest.fail("written after a fault"))
    assert [fault.path for fault in faults] == list(said)
    for fault, reason in zip(faults, said.values(), strict=True):
        assert fault.reason.startswith(reason)


@pytest.mark.parametrize("times", [1, 3])
def test_a_decompression_bomb_is_not_decoded(times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow warns of what is above its limit, and refuses what is above twice the limit."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12 * 16 // times - (times == 1))
    (fault,) = decode_all(listed(write_image(tmp_path / "1.png")), SAME, lambda images: pytest.fail("was decoded"))
    assert fault.reason.startswith("more than ")
    assert "Pillow's limit against decompression bombs" in fault.reason


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = write_image(tmp_path / "1.png")
    monkeypatch.setattr(image_decoding, "decode", refuse)
    (fault,) = decode_all(listed(file), SAME, lambda images: None)
    assert fault.reason == "permission denied"


def test_damage_is_a_fault_and_nothing_else(tmp_path: Path) -> None:
    """Whatever bytes are changed, the image is decoded or named."""
    random = np.random.default_rng(0)
    files = []
    for suffix in ("png", "jpg", "gif", "bmp", "tif", "webp", "ppm"):
        content = write_image(tmp_path / f"whole.{suffix}").read_bytes()
        for number in range(40):
            changed = bytearray(content)
            for place in random.integers(0, len(content), 3):
                changed[place] = random.integers(256)
            file = tmp_path / f"{number}.{suffix}"
            file.write_bytes(bytes(changed[: random.integers(1, len(changed) + 1)] if number % 2 else changed))
            files.append(file)
    faults = decode_all(listed(*files), SAME, lambda images: None)
    assert 100 < len(faults) < len(files)
    assert all(fault.reason.startswith(("damaged: ", "not an image", "more than ")) for fault in faults)
