"""Blocks and repeats: what is recognised, and that nothing else becomes of it."""

from typing import Any

from specforge.importing.folding import folded
from specforge.importing.patterns import Blocks, instance, unified
from specforge.importing.tree import GROUP, Node, Nodes

NO_BLOCKS = Blocks({}, {})


def conv(channels: int, **further: Any) -> Node:
    return Node("conv", {"out_channels": channels, "kernel_size": 3, **further}, place="m.conv")


def group(kind: str, *items: Node, place: str = "m") -> Node:
    return Node(GROUP, {}, {"layers": items}, {}, place, kind, 0, (4, 8, 8), (4, 8, 8))


def block(channels: int, **further: Any) -> Node:
    """A module with a structure of its own, as a block of a residual network."""
    body = (conv(channels, padding=1, **further), Node("batch_norm"))
    return group("Block", Node("residual", {}, {"layers": body}), Node("relu"))


def texts(nodes: Nodes) -> list[Any]:
    result: list[Any] = []
    for node in nodes:
        inside = {name: texts(items) for name, items in node.regions.items()}
        result.append({node.word: {**node.arguments, **inside}})
    return result


def test_modules_that_are_alike_are_a_block() -> None:
    layers, blocks = folded((block(4), Node("max_pool", {"kernel_size": 2}), block(8)))
    assert blocks.params == {"block": {"out_channels": "required"}}
    assert texts(layers) == [
        {"block": {"out_channels": 4}},
        {"max_pool": {"kernel_size": 2}},
        {"block": {"out_channels": 8}},
    ]


def test_what_most_modules_have_is_the_default_of_a_param() -> None:
    layers, blocks = folded((block(4, stride=2), Node("tanh"), block(4), Node("silu"), block(4)))
    assert blocks.params == {"block": {"stride": 1}}
    assert [node.arguments for node in layers] == [{"stride": 2}, {}, {}, {}, {}]


def test_a_container_of_modules_that_are_alike_is_a_repeat() -> None:
    layers, _ = folded((group("Sequential", block(4, stride=2), block(4), block(4)),))
    assert texts(layers) == [
        {"repeat": {"times": 3, "layers": [{"block": {"stride": "$(2 if index == 0 else 1)"}}]}},
    ]


def test_stages_that_are_alike_are_one_repeat() -> None:
    stages = [group("Sequential", *(block(c) for _ in range(n))) for c, n in ((4, 2), (8, 3), (16, 1))]
    layers, _ = folded(tuple(stages))
    inner = {"repeat": {"times": "$depth", "layers": [{"block": {"out_channels": "$out_channels"}}]}}
    assert texts(layers) == [{"repeat": {"for": {"depth": [2, 3, 1], "out_channels": [4, 8, 16]}, "layers": [inner]}}]


def test_runs_of_plain_layers_are_repeats() -> None:
    layers, _ = folded((conv(4), Node("relu"), conv(4), Node("relu"), Node("flatten")))
    assert texts(layers)[0] == {
        "repeat": {"times": 2, "layers": [{"conv": {"out_channels": 4, "kernel_size": 3}}, {"relu": {}}]}
    }
    assert layers[1].word == "flatten"


def test_small_modules_that_differ_are_written_out() -> None:
    units = (group("Unit", conv(4), Node("relu")), group("Unit", conv(4)), group("Unit", conv(8), Node("relu")))
    layers, blocks = folded((*units, Node("flatten")))
    assert not blocks.params
    assert [node.word for node in layers] == ["conv", "relu", "conv", "conv", "relu", "flatten"]


def test_layers_that_are_wired_are_not_repeated() -> None:
    nodes = tuple(Node("relu", keys={"id": f"r{number}"}) for number in range(4))
    assert folded(nodes)[0] == nodes


def test_a_pattern_gives_each_of_its_lists_back() -> None:
    rows = [
        (conv(4), Node("batch_norm"), Node("relu"), conv(8)),
        (conv(4), Node("batch_norm"), Node("silu"), Node("squeeze_excite"), conv(16)),
        (conv(2, stride=2), Node("batch_norm"), Node("relu"), conv(8)),
    ]
    pattern = unified(rows, NO_BLOCKS, optional=True)
    assert pattern is not None
    for number, row in enumerate(rows):
        assert [(n.word, {"stride": 1, **n.arguments}) for n in instance(pattern, number)] == [
            (n.word, {"stride": 1, **n.arguments}) for n in row
        ]


def test_lists_of_other_words_have_no_pattern() -> None:
    assert unified([(conv(4),), (Node("linear", {"out_features": 4}),)], NO_BLOCKS) is None
    assert unified([(conv(4),), (conv(4), Node("relu"))], NO_BLOCKS) is None
    assert unified([(Node("relu"),), (Node("silu"),)], NO_BLOCKS) is None
