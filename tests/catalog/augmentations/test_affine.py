"""Shift, Zoom and Affine against torchvision for single images, and against the draws of Keras."""

from collections.abc import Callable
from math import degrees
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.affine import Affine, Shift, Zoom
from tests.catalog.augmentations.oracle import (
    SHAPES,
    assert_independent,
    assert_like,
    assert_uniform,
    drawn,
    smooth_images,
)


@pytest.fixture(params=["bilinear", "nearest"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def torchvision_affine(mode: str) -> Callable[..., torch.Tensor]:
    transforms = pytest.importorskip("torchvision.transforms.v2")
    interpolation = transforms.InterpolationMode(mode)

    def affine(image: torch.Tensor, **arguments: Any) -> torch.Tensor:
        still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
        return transforms.functional.affine(image, **{**still, **arguments}, interpolation=interpolation)

    return affine


def share(mode: str) -> float:
    """Where a pixel is taken whole, one whose place is near a half may be its neighbour."""
    return 0.002 if mode == "bilinear" else 0.01


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unit", [{"fraction": 0.3}, {"pixels": 3}])
def test_shift_equals_torchvision(
    unit: Any, shape: tuple[int, ...], mode: Any, torchvision_affine: Callable[..., torch.Tensor]
) -> None:
    def shifted(image: torch.Tensor, right: float, down: float) -> torch.Tensor:
        return torchvision_affine(image, translate=[right, down])

    assert_like(Shift(**unit, interpolation=mode), shape, shifted, share(mode))


@pytest.mark.parametrize("shape", SHAPES)
def test_zoom_by_scale_equals_torchvision(
    shape: tuple[int, ...], mode: Any, torchvision_affine: Callable[..., torch.Tensor]
) -> None:
    def zoomed(image: torch.Tensor, horizontal: float, vertical: float) -> torch.Tensor:
        assert horizontal == vertical
        return torchvision_affine(image, scale=horizontal)

    assert_like(Zoom(scale=(0.6, 1.7), interpolation=mode), shape, zoomed, share(mode))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "arguments",
    [
        {"degrees": 180},
        {"degrees": 30, "translate": 0.3, "scale": (0.7, 1.4), "shear_degrees": 20, "vertical_shear_degrees": 15},
        {"translate": (0.5, 0), "shear_degrees": (5, 10)},
    ],
)
def test_affine_equals_torchvision(
    arguments: Any, shape: tuple[int, ...], mode: Any, torchvision_affine: Callable[..., torch.Tensor]
) -> None:
    def moved(
        image: torch.Tensor,
        radians: float,
        right: float,
        down: float,
        scale: float,
        slant: float,
        vertical_slant: float,
    ) -> torch.Tensor:
        shear = [degrees(slant), degrees(vertical_slant)]
        return torchvision_affine(image, angle=degrees(radians), translate=[right, down], scale=scale, shear=shear)

    assert_like(Affine(**arguments, interpolation=mode), shape, moved, share(mode))


def test_shift_moves_right_and_down() -> None:
    given = smooth_images((1, 3, 6, 6))
    moved = Shift(pixels=2).apply(given, {"right": torch.tensor([2.0]), "down": torch.tensor([1.0])})
    assert torch.equal(moved[..., 1:, 2:], given[..., :-1, :-2])
    assert not moved[..., :2].any()


def test_zoom_by_extent_shows_as_much_of_the_image() -> None:
    """Keras's zx and zy multiply the places that are read."""
    twice, half = torch.tensor([2.0]), torch.tensor([0.5])
    found = Zoom(extent=(0.5, 2)).maps({"horizontal": twice, "vertical": half})
    assert found.tolist() == [[[2, 0, 0], [0, 0.5, 0]]]
    assert Zoom(scale=(0.5, 2)).maps({"horizontal": twice, "vertical": half}).tolist() == [[[0.5, 0, 0], [0, 2, 0]]]


@pytest.mark.parametrize(
    ("shift", "right", "down"),
    [
        (Shift(fraction=0.1), 2, 1),
        (Shift(pixels=4), 4, 4),
        (Shift(fraction=0.1, axes="horizontal"), 2, 0),
        (Shift(pixels=4, axes="vertical"), 0, 4),
    ],
)
def test_all_distances_are_equally_likely(shift: Shift, right: float, down: float) -> None:
    draws = drawn(shift, (40_000, 1, 10, 20))
    for name, most in (("right", right), ("down", down)):
        if most:
            assert_uniform(draws[name], -most, most)
        else:
            assert not draws[name].any()
    if right and down:
        assert_independent(draws["right"], draws["down"])


def test_whole_pixels_are_whole_and_both_signs() -> None:
    draws = drawn(Shift(pixels=(-2, 1), whole_pixels=True), (1_000, 1, 8, 8))
    assert set(draws["right"].tolist()) == {-2.0, -1.0, 0.0, 1.0}


def test_factors_are_equally_likely_and_as_independent_as_asked() -> None:
    together, apart = (drawn(Zoom(extent=0.2, axes=axes), (40_000, 3, 8, 8)) for axes in ("together", "apart"))  # type: ignore[arg-type]  # from the list
    assert torch.equal(together["horizontal"], together["vertical"])
    assert_independent(apart["horizontal"], apart["vertical"])
    for values in (together["horizontal"], *apart.values()):
        assert_uniform(values, 0.8, 1.2)
    only = drawn(Zoom(extent=(0.5, 1), axes="vertical"), (40_000, 3, 8, 8))
    assert_uniform(only["vertical"], 0.5, 1)
    assert (only["horizontal"] == 1).all()


def test_affine_draws_independently_within_its_ranges() -> None:
    affine = Affine(degrees=10, translate=(0.5, 0.25), scale=(0.9, 1.2), shear_degrees=5, vertical_shear_degrees=(1, 2))
    draws = drawn(affine, (40_000, 3, 40, 20))
    rounded = {"right": 10, "down": 10}
    for name, most in rounded.items():
        assert set(draws[name].tolist()) == set(range(-most, most + 1))
    assert_uniform(draws["scale"], 0.9, 1.2)
    for name, low, high in (("radians", -10, 10), ("slant", -5, 5), ("vertical_slant", 1, 2)):
        assert_uniform(draws[name].double().rad2deg(), low - 1e-5, high + 1e-5)
    names = list(draws)
    for place, name in enumerate(names):
        for other in names[:place]:
            assert_independent(draws[name], draws[other])


def test_what_affine_is_not_given_stays() -> None:
    given = smooth_images((4, 3, 9, 7))
    still = Affine(degrees=0)
    assert torch.equal(still.apply(given, drawn(still, (4, 3, 9, 7))), given)


@pytest.mark.parametrize(
    ("word", "arguments", "message"),
    [
        (Shift, {}, "needs `fraction` or `pixels`"),
        (Shift, {"fraction": 4}, "if these are pixels, say `pixels`"),
        (Shift, {"fraction": 0.1, "pixels": 4}, "keep one of them"),
        (Zoom, {}, "needs `extent` or `scale`"),
        (Zoom, {"extent": 1}, r"from 0 to less than 1.*write `\[1, 1\]`"),
        (Zoom, {"scale": -0.1}, "from 0 to less than 1"),
        (Zoom, {"scale": (1.2, 0.8)}, r"write `\[0.8, 1.2\]`"),
        (Zoom, {"scale": (0, 1)}, "at least 0.01"),
        (Affine, {"fill": "nearest"}, "needs at least one of `degrees`"),
        (Affine, {"scale": (0, 1)}, "greater than 0"),
        (Affine, {"translate": 2}, "less than or equal to 1"),
    ],
)
def test_refuses(word: type[Shift], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        word(**arguments)
