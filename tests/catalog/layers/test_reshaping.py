"""Other shapes and orders of the same values: what is accepted, refused and computed."""

from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from specforge.catalog.definition import Layer
from specforge.catalog.layers.reshaping import ChannelShuffle, Permute, Reshape, Unflatten
from specforge.shapes import Misfit, Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import BATCH, accepted_like_torch, runs

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
SIZES = st.lists(st.sampled_from([-1, 0, 1, 2, 3, 4]), min_size=1, max_size=3).map(tuple)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(input=SHAPES, sizes=SIZES, dim=st.integers(-4, 5).filter(bool))
def test_unflatten_accepts_what_torch_accepts(input: Shape, sizes: Shape, dim: int) -> None:
    try:
        module: nn.Module | None = nn.Unflatten(dim, sizes)
        nn.Unflatten(dim, sizes)(torch.zeros(BATCH, *input))
    except (RuntimeError, IndexError):
        module = None
    if dim + len(input) + 1 == 0:  # the batch, from the end
        module = None
    accepted_like_torch("unflatten", {"dim": dim, "unflattened_size": sizes}, input, module)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(input=SHAPES, sizes=SIZES)
def test_reshape_accepts_what_torch_accepts(input: Shape, sizes: Shape) -> None:
    try:
        wanted = torch.zeros(BATCH, *input).reshape(BATCH, *sizes).shape[1:]
    except RuntimeError:
        wanted = None
    try:
        found = Reshape(shape=sizes).output_shape(input)
    except (Misfit, ValidationError):
        found = None
    assert found == wanted


@settings(deadline=None, max_examples=100, derandomize=True)
@given(input=SHAPES, groups=st.integers(1, 4))
def test_channel_shuffle_accepts_what_torch_accepts(input: Shape, groups: int) -> None:
    module = runs(nn.ChannelShuffle, {"groups": groups}, input)
    accepted_like_torch("channel_shuffle", {"groups": groups}, input, module)


def test_channels_of_groups_take_turns() -> None:
    shuffled = evaluate(ChannelShuffle(groups=2).lower((6, 1)))(torch.arange(6.0).view(1, 6, 1))
    assert shuffled.flatten().tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize("dims", [(1, 2, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)])
def test_permute_has_torchs_numbers(dims: tuple[int, ...]) -> None:
    x = torch.rand(2, 3, 4, 5)
    layer = Permute(dims=dims)
    permuted = evaluate(layer.lower((3, 4, 5)))(x)
    assert torch.equal(permuted, x.permute(0, *dims))
    assert permuted.shape[1:] == layer.output_shape((3, 4, 5))


@pytest.mark.parametrize(
    ("dims", "last"),
    [
        ((2, 3, 1), "features"),
        ((3, 1, 2), "positions"),
        ((3, 2, 1), "features"),
        ((2, 1, 3), None),
        ((1, 3, 2), "positions"),
    ],
)
def test_permute_knows_what_its_last_axis_holds(dims: tuple[int, ...], last: str | None) -> None:
    assert Permute(dims=dims).last_axis == last


def test_reshape_keeps_the_order_of_values() -> None:
    x = torch.rand(2, 3, 8)
    reshaped = evaluate(Reshape(shape=(4, -1)).lower((3, 8)))(x.transpose(1, 2).contiguous().transpose(1, 2))
    assert torch.equal(reshaped, x.view(2, 4, 6))
    assert prod(reshaped.shape[1:]) == 24


@pytest.mark.parametrize(
    ("layer", "input", "argument"),
    [
        (Permute(dims=(2, 1)), (3, 8, 8), "dims"),
        (Permute(dims=(0, 1, 2)), (3, 8, 8), "dims"),
        (Permute(dims=(1, 1)), (3, 8), "dims"),
        (Reshape(shape=(5, -1)), (3, 8), "shape"),
        (Reshape(shape=(5, 5)), (3, 8), "shape"),
        (Unflatten(unflattened_size=(2, -1)), (3, 8), "unflattened_size"),
        (Unflatten(dim=3, unflattened_size=(2, -1)), (3, 8), "dim"),
        (Unflatten(dim=-3, unflattened_size=(2, -1)), (3, 8), "dim"),
        (ChannelShuffle(groups=2), (3, 8), "groups"),
        (ChannelShuffle(groups=2), (4,), None),
    ],
)
def test_a_misfit_names_the_argument(layer: Layer, input: Shape, argument: str | None) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize("sizes", [(-1, -1), (0, 3), (-2,), ()])
def test_at_most_one_size_is_open(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        Reshape(shape=sizes)
