"""Arguments as a diagram writes them."""

import pytest

from specforge.catalog.definition import Layer
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.normalization import BatchNorm
from specforge.catalog.layers.pooling import MaxPool
from specforge.catalog.layers.regularization import Dropout
from specforge.report.arguments import arguments


@pytest.mark.parametrize(
    ("layer", "main", "rest"),
    [
        (Conv(out_channels=8, kernel_size=3, bias=False), "8", "kernel_size 3, bias no"),
        (Conv(out_channels=8, kernel_size=(3, 1), padding="same"), "8", "kernel_size 3×1, padding same"),
        (MaxPool(kernel_size=2), "2", ""),
        (Dropout(p=0.018181818), "0.0182", ""),
        (BatchNorm(eps=1e-3), "", "eps 0.001"),
        (BatchNorm(), "", ""),
    ],
)
def test_the_main_argument_and_what_was_changed(layer: Layer, main: str, rest: str) -> None:
    found = arguments(layer)
    assert (found.main, found.rest.replace("\N{NO-BREAK SPACE}", " ")) == (main, rest)


def test_rates_are_no_sizes() -> None:
    assert arguments(Dropout(p=0.1)).sizes == arguments(Dropout(p=0.2)).sizes
    assert arguments(Dropout(p=0.1)).given != arguments(Dropout(p=0.2)).given
    assert arguments(MaxPool(kernel_size=2)).sizes != arguments(MaxPool(kernel_size=3)).sizes
