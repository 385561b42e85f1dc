"""What windows miss, counted in the check and found out by torch."""

from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from specforge.catalog.definition import Window
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.pooling import AvgPool, MaxPool
from specforge.checks.windows import positions_used, rows_missed
from tests.networks import analysed


@st.composite
def axes(draw: st.DrawFn) -> tuple[int, Window]:
    """The size of one axis and what slides along it."""
    number = st.integers(1, 5)
    window = Window(draw(number), draw(number), draw(st.integers(0, 4)), draw(st.integers(1, 3)))
    size = draw(st.integers(1, 12))
    assume(size + 2 * window.padding > window.dilation * (window.kernel - 1))
    return size, window


@given(axes())
def test_weights_that_never_meet_a_value_get_no_gradient(axis: tuple[int, Window]) -> None:
    size, window = axis
    module = nn.Conv1d(1, 1, window.kernel, window.stride, window.padding, window.dilation)
    output = module(torch.ones(1, 1, size))
    output.sum().backward()
    assert module.weight.grad is not None
    assert positions_used(size, output.shape[-1], window) == int((module.weight.grad != 0).sum())


@given(axes(), st.sampled_from(["conv", "max_pool", "ceil"]))
def test_rows_behind_the_last_window_change_nothing(axis: tuple[int, Window], kind: str) -> None:
    size, window = axis
    numbers = (window.kernel, window.stride, window.padding, window.dilation)
    if kind == "conv":
        module: nn.Module = nn.Conv1d(1, 1, *numbers)
    else:
        assume(2 * window.padding <= window.kernel)
        module = nn.MaxPool1d(*numbers, ceil_mode=kind == "ceil")
    reached = []
    for row in range(size):
        image = torch.zeros(1, 1, size)
        image[..., row] = torch.nan
        output = module(image)
        reached.append(bool(output.isnan().any()))
    last = max((row for row in range(size) if reached[row]), default=-1)
    missed = rows_missed(size, output.shape[-1], window)
    if window.stride <= window.kernel and window.dilation == 1:
        assert missed == size - 1 - last
    else:  # between windows that leave gaps, only what lies behind all of them is counted
        assert missed <= size - 1 - last


@pytest.mark.parametrize(
    ("layer", "windows"),
    [
        (Conv(out_channels=4, kernel_size=3, padding="same", dilation=2), (Window(3, 1, 2, 2),) * 2),
        (Conv(out_channels=4, kernel_size=(4, 2), padding="same"), (Window(4, 1, 1), Window(2, 1, 0))),
        (
            Conv(out_channels=4, kernel_size=3, stride=2, padding=(0, 1), padding_mode="reflect"),
            (Window(3, 2, 0, 1, False), Window(3, 2, 1, 1, False)),
        ),
        (Conv(out_channels=4, kernel_size=3, padding="valid"), (Window(3, 1),) * 2),
        (MaxPool(kernel_size=2), (Window(2, 2),) * 2),
        (MaxPool(kernel_size=3, stride=2, padding=1, dilation=2), (Window(3, 2, 1, 2),) * 2),
        (AvgPool(kernel_size=(3, 1), stride=1), (Window(3, 1), Window(1, 1))),
    ],
)
def test_windows_of_layers(layer: Conv | MaxPool | AvgPool, windows: tuple[Window, ...]) -> None:
    assert layer.windows(2) == windows


def found(folder: Path, layers: str, *size: int) -> list[str]:
    return [f"{finding.code} {finding.message}" for finding in analysed(folder, layers, input=(3, *size)).findings]


@pytest.mark.parametrize(
    ("layer", "size", "message"),
    [
        (
            "max_pool: 2",
            (7, 7),
            "`max_pool` never reaches the last row and the last column of an image of 7×7: 13 of 49",
        ),
        ("max_pool: 2", (7, 8), "`max_pool` never reaches the last row of an image of 7×8: 8 of 56 values (14%)"),
        ("max_pool: 3", (8, 9), "`max_pool` never reaches the last 2 rows of an image of 8×9: 18 of 72 values (25%)"),
        ("avg_pool: 2", (9,), "`avg_pool` never reaches the last position of an image of 9: 1 of 9 values (11%)"),
        ("max_pool: 2", (3, 4, 4), "`max_pool` never reaches the last plane of an image of 3×4×4: 16 of 48 values"),
        ("conv: {out_channels: 2, kernel_size: 3, stride: 2}", (32, 32), "`conv` never reaches the last row and the"),
        ("conv: {out_channels: 2, kernel_size: 16, stride: 16}", (40, 32), "`conv` never reaches the last 8 rows of"),
    ],
)
def test_rows_that_are_left_out(tmp_path: Path, layer: str, size: tuple[int, ...], message: str) -> None:
    (finding,) = found(tmp_path, f"- {layer}", *size)
    assert finding.startswith(f"SF516 {message}")


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ("max_pool: 2", (8, 8)),
        ("max_pool: {kernel_size: 2, ceil_mode: true}", (7, 7)),
        ("max_pool: {kernel_size: 3, stride: 2, padding: 1}", (112, 112)),  # only a row of padding is left
        ("conv: {out_channels: 2, kernel_size: 3, stride: 2, padding: 1}", (32, 32)),
        ("conv: {out_channels: 2, kernel_size: 7, stride: 2, padding: 3}", (224, 224)),
        ("conv: {out_channels: 2, kernel_size: 1, stride: 2}", (32, 32)),  # a shortcut's: skips rows on purpose
        ("conv: {out_channels: 2, kernel_size: 3}", (7, 7)),
        ("global_avg_pool", (7, 7)),
    ],
)
def test_nothing_is_left_out(tmp_path: Path, layer: str, size: tuple[int, ...]) -> None:
    assert found(tmp_path, f"- {layer}", *size) == []


@pytest.mark.parametrize(
    ("arguments", "size"), [("kernel_size: 3, stride: 2", 32), ("kernel_size: [5, 4], stride: [5, 3]", 33)]
)
def test_the_padding_of_the_hint_reaches_all(tmp_path: Path, arguments: str, size: int) -> None:
    before = analysed(tmp_path, f"- conv: {{out_channels: 2, {arguments}}}", input=(3, size, size))
    (finding,) = before.findings
    assert finding.hint is not None
    padding = finding.hint.split("`")[1]
    assert padding.startswith("padding: ")
    assert found(tmp_path, f"- conv: {{out_channels: 2, {arguments}, {padding}}}", size, size) == []


@pytest.mark.parametrize(
    ("layer", "size", "message"),
    [
        ("kernel_size: 3, padding: 1", (1, 1), "1 of 9 weights meet a value, the others only padding (48 parameters)"),
        (
            "kernel_size: 7, padding: 3",
            (2, 2),
            "9 of 49 weights meet a value, the others only padding (240 parameters)",
        ),
        (
            "kernel_size: 3, padding: same",
            (1, 4),
            "3 of 9 weights meet a value, the others only padding (36 parameters)",
        ),
        ("kernel_size: 3, padding: same", (1,), "1 of 3 weights meet a value, the others only padding (12 parameters)"),
    ],
)
def test_weights_that_meet_only_padding(tmp_path: Path, layer: str, size: tuple[int, ...], message: str) -> None:
    (finding,) = found(tmp_path, f"- conv: {{out_channels: 2, {layer}}}", *size)
    assert finding.startswith("SF515 a kernel of ")
    assert finding.endswith(message)


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ("conv: {out_channels: 2, kernel_size: 7, padding: 3}", (4, 4)),  # larger than its input, and still all in use
        ("conv: {out_channels: 2, kernel_size: 3, padding: 1, padding_mode: replicate}", (1, 1)),
        ("max_pool: {kernel_size: 3, stride: 1, padding: 1}", (1, 1)),  # has no weights
    ],
)
def test_kernels_that_are_in_use(tmp_path: Path, layer: str, size: tuple[int, ...]) -> None:
    assert found(tmp_path, f"- {layer}", *size) == []


def test_named_sizes_are_no_sizes(tmp_path: Path) -> None:
    """What is left out of images of some size says nothing of those that will arrive."""
    layers = "- max_pool: 3"
    assert found(tmp_path, layers, 224, 224)
    assert list(analysed(tmp_path, layers, input=("3", "H", "W")).findings) == []  # type: ignore[arg-type]
