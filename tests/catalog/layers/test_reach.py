"""`reach` and `strides` against what happens: a NaN in the input shows which positions of the output see it."""

from collections.abc import Iterator

import pytest
import torch

from specforge.catalog.definition import Layer
from specforge.catalog.layers.activation import Gelu
from specforge.catalog.layers.adaptive_pooling import AdaptiveAvgPool
from specforge.catalog.layers.axiswise import Glu, LogSoftmax, Softmax
from specforge.catalog.layers.convolution import Conv, DepthwiseConv
from specforge.catalog.layers.framing import Crop, Pad, Slice
from specforge.catalog.layers.layer_normalization import ChannelLayerNorm, LayerNorm, RmsNorm
from specforge.catalog.layers.linear import Linear
from specforge.catalog.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LocalResponseNorm
from specforge.catalog.layers.piecewise import Prelu, Relu
from specforge.catalog.layers.pooling import AvgPool, LpPool, MaxPool
from specforge.catalog.layers.resampling import Upsample
from specforge.catalog.layers.reshaping import ChannelShuffle
from specforge.catalog.layers.scaling import LayerScale, SqueezeExcite
from specforge.catalog.layers.separable_convolution import SeparableConv
from specforge.catalog.layers.transposed_convolution import ConvTranspose
from specforge.torch_backend.calls import evaluate

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

CHANNELS, LENGTH = 4, 24
LAYERS = [
    Conv(out_channels=2, kernel_size=3),
    Conv(out_channels=2, kernel_size=4, padding="same", dilation=3),
    Conv(out_channels=2, kernel_size=5, stride=3, padding=2, padding_mode="reflect"),
    DepthwiseConv(kernel_size=3, stride=2, dilation=2),
    SeparableConv(out_channels=2, kernel_size=3, stride=2, padding=1),
    ConvTranspose(out_channels=2, kernel_size=3),
    ConvTranspose(out_channels=2, kernel_size=2, stride=2),
    ConvTranspose(out_channels=2, kernel_size=5, stride=2, padding=1, output_padding=1),
    ConvTranspose(out_channels=2, kernel_size=4, stride=3, dilation=2),
    ConvTranspose(out_channels=2, kernel_size=5, stride=4, dilation=2),
    ConvTranspose(out_channels=2, kernel_size=7, stride=2, dilation=3),
    MaxPool(kernel_size=3, stride=2, padding=1),
    MaxPool(kernel_size=2, dilation=3),
    AvgPool(kernel_size=3),
    LpPool(norm_type=2, kernel_size=3, stride=2),
    Softmax(),
    LogSoftmax(dim=-2),
    Glu(dim=1),
    Upsample(scale_factor=2.0),
    Upsample(scale_factor=0.5, mode="nearest-exact"),
    Upsample(scale_factor=3.0, mode="linear"),
    Pad(padding=2),
    Crop(margin=2),
    Slice(dim=2, start=3, step=2),
    ChannelShuffle(groups=2),
    LayerScale(),
    LocalResponseNorm(size=3),
    ChannelLayerNorm(),
    Relu(),
    Gelu(),
    Prelu(),
]
SEE_ALL = [
    Softmax(dim=2),
    LogSoftmax(dim=-1),
    InstanceNorm(),
    GroupNorm(num_groups=2),
    LayerNorm(axes=2),
    RmsNorm(axes=2),
    AdaptiveAvgPool(output_size=1),
    SqueezeExcite(),
]


def sights(layer: Layer) -> Iterator[list[int]]:
    """For every position of the output, which positions of the input it sees."""
    module = evaluate(layer.lower((CHANNELS, LENGTH))).eval()
    seen = []
    for position in range(LENGTH):
        x = torch.rand(1, CHANNELS, LENGTH)
        x[:, :, position] = torch.nan
        seen.append(module(x).isnan().any(dim=1)[0])
    for column in torch.stack(seen).unbind(dim=1):
        yield column.nonzero().flatten().tolist()


def name(layer: object) -> str:
    return repr(layer)


@pytest.mark.parametrize("layer", LAYERS, ids=name)
def test_reaches_as_far_as_it_sees(layer: Layer) -> None:
    (reach,) = layer.reach(1) or (None,)
    assert reach == max(positions[-1] - positions[0] + 1 for positions in sights(layer) if positions)


@pytest.mark.parametrize("layer", LAYERS, ids=name)
def test_strides_are_how_fast_the_view_moves(layer: Layer) -> None:
    """The output grows by 4 · m positions when the input grows by 4 · m strides."""
    (stride,) = layer.strides(1)
    grown = LENGTH + int(12 * stride)
    (before,), (after,) = layer.output_shape((CHANNELS, LENGTH))[1:], layer.output_shape((CHANNELS, grown))[1:]
    assert after - before == 12


@pytest.mark.parametrize("layer", SEE_ALL, ids=name)
def test_some_see_everything(layer: Layer) -> None:
    assert layer.reach(1) is None
    assert all(positions == list(range(LENGTH)) for positions in sights(layer))


def test_batch_norm_sees_one_place_when_it_is_not_trained() -> None:
    assert BatchNorm().reach(2) == (1, 1)
    assert list(sights(BatchNorm())) == [[position] for position in range(LENGTH)]


@pytest.mark.parametrize("layer", [Linear(out_features=3), LayerNorm(), RmsNorm()], ids=name)
def test_layers_on_features_treat_each_place_by_itself(layer: Layer) -> None:
    assert layer.reach(1) == (1,)
    module = evaluate(layer.lower((LENGTH, CHANNELS))).eval()
    x = torch.rand(1, LENGTH, CHANNELS)
    x[:, 5] = torch.nan
    assert module(x).isnan().any(dim=2)[0].nonzero().flatten().tolist() == [5]


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("layer", [layer for layer in [*LAYERS, *SEE_ALL] if not isinstance(layer, Softmax)], ids=name)
def test_every_spatial_axis_has_its_number(layer: Layer, axes: int) -> None:
    reach = layer.reach(axes)
    assert reach is None or len(reach) == axes
    assert len(layer.strides(axes)) == axes
