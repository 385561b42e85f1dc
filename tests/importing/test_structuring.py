"""Flat networks as trees: what becomes a composite, what stays wired, what belongs together."""

from typing import Any

from specforge.importing.network import Network, Operation
from specforge.importing.structuring import structured
from specforge.importing.tree import Nodes

SHAPE = (4, 6, 6)


def network(*layers: tuple[str, tuple[int, ...]], **further: Any) -> Network:
    """A network of image layers that keep the shape; concats add channels up."""
    operations: list[Operation] = []
    for number, (word, inputs) in enumerate(layers, 1):
        shapes = [SHAPE if not value else operations[value - 1].shape for value in inputs]
        shape = (sum(each[0] for each in shapes), 6, 6) if word == "concat" else shapes[0]
        operations.append(Operation(word, {}, inputs, f"layer{number}", (), shape))
    return Network("n", SHAPE, tuple(operations), **{"output": len(layers), **further})


def drawn(nodes: Nodes) -> list[Any]:
    """A tree as nested lists of words; with ids and what is read."""
    result: list[Any] = []
    for node in nodes:
        name = node.word + "".join(f" {key}={value}" for key, value in node.keys.items())
        name += "".join(f" {key}={value}" for key, value in node.arguments.items())
        regions = {region: drawn(items) for region, items in node.regions.items()}
        result.append({name: regions} if regions else name)
    return result


def test_layers_one_after_another() -> None:
    assert drawn(structured(network(("relu", (0,)), ("tanh", (1,))))) == ["relu", "tanh"]


def test_a_sum_with_what_arrives_is_a_residual() -> None:
    tree = structured(network(("relu", (0,)), ("tanh", (1,)), ("add", (2, 0)), ("relu", (3,))))
    assert drawn(tree) == [{"residual": {"layers": ["relu", "tanh"]}}, "relu"]


def test_the_shorter_path_is_the_shortcut() -> None:
    tree = structured(network(("silu", (0,)), ("relu", (0,)), ("tanh", (2,)), ("add", (1, 3))))
    assert drawn(tree) == [{"residual": {"layers": ["relu", "tanh"], "shortcut": ["silu"]}}]


def test_equal_paths_are_branches() -> None:
    tree = structured(network(("silu", (0,)), ("relu", (0,)), ("add", (1, 2))))
    assert drawn(tree) == [{"branches merge=add": {"0": ["silu"], "1": ["relu"]}}]


def test_a_concat_becomes_branches_inside_a_residual() -> None:
    tree = structured(
        network(("silu", (0,)), ("relu", (0,)), ("concat", (1, 2)), ("slice", (3,)), ("tanh", (4,)), ("concat", (0, 5)))
    )
    inner = {"branches": {"0": ["silu"], "1": ["relu"]}}
    assert drawn(tree) == [{"branches": {"0": [], "1": [inner, "slice", "tanh"]}}]


def test_stochastic_depth_at_the_end_of_a_body_is_drop_path() -> None:
    layers = (
        Operation("relu", {}, (0,), "a", (), SHAPE),
        Operation("stochastic_depth", {"p": 0.2}, (1,), "b", (), SHAPE),
        Operation("add", {}, (0, 2), "", (), SHAPE),
    )
    assert drawn(structured(Network("n", SHAPE, layers, 3))) == [{"residual drop_path=0.2": {"layers": ["relu"]}}]


def test_paths_that_cross_are_wired() -> None:
    tree = structured(
        network(("silu", (0,)), ("relu", (0,)), ("add", (1, 2)), ("multiply", (1, 3)), ("concat", (2, 4)))
    )
    assert drawn(tree) == [
        "silu id=layer1",
        "relu id=layer2 from=input",
        "add from=['layer1', 'previous']",
        "multiply from=['layer1', 'previous']",
        "concat from=['layer2', 'previous']",
    ]


def test_a_value_read_behind_a_composite_gets_a_name_of_its_own() -> None:
    long = [("relu", (number,)) for number in range(2, 42)]
    tree = structured(network(("relu", (0,)), ("add", (1, 0)), *long, ("concat", (42, 2))))
    assert drawn(tree)[:2] == [{"residual": {"layers": ["relu"]}}, "identity id=after_residual"]
    assert drawn(tree)[-1] == "concat from=['previous', 'after_residual']"


def test_an_output_that_is_not_the_last_value() -> None:
    tree = structured(network(("relu", (0,)), ("tanh", (1,)), output=1))
    assert drawn(tree) == ["relu id=layer1", "tanh", "identity from=layer1"]


def test_a_side_output_is_an_auxiliary() -> None:
    tree = structured(
        network(("relu", (0,)), ("tanh", (1,)), ("silu", (2,)), ("gelu", (1,)), output=4, side_outputs={3: 0.3})
    )
    assert drawn(tree) == ["relu", {"auxiliary weight=0.3": {"layers": ["tanh", "silu"]}}, "gelu"]


def test_a_long_way_is_written_as_from() -> None:
    layers = [("relu" if number else "tanh", (number,)) for number in range(40)]
    tree = structured(network(*layers, ("concat", (1, 40))))
    assert drawn(tree)[0] == "tanh id=layer1"
    assert drawn(tree)[-1] == "concat from=['layer1', 'previous']"


def test_modules_are_groups() -> None:
    layers = tuple(
        Operation(word, {}, (number,), place, (), SHAPE)
        for number, (word, place) in enumerate((("relu", "a.0.x"), ("tanh", "a.0.y"), ("silu", "a.1"), ("gelu", "b")))
    )
    modules = {"a": "Sequential", "a.0": "Unit"}
    tree = structured(Network("n", SHAPE, layers, 4, modules))
    assert drawn(tree) == [{"group": {"layers": [{"group": {"layers": ["relu", "tanh"]}}, "silu"]}}, "gelu"]
    assert [tree[0].kind, tree[0].layers()[0].kind] == ["Sequential", "Unit"]


def test_units_of_a_network_without_modules() -> None:
    words = ("conv", "batch_norm", "silu") * 6
    tree = structured(network(*((word, (number,)) for number, word in enumerate(words)), ("add", (9, 18))))
    units = [{"group": {"layers": ["conv", "batch_norm", "silu"]}}] * 3
    assert drawn(tree) == [*units, {"residual": {"layers": units}}]


def test_a_wired_unit_has_the_keys_of_its_layers() -> None:
    words = ("conv", "batch_norm", "silu") * 12
    tree = structured(network(*((word, (number,)) for number, word in enumerate(words)), ("concat", (3, 36))))
    assert drawn(tree)[0] == {"group id=layer3": {"layers": ["conv", "batch_norm", "silu"]}}
    assert drawn(tree)[-1] == "concat from=['layer3', 'previous']"


def test_composites_in_each_other_end_somewhere() -> None:
    layers: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(12):
        value = len(layers)
        layers += [("relu", (value,)), ("tanh", (0,)), ("add", (value + 1, value + 2))]
    depths = [0]

    def measure(nodes: Nodes, depth: int) -> None:
        depths.append(depth)
        for node in nodes:
            for items in node.regions.values():
                measure(items, depth + 1)

    measure(structured(network(*layers)), 0)
    assert max(depths) <= 6
