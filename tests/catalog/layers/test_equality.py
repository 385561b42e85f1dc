"""Layers with the same arguments can stand for each other: binding, lowering and checks look them up by these."""

from pathlib import Path

import pytest

from specforge.catalog.definition import Composite, Layer
from specforge.catalog.discovery import definition
from specforge.shapes import Shape
from tests.catalog.layers.cases import all_cases
from tests.networks import graph_of


@pytest.mark.parametrize(
    ("word", "arguments", "input"),
    [
        (word, arguments, inputs[0])
        for word, cases in all_cases().items()
        for arguments, inputs in cases.items()
        if not issubclass(definition("layers", word) or Layer, Composite)
    ],
)
def test_equal_layers_are_one_key(word: str, arguments: str, input: Shape, tmp_path: Path) -> None:
    layer = next(graph_of(tmp_path, f"- {word}: {arguments}", input=input).leaves()).layer
    assert layer is not None
    assert len({layer, type(layer)(**layer.__dict__)}) == 1
    assert len({(type(layer), *layer.__dict__.values())}) == 1
