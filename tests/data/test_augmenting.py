"""Augmenter: keyed draws, neighbours of geometric augmentations as one pass, all else in its order."""

from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.affine import Shift, Zoom
from specforge.catalog.augmentations.angles import Rotation, Shear
from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.definition import Augmentation, GeometricAugmentation
from specforge.catalog.augmentations.flip import HorizontalFlip, VerticalFlip
from specforge.catalog.augmentations.resampling import Resampling
from specforge.data.augmenting import Augmenter
from specforge.data.randomness import key

CPU = torch.device("cpu")
KERAS: tuple[Augmentation, ...] = (
    Rotation(degrees=15, fill="nearest"),
    Shift(fraction=0.1, fill="nearest"),
    Shear(degrees=0.2, preserve="length", fill="nearest"),
    Zoom(extent=0.2, axes="apart", fill="nearest"),
    HorizontalFlip(),
)
EXACT: tuple[Augmentation, ...] = (HorizontalFlip(), VerticalFlip(), Crop(padding=2))


def images(count: int = 8, image: tuple[int, int, int] = (3, 12, 10)) -> torch.Tensor:
    channels, height, width = image
    random = torch.Generator().manual_seed(count)
    values = torch.randint(256, (count, height, width, channels), dtype=torch.uint8, generator=random)
    return values.permute(0, 3, 1, 2)


def augmenter(augmentations: tuple[Augmentation, ...], *, seed: int = 0, **keys: Any) -> Augmenter:
    return Augmenter(augmentations, seed=seed, device=CPU, **keys)


def drawn(
    augmentation: Augmentation,
    given: torch.Tensor,
    place: int,
    *,
    epoch: int = 0,
    step: int = 0,
    stream: str = "augment",
) -> dict[str, torch.Tensor]:
    """What is drawn at a place of the list, by the rule for keys."""
    generator = torch.Generator().manual_seed(key(0, stream, epoch, step, place))
    height, width = given.shape[2:]
    return augmentation.draw(len(given), (height, width), generator)


def one_by_one(augmentations: tuple[Augmentation, ...], given: torch.Tensor, **position: Any) -> torch.Tensor:
    for place, augmentation in enumerate(augmentations):
        given = augmentation.apply(given, drawn(augmentation, given, place, **position))
    return given


def as_square(maps: torch.Tensor) -> torch.Tensor:
    bottom = torch.tensor([0.0, 0, 1], dtype=torch.float64).expand(len(maps), 1, 3)
    return torch.cat([maps, bottom], 1)


def product(augmentations: tuple[Augmentation, ...], given: torch.Tensor, first: int = 0) -> torch.Tensor:
    """The matrix product of the maps of augmentations that stand at a place of the list."""
    whole = torch.eye(3, dtype=torch.float64).expand(len(given), 3, 3)
    for place, augmentation in enumerate(augmentations, first):
        assert isinstance(augmentation, GeometricAugmentation)
        whole = whole @ as_square(augmentation.maps(drawn(augmentation, given, place)))
    return whole[:, :2]


def apart(one: torch.Tensor, other: torch.Tensor) -> int:
    return int((one.int() - other.int()).abs().max())


@pytest.mark.parametrize("stream", ["augment", "preview"])
def test_exact_augmentations_are_applied_as_they_are_drawn(stream: str) -> None:
    given = images()
    result = augmenter(EXACT, stream=stream)(given, rows=torch.arange(len(given)), epoch=2, step=5)
    assert torch.equal(result, one_by_one(EXACT, given, epoch=2, step=5, stream=stream))


@pytest.mark.parametrize("image", [(3, 12, 10), (1, 9, 9), (3, 32, 32)])
@pytest.mark.parametrize("count", [1, 8])
def test_geometric_neighbours_are_their_product_read_once(count: int, image: tuple[int, int, int]) -> None:
    given = images(count, image)
    result = augmenter(KERAS)(given, rows=torch.arange(len(given)), epoch=0, step=0)
    wanted = Resampling("nearest")(given, product(KERAS, given))
    assert result.dtype == torch.uint8
    assert result.stride() == given.stride()
    # a product summed in another order may round a value to the neighbouring level
    assert apart(result, wanted) <= 1
    assert (result != wanted).float().mean().item() < 0.001


def test_reading_once_is_sharper_than_reading_one_by_one() -> None:
    given = images(32, (3, 32, 32))

    def roughness(values: torch.Tensor) -> float:
        return values.double().diff(dim=-1).abs().mean().item()

    once, each = augmenter(KERAS)(given, rows=torch.arange(len(given)), epoch=0, step=0), one_by_one(KERAS, given)
    assert roughness(once) > 1.2 * roughness(each)


@pytest.mark.parametrize(
    "other",
    [
        Zoom(extent=0.2, fill="reflect"),
        Zoom(extent=0.2, value=0.5),
        Zoom(extent=0.2, interpolation="nearest"),
        Crop(padding=2),
    ],
)
def test_what_reads_otherwise_is_a_pass_of_its_own(other: Augmentation) -> None:
    given, augmentations = images(), (Rotation(degrees=20), other, Shift(pixels=2))
    result = augmenter(augmentations)(given, rows=torch.arange(len(given)), epoch=0, step=0)
    assert torch.equal(result, one_by_one(augmentations, given))


def test_flips_join_the_neighbours_that_read() -> None:
    """The first flip goes with the rotation, the second with the same, and what reads otherwise follows."""
    given = images()
    augmentations = (HorizontalFlip(), Rotation(degrees=20), VerticalFlip(), Zoom(extent=0.3, fill="nearest"))
    middle = Resampling()(given, product(augmentations[:3], given))
    assert len(augmenter(augmentations).draw(0, {0: torch.arange(8)}, (12, 10))) == 2, "two passes"
    result = augmenter(augmentations)(given, rows=torch.arange(len(given)), epoch=0, step=0)
    wanted = Resampling("nearest")(middle, product(augmentations[3:], middle, 3))
    assert apart(result, wanted) <= 1


def test_what_moves_out_and_back_in_is_still_there() -> None:
    there, back = (Shift(pixels=(distance, distance), axes="horizontal") for distance in (9, -9))
    given = images()
    assert torch.equal(augmenter((there, back))(given, rows=torch.arange(len(given)), epoch=0, step=0), given)
    assert not torch.equal(one_by_one((there, back), given), given)


def test_the_same_position_gives_the_same_images() -> None:
    given, all_of_them = images(), (*KERAS, *EXACT)
    first = augmenter(all_of_them)(given, rows=torch.arange(len(given)), epoch=1, step=2)
    torch.manual_seed(1)
    assert torch.equal(augmenter(all_of_them)(given, rows=torch.arange(len(given)), epoch=1, step=2), first)
    others = [
        augmenter(all_of_them)(given, rows=torch.arange(len(given)), epoch=0, step=2),
        augmenter(all_of_them)(given, rows=torch.arange(len(given)), epoch=1, step=3),
        augmenter(all_of_them, seed=1)(given, rows=torch.arange(len(given)), epoch=1, step=2),
        augmenter(all_of_them, stream="preview")(given, rows=torch.arange(len(given)), epoch=1, step=2),
    ]
    assert not any(torch.equal(first, other) for other in others)


def test_steps_drawn_together_are_the_steps_drawn_alone() -> None:
    """In any company: an image must not depend on where an epoch was taken up."""
    given, rows = [images(count) for count in (8, 8, 5)], torch.arange(100, 121)
    for augmentations in (KERAS, EXACT, (*KERAS, *EXACT)):
        one = augmenter(augmentations)
        draws = one.draw(4, {7: rows[:8], 8: rows[8:16], 9: rows[16:]}, (12, 10))
        together = [one.apply(batch, draws, first) for batch, first in zip(given, (0, 8, 16), strict=True)]
        alone = [
            one(batch, rows=own, epoch=4, step=step)
            for batch, own, step in zip(given, (rows[:8], rows[8:16], rows[16:]), (7, 8, 9), strict=True)
        ]
        assert all(torch.equal(*pair) for pair in zip(together, alone, strict=True))


@pytest.mark.parametrize("augmentations", [KERAS, EXACT, (*KERAS, *EXACT), (*EXACT, *KERAS), ()])
def test_levels_are_the_same_values_in_floats_where_they_are_read_between_pixels(
    augmentations: tuple[Augmentation, ...],
) -> None:
    given, one = images(), augmenter(augmentations)
    draws = one.draw(1, {2: torch.arange(8)}, (12, 10))
    levels = one.levels(given, draws)
    assert levels.dtype == (torch.float32 if augmentations[-1:] == KERAS[-1:] else torch.uint8)
    assert torch.equal(levels, one.apply(given, draws).to(levels.dtype))


def test_without_augmentations_nothing_changes() -> None:
    given = images()
    assert torch.equal(augmenter(())(given, rows=torch.arange(len(given)), epoch=0, step=0), given)
    assert augmenter(()).draw(0, {0: torch.arange(8)}, (12, 10)) == []


class _Decided(Augmentation):
    """Keeps a draw on the host, as what needs it to decide does."""

    on_host = ("decision",)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        return {"decision": torch.zeros(count), "strength": torch.zeros(count)}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return images


def test_what_the_host_decides_by_stays_there() -> None:
    meta = Augmenter((_Decided(),), seed=0, device=torch.device("meta"))
    (draws,) = meta.draw(0, {0: torch.arange(3), 1: torch.arange(3)}, (4, 4))
    assert (draws["decision"].device.type, draws["strength"].device.type) == ("cpu", "meta")
    assert len(draws["decision"]) == 6
