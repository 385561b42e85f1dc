"""Trees as text, as people write it."""

from specforge.importing.patterns import Blocks
from specforge.importing.tree import Node
from specforge.importing.writing import spec_text

NO_BLOCKS = Blocks({}, {})


def lines(*nodes: Node, blocks: Blocks = NO_BLOCKS) -> list[str]:
    """The lines of `layers`, without their indentation."""
    text = spec_text({"name": "n"}, nodes, blocks, (3, 8, 8), "made")
    return [line[4:] for line in text.partition("\nmodel:\n")[2].partition("  layers:\n")[2].splitlines()]


def test_a_layer_has_three_forms() -> None:
    assert lines(Node("relu"), Node("dropout", {"p": 0.5}), Node("conv", {"out_channels": 8, "kernel_size": 3})) == [
        "- relu",
        "- dropout: 0.5",
        "- conv: {out_channels: 8, kernel_size: 3}",
    ]


def test_keys_stand_beside_the_layer() -> None:
    named = Node("relu", keys={"id": "stem"})
    merged = Node("concat", {"dim": 2}, keys={"from": ["previous", "stem"]})
    assert lines(named, merged) == ["- {id: stem, relu: }", "- {from: [previous, stem], concat: 2}"]


def test_composites_have_a_layer_a_line() -> None:
    body = (Node("relu"), Node("tanh"))
    assert lines(Node("residual", {"drop_path": 0.1}, {"layers": body, "shortcut": (Node("silu"),)})) == [
        "- residual:",
        "    drop_path: 0.1",
        "    shortcut: [silu]",
        "    layers:",
        "      - relu",
        "      - tanh",
    ]


def test_paths_stand_on_a_line_where_they_fit() -> None:
    wide = tuple(Node("conv", {"out_channels": 8, "kernel_size": [1, 7], "padding": [0, 3]}) for _ in range(2))
    paths = {"0": (Node("relu"), Node("dropout", {"p": 0.5})), "1": (), "2": wide}
    assert lines(Node("branches", {"merge": "add"}, paths)) == [
        "- branches:",
        "    paths:",
        "      - [relu, dropout: 0.5]",
        "      - []",
        "      - - conv: {out_channels: 8, kernel_size: [1, 7], padding: [0, 3]}",
        "        - conv: {out_channels: 8, kernel_size: [1, 7], padding: [0, 3]}",
        "    merge: add",
    ]


def test_few_lists_stand_together_and_many_as_rows() -> None:
    body = {"layers": (Node("relu"),)}
    few = {"a": [1, 2], "b": [3, 4]}
    assert lines(Node("repeat", {"for": few}, body))[1] == "    for: {a: [1, 2], b: [3, 4]}"
    many = {name * 9: [1000, 2000, 3000] for name in "abcd"}
    assert lines(Node("repeat", {"for": many}, body))[1:6] == [
        "    for:",
        "      - [aaaaaaaaa, bbbbbbbbb, ccccccccc, ddddddddd]",
        "      - [1000, 1000, 1000, 1000]",
        "      - [2000, 2000, 2000, 2000]",
        "      - [3000, 3000, 3000, 3000]",
    ]


def test_what_all_layers_of_a_kind_say_is_a_default() -> None:
    convs = tuple(Node("conv", {"out_channels": size, "kernel_size": 1, "bias": False}) for size in (4, 8, 16))
    text = spec_text({"name": "n"}, convs, NO_BLOCKS, (3, 8, 8), "made")
    assert "  defaults: {conv: {bias: false}}\n" in text
    assert "    - conv: {out_channels: 16, kernel_size: 1}\n" in text


def test_blocks_stand_above_the_model_and_are_used_by_their_main_param() -> None:
    blocks = Blocks(
        {"unit": {"width": "required", "stride": 1}}, {"unit": (Node("linear", {"out_features": "$width"}),)}
    )
    nodes = (Node("unit", {"width": 8}), Node("unit", {"width": 8, "stride": 2}))
    assert lines(*nodes, blocks=blocks) == ["- unit: 8", "- unit: {width: 8, stride: 2}"]
    text = spec_text({"name": "n"}, nodes, blocks, (3, 8, 8), "made")
    assert "blocks:\n  unit:\n    params: {width: required, stride: 1}\n    layers:\n      - linear: $width\n" in text
    assert text.startswith("# made\nspecforge: 1\nname: n\n")
