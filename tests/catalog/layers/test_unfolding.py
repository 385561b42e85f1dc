"""`unfold`: what torch accepts, and what is said about the rest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from specforge.catalog.layers.unfolding import Unfold
from specforge.shapes import Misfit, Shape
from tests.catalog.layers.oracle import accepted_like_torch, runs


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    kernel=st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4))),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
)
def test_accepts_what_torch_accepts(
    sizes: tuple[int, int], kernel: int | tuple[int, int], stride: int, padding: int, dilation: int
) -> None:
    arguments = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    image = (2, *sizes)
    accepted_like_torch("unfold", arguments, image, runs(nn.Unfold, arguments, image))


@pytest.mark.parametrize("shape", [(7,), (3, 9), (2, 4, 5, 6)])
def test_other_than_images_are_refused(shape: Shape) -> None:
    with pytest.raises(Misfit, match="height, width"):
        Unfold(kernel_size=2).output_shape(shape)
