"""Borders and parts: what is accepted, refused and computed."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from specforge.catalog.definition import Layer
from specforge.catalog.layers.framing import Crop, Pad, Select, Slice
from specforge.shapes import Misfit, Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs

MODES = {"constant": "Constant", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}


@settings(deadline=None, max_examples=200, derandomize=True)
@given(data=st.data(), mode=st.sampled_from(list(MODES)))
def test_pad_accepts_what_torch_accepts(data: st.DataObject, mode: str) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
    widths = data.draw(st.tuples(*[st.tuples(st.integers(0, 5), st.integers(0, 5))] * len(sizes)))
    torchs: dict[str, Any] = {"padding": tuple(width for pair in reversed(widths) for width in pair)}
    if mode == "constant":
        torchs["value"] = 0.0
    module = runs(getattr(nn, f"{MODES[mode]}Pad{len(sizes)}d"), torchs, (2, *sizes))
    accepted_like_torch("pad", {"padding": widths, "mode": mode}, (2, *sizes), module)


@pytest.mark.parametrize("mode", MODES)
def test_the_widths_of_a_border_are_in_the_order_of_the_axes(mode: str) -> None:
    x = torch.rand(2, 3, 5, 6)
    padded = evaluate(Pad(padding=((1, 2), 3), mode=mode).lower((3, 5, 6)))(x)
    assert torch.equal(padded, functional.pad(x, (3, 3, 1, 2), mode=mode))


def test_a_border_has_its_value() -> None:
    layer = Pad(padding=1, value=-2.5)
    padded = evaluate(layer.lower((1, 1)))(torch.zeros(1, 1, 1))
    assert padded.flatten().tolist() == [-2.5, 0, -2.5]
    assert layer.bounds(0, 1) == (-2.5, 1)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    size=st.integers(1, 5),
    start=st.integers(-6, 6),
    stop=st.none() | st.integers(-6, 6),
    step=st.integers(1, 4),
)
def test_slice_takes_what_python_takes_and_refuses_what_is_beyond(
    size: int, start: int, stop: int | None, step: int
) -> None:
    layer = Slice(dim=2, start=start, stop=stop, step=step)
    x = torch.arange(size).view(1, 1, size)
    wanted = list(range(size))[start:stop:step]
    inside = all(place is None or -size <= place <= size for place in (start, stop))
    if not (inside and wanted):
        with pytest.raises(Misfit) as caught:
            layer.output_shape((1, size))
        assert caught.value.argument in ("start", "stop")
        assert caught.value.hint
        return
    assert layer.output_shape((1, size)) == (1, len(wanted))
    assert evaluate(layer.lower((1, size)))(x).flatten().tolist() == wanted


@pytest.mark.parametrize(("dim", "index"), [(1, 0), (1, -1), (2, 3), (-1, 0), (-2, 2)])
def test_select_is_torchs(dim: int, index: int) -> None:
    x = torch.rand(2, 3, 4)
    layer = Select(dim=dim, index=index)
    assert torch.equal(evaluate(layer.lower((3, 4)))(x), x.select(dim, index))


def test_margins_are_in_the_order_of_the_axes() -> None:
    x = torch.rand(2, 3, 8, 9)
    cropped = evaluate(Crop(margin=((1, 2), (0, 3))).lower((3, 8, 9)))(x)
    assert torch.equal(cropped, x[:, :, 1:6, 0:6])


@pytest.mark.parametrize(
    ("layer", "input", "argument"),
    [
        (Pad(padding=8, mode="reflect"), (3, 8, 9), "padding"),
        (Pad(padding=9, mode="circular"), (3, 8, 9), "padding"),
        (Pad(padding=(1, 2)), (3, 8), "padding"),
        (Pad(padding=1), (3,), None),
        (Crop(size=9), (3, 8, 9), "size"),
        (Crop(size=(4,)), (3, 8, 9), "size"),
        (Crop(margin=4), (3, 8, 9), "margin"),
        (Crop(margin=(1, 1, 1)), (3, 8, 9), "margin"),
        (Crop(size=1), (3,), None),
        (Slice(dim=3, stop=1), (3, 8), "dim"),
        (Select(index=3), (3, 8), "index"),
        (Select(dim=0), (3, 8), "dim"),
        (Select(), (3,), None),
    ],
)
def test_a_misfit_names_the_argument(layer: Layer, input: Shape, argument: str | None) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (Pad, {"padding": -1}, "a whole number of at least 0"),
        (Pad, {"padding": ((1, 2, 3),)}, "a whole number of at least 0"),
        (Pad, {"padding": ((True, 1),)}, "a whole number of at least 0"),
        (Pad, {"padding": 1, "mode": "reflect", "value": 1.0}, "`value` has no meaning"),
        (Crop, {}, "either `size` or `margin`"),
        (Crop, {"size": 3, "margin": 1}, "either `size` or `margin`"),
        (Slice, {"step": 0}, "greater than or equal to 1"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(layer: type[Layer], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        layer(**arguments)


@pytest.mark.parametrize("layer", [Slice(start=0), Crop(margin=0), Pad(padding=0)])
def test_what_takes_or_adds_nothing_is_idle(layer: Layer) -> None:
    assert layer.idle((3, 8, 8), -1, 1)


@pytest.mark.parametrize("layer", [Slice(stop=3), Crop(size=8), Crop(margin=1), Pad(padding=1)])
def test_what_may_change_something_is_not(layer: Layer) -> None:
    """A size that fits this image may be there for others."""
    assert layer.idle((3, 8, 8), -1, 1) is None
