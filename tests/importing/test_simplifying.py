"""Several foreign operations as one layer, and only where that is the same."""

from typing import Any

import pytest

from specforge.importing.network import Network, Operation
from specforge.importing.simplifying import simplified
from specforge.shapes import Shape

Layer = tuple[str, dict[str, Any], tuple[int, ...], Shape]


def network(input: Shape, *layers: Layer, **further: Any) -> Network:
    operations = tuple(
        Operation(word, arguments, inputs, f"m.{number}", (f"{number}.weight",) if word == "conv" else (), shape)
        for number, (word, arguments, inputs, shape) in enumerate(layers, 1)
    )
    return Network("n", input, operations, **{"output": len(layers), **further})


def drawn(found: Network) -> list[tuple[str, dict[str, Any], tuple[int, ...]]]:
    return [(operation.word, dict(operation.arguments), operation.inputs) for operation in found.operations]


@pytest.mark.parametrize(
    ("input", "layers", "expected"),
    [
        pytest.param(
            (8, 4, 4),
            [("adaptive_avg_pool", {"output_size": 1}, (0,), (8, 1, 1)), ("flatten", {}, (1,), (8,))],
            [("global_avg_pool", {}, (0,))],
            id="global pooling",
        ),
        pytest.param(
            (8, 4, 4),
            [
                ("adaptive_avg_pool", {"output_size": 1}, (0,), (8, 1, 1)),
                ("dropout", {"p": 0.5}, (1,), (8, 1, 1)),
                ("flatten", {}, (2,), (8,)),
            ],
            [("global_avg_pool", {}, (0,)), ("dropout", {"p": 0.5}, (1,))],
            id="dropout before flatten",
        ),
        pytest.param(
            (8, 4, 4),
            [("adaptive_avg_pool", {"output_size": 2}, (0,), (8, 2, 2)), ("flatten", {}, (1,), (32,))],
            [("adaptive_avg_pool", {"output_size": 2}, (0,)), ("flatten", {}, (1,))],
            id="pooling to more than one pixel",
        ),
        pytest.param(
            (3, 8, 8),
            [
                ("conv", {"out_channels": 6, "kernel_size": 4, "stride": 4}, (0,), (6, 2, 2)),
                ("reshape", {"shape": [6, 4]}, (1,), (6, 4)),
                ("permute", {"dims": [2, 1]}, (2,), (4, 6)),
            ],
            [("patch_embedding", {"patch_size": 4, "out_channels": 6}, (0,))],
            id="patches",
        ),
        pytest.param(
            (3, 9, 9),
            [
                ("conv", {"out_channels": 6, "kernel_size": 4, "stride": 4}, (0,), (6, 2, 2)),
                ("reshape", {"shape": [6, 4]}, (1,), (6, 4)),
                ("permute", {"dims": [2, 1]}, (2,), (4, 6)),
            ],
            [
                ("conv", {"out_channels": 6, "kernel_size": 4, "stride": 4}, (0,)),
                ("flatten", {"start_dim": 2}, (1,)),
                ("permute", {"dims": [2, 1]}, (2,)),
            ],
            id="patches that leave a border out",
        ),
        pytest.param(
            (6, 4, 4),
            [
                ("reshape", {"shape": [2, 3, 4, 4]}, (0,), (2, 3, 4, 4)),
                ("permute", {"dims": [2, 1, 3, 4]}, (1,), (3, 2, 4, 4)),
                ("reshape", {"shape": [6, 4, 4]}, (2,), (6, 4, 4)),
            ],
            [("channel_shuffle", {"groups": 2}, (0,))],
            id="shuffle",
        ),
        pytest.param(
            (6, 4, 4), [("reshape", {"shape": [96]}, (0,), (96,))], [("flatten", {}, (0,))], id="a row of all values"
        ),
        pytest.param(
            (4, 4, 6),
            [("permute", {"dims": [3, 1, 2]}, (0,), (6, 4, 4)), ("global_avg_pool", {}, (1,), (6,))],
            [("mean", {"dim": [1, 2]}, (0,))],
            id="mean of tokens",
        ),
        pytest.param(
            (2, 4, 4),
            [
                ("relu", {}, (0,), (2, 4, 4)),
                ("concat", {}, (0,), (2, 4, 4)),
                ("concat", {}, (0, 1), (4, 4, 4)),
                ("tanh", {}, (3,), (4, 4, 4)),
                ("concat", {}, (2, 1, 4), (8, 4, 4)),
            ],
            [("relu", {}, (0,)), ("concat", {}, (0, 1)), ("tanh", {}, (2,)), ("concat", {}, (2, 3))],
            id="growing concats",
        ),
        pytest.param(
            (2, 4, 4),
            [("relu", {}, (0,), (2, 4, 4)), ("tanh", {}, (0,), (2, 4, 4)), ("identity", {}, (2,), (2, 4, 4))],
            [("tanh", {}, (0,))],
            id="what nothing reads",
        ),
    ],
)
def test_rewrites(input: Shape, layers: list[Layer], expected: list[Any]) -> None:
    assert drawn(simplified(network(input, *layers))) == expected


def test_a_value_that_is_read_elsewhere_stays() -> None:
    layers: list[Layer] = [
        ("adaptive_avg_pool", {"output_size": 1}, (0,), (8, 1, 1)),
        ("flatten", {}, (1,), (8,)),
        ("multiply", {}, (0, 1), (8, 4, 4)),
    ]
    found = simplified(network((8, 4, 4), *layers, side_outputs={2: 1.0}))
    assert [operation.word for operation in found.operations] == ["adaptive_avg_pool", "flatten", "multiply"]


def test_weights_stay_with_their_layer() -> None:
    layers: list[Layer] = [
        ("conv", {"out_channels": 6, "kernel_size": 4, "stride": 4}, (0,), (6, 2, 2)),
        ("reshape", {"shape": [6, 4]}, (1,), (6, 4)),
        ("permute", {"dims": [2, 1]}, (2,), (4, 6)),
    ]
    (patches,) = simplified(network((3, 8, 8), *layers)).operations
    assert (patches.weights, patches.place, patches.shape) == (("1.weight",), "m.1", (4, 6))


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ([(64, 16), (96, 24)], {}),
        ([(16, 8), (96, 24)], {"divisor": 8}),
        ([(64, 8), (96, 12)], {"ratio": 0.125}),
        ([(64, 7), (96, 24)], None),
    ],
)
def test_squeezed_channels_by_one_rule(widths: list[tuple[int, int]], expected: dict[str, Any] | None) -> None:
    layers: list[Layer] = []
    for channels, squeezed in widths:
        layers.append(("conv", {"out_channels": channels, "kernel_size": 1}, (len(layers),), (channels, 4, 4)))
        layers.append(
            ("squeeze_excite", {"channels": squeezed, "gate": "hardsigmoid"}, (len(layers),), (channels, 4, 4))
        )
    found = [each for each in simplified(network((3, 4, 4), *layers)).operations if each.word == "squeeze_excite"]
    rules = [{name: value for name, value in each.arguments.items() if name != "gate"} for each in found]
    assert rules == ([expected] * 2 if expected is not None else [{"channels": squeezed} for _, squeezed in widths])
