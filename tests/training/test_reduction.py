"""What of a network goes by its process; what is added up is tested in `test_several_processes.py`."""

import pytest
from torch import nn

from specforge.modules import BitDropout, MultiHeadAttention, StochasticDepth
from specforge.recipe import Train
from specforge.training.reduction import by_process

NORM = "batch normalisation (no sync_batch_norm)"


@pytest.mark.parametrize(
    ("parts", "synchronized", "expected"),
    [
        ([nn.BatchNorm2d(2)], False, [NORM]),
        ([nn.BatchNorm2d(2)], True, []),
        ([BitDropout(0.5)], True, ["dropout"]),
        ([nn.Dropout2d(0.5), nn.BatchNorm1d(2)], False, [NORM, "dropout"]),
        ([MultiHeadAttention(4, 2, dropout=0.1)], False, ["dropout"]),
        ([MultiHeadAttention(4, 2), nn.LayerNorm(4), nn.GroupNorm(1, 4)], False, []),
        ([StochasticDepth(0.1)], False, ["stochastic depth"]),
    ],
)
def test_what_goes_by_process(parts: list[nn.Module], synchronized: bool, expected: list[str]) -> None:
    recipe = Train.model_construct(sync_batch_norm=synchronized)
    assert by_process(nn.Sequential(*parts), recipe) == expected
