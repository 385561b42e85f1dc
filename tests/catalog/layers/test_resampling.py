"""Finer and coarser images: what is accepted, refused and promised."""

from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from specforge.catalog.definition import Layer
from specforge.catalog.layers.resampling import PixelShuffle, PixelUnshuffle, Upsample
from specforge.shapes import Misfit, Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs

FACTORS = st.sampled_from([0.1, 0.3, 0.5, 0.7, 1.0, 1.1, 1.3, 1.7, 2.0, 3.3])
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(data=st.data(), sizes=SIZES, by_size=st.booleans(), align_corners=st.booleans())
def test_upsample_accepts_what_torch_accepts(
    data: st.DataObject, sizes: Shape, by_size: bool, align_corners: bool
) -> None:
    axes = len(sizes)
    each = st.integers(1, 14) if by_size else FACTORS
    to = data.draw(each | st.tuples(*[each] * axes))
    mode = data.draw(st.sampled_from(["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic"]))
    arguments: dict[str, Any] = {"size" if by_size else "scale_factor": to, "mode": mode}
    if align_corners:
        arguments["align_corners"] = True
    named = ("linear", "bilinear", "trilinear")[axes - 1] if mode == "linear" else mode
    torchs = {**arguments, "mode": named}
    if "nearest" not in mode:
        torchs["align_corners"] = align_corners
    try:
        module = runs(nn.Upsample, torchs, (2, *sizes))
    except NotImplementedError:
        module = None
    accepted_like_torch("upsample", arguments, (2, *sizes), module)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(channels=st.integers(1, 9), sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3), factor=st.integers(1, 3))
def test_pixel_shuffling_accepts_what_torch_accepts(channels: int, sizes: list[int], factor: int) -> None:
    shape = (channels, *sizes)
    image = len(sizes) == 2  # of other axes torch makes what nobody means
    there, back = {"upscale_factor": factor}, {"downscale_factor": factor}
    accepted_like_torch("pixel_shuffle", there, shape, runs(nn.PixelShuffle, there, shape) if image else None)
    accepted_like_torch("pixel_unshuffle", back, shape, runs(nn.PixelUnshuffle, back, shape) if image else None)


def test_pixel_unshuffle_undoes_pixel_shuffle() -> None:
    x = torch.rand(2, 8, 3, 5)
    there = evaluate(PixelShuffle(upscale_factor=2).lower((8, 3, 5)))
    back = evaluate(PixelUnshuffle(downscale_factor=2).lower((2, 6, 10)))
    assert torch.equal(back(there(x)), x)


@pytest.mark.parametrize(
    ("layer", "strides"),
    [
        (Upsample(scale_factor=2.0), (Fraction(1, 2),) * 2),
        (Upsample(scale_factor=(0.5, 1.5)), (2, Fraction(2, 3))),
        (Upsample(scale_factor=0.1), (10, 10)),
        (Upsample(size=32), (1, 1)),
        (PixelShuffle(upscale_factor=3), (Fraction(1, 3),) * 2),
        (PixelUnshuffle(downscale_factor=3), (3, 3)),
    ],
)
def test_strides_are_exact_fractions(layer: Layer, strides: tuple[Fraction, ...]) -> None:
    assert layer.strides(2) == strides


def test_a_cubic_swings_over_an_edge() -> None:
    module = evaluate(Upsample(scale_factor=2.0, mode="bicubic").lower((1, 4, 4)))
    x = torch.zeros(1, 1, 4, 4)
    x[..., 2:] = 1
    assert module(x).max() > 1


@pytest.mark.parametrize(
    ("layer", "input", "argument"),
    [
        (Upsample(scale_factor=2.0, mode="bilinear"), (3, 8), "mode"),
        (Upsample(scale_factor=2.0, mode="bicubic"), (3, 4, 4, 4), "mode"),
        (Upsample(scale_factor=(2.0, 2.0)), (3, 8), "scale_factor"),
        (Upsample(scale_factor=0.1), (3, 8), "scale_factor"),
        (Upsample(size=(2, 2)), (3, 8), "size"),
        (Upsample(size=2), (3,), None),
        (PixelShuffle(upscale_factor=2), (3, 8, 8), "upscale_factor"),
        (PixelUnshuffle(downscale_factor=2), (3, 8, 7), "downscale_factor"),
        (PixelShuffle(upscale_factor=2), (4, 8), None),
    ],
)
def test_a_misfit_names_the_argument(layer: Layer, input: Shape, argument: str | None) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either `scale_factor` or `size`"),
        ({"scale_factor": 2.0, "size": 4}, "either `scale_factor` or `size`"),
        ({"scale_factor": 2.0, "align_corners": True}, "`align_corners` has no meaning"),
        ({"scale_factor": 0}, "greater than 0"),
        ({"scale_factor": (2.0, True)}, "greater than 0"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Upsample(**arguments)


def test_only_a_factor_of_one_changes_nothing() -> None:
    assert Upsample(scale_factor=1.0).idle((3, 8, 8), -1, 1)
    assert Upsample(size=8).idle((3, 8, 8), -1, 1) is None, "other images have other sizes"
    assert Upsample(scale_factor=1.1, mode="linear").idle((3, 8, 8), -1, 1) is None, "as large, but moved"
