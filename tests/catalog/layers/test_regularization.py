"""What acts in training only: what it promises, and how other frameworks call it."""

from pathlib import Path

import pytest
import torch

from specforge.catalog.definition import Layer
from specforge.catalog.layers.regularization import AlphaDropout, ChannelDropout, Dropout, StochasticDepth
from specforge.shapes import Misfit
from specforge.torch_backend.calls import evaluate
from tests.networks import analysed

LAYERS = (Dropout, ChannelDropout, AlphaDropout, StochasticDepth)


@pytest.mark.parametrize("layer", LAYERS)
def test_does_nothing_in_evaluation(layer: type[Layer]) -> None:
    x = torch.rand(2, 3, 4)
    assert torch.equal(evaluate(layer(p=0.9).lower((3, 4))).eval()(x), x)


@pytest.mark.parametrize("layer", LAYERS)
def test_gives_back_what_arrives_where_nothing_is_left_out(layer: type[Layer]) -> None:
    module, x = evaluate(layer(p=0.0).lower((3, 4))), torch.rand(2, 3, 4)
    assert layer(p=0.0).is_view
    assert module(x).data_ptr() == x.data_ptr()
    assert not layer(p=0.5).is_view
    assert layer(p=0.0).idle((3, 4), -1, 1)


@pytest.mark.parametrize("layer", [Dropout, ChannelDropout, StochasticDepth])
def test_keeps_the_mean(layer: type[Layer]) -> None:
    torch.manual_seed(0)
    dropped = evaluate(layer(p=0.75).lower((8, 2)))(torch.ones(4000, 8, 2))
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert dropped.mean().item() == pytest.approx(1, abs=0.1)


def test_channels_and_images_are_dropped_as_a_whole() -> None:
    torch.manual_seed(0)
    channels = evaluate(ChannelDropout(p=0.5).lower((8, 4, 4)))(torch.ones(16, 8, 4, 4)).flatten(2)
    assert (channels == channels[:, :, :1]).all()
    assert not (channels == channels[:, :1]).all()
    images = evaluate(StochasticDepth(p=0.5).lower((8, 4, 4)))(torch.ones(16, 8, 4, 4)).flatten(1)
    assert (images == images[:, :1]).all()
    assert not (images == images[:1]).all()
    batches = evaluate(StochasticDepth(p=0.5, mode="batch").lower((8,)))(torch.ones(16, 8))
    assert (batches == batches[0, 0]).all()


def test_channels_need_places() -> None:
    with pytest.raises(Misfit, match="needs \\[channels, height, width\\]"):
        ChannelDropout().output_shape((8,))


@pytest.mark.parametrize(
    ("written", "word"), [("drop_path", "stochastic_depth"), ("Dropout2d", "channel_dropout"), ("SE", "squeeze_excite")]
)
def test_other_names_lead_here(written: str, word: str, tmp_path: Path) -> None:
    (finding,) = analysed(tmp_path, f"- {written}: 0.2", input=(3, 8, 8)).findings
    assert finding.hint == f"specforge calls it `{word}`"
