"""`from`, `shared` and `auxiliary`: what reaches a layer, and the module that carries it out."""

import copy
import io
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from specforge.graph import Graph
from specforge.modules import Wired
from specforge.torch_backend import build
from tests.networks import analysed, graph_of

IMAGE = (3, 8, 8)


def network(folder: Path, layers: str, **others: str) -> tuple[Graph, nn.Module, Tensor]:
    """The graph, its module in evaluation mode, and two images."""
    graph = graph_of(folder, layers, input=IMAGE, **others)
    return graph, build(graph, seed=0).eval(), torch.randn(2, *IMAGE, generator=torch.Generator().manual_seed(1))


def messages(folder: Path, layers: str, **others: str) -> list[str]:
    return [f"{found.code} {found.message}" for found in analysed(folder, layers, input=IMAGE, **others).findings]


def test_reads_an_earlier_sibling(tmp_path: Path) -> None:
    graph, module, x = network(
        tmp_path,
        """
        - {id: stem, conv: {out_channels: 4, kernel_size: 1}}
        - relu
        - {from: [stem, previous], concat: }
        """,
    )
    stem = module.get_submodule("stem")(x)
    assert torch.equal(module(x), torch.cat([stem, stem.relu()], dim=1))
    assert graph.output == (8, 8, 8)


def test_reads_the_input_of_the_network_from_inside(tmp_path: Path) -> None:
    _, module, x = network(
        tmp_path,
        """
        - relu
        - sequential: {layers: [tanh, {from: [previous, input], add: }]}
        """,
    )
    assert torch.equal(module(x), x.relu().tanh() + x)


def test_reads_inside_an_earlier_composite(tmp_path: Path) -> None:
    _, module, x = network(
        tmp_path,
        """
        - repeat: {times: 2, layers: [tanh, sigmoid]}
        - {from: [previous, repeat_1.0.tanh_1], multiply: }
        """,
    )
    assert torch.equal(module(x), x.tanh().sigmoid().tanh().sigmoid() * x.tanh())


def test_a_residual_is_opened_with_its_sum(tmp_path: Path) -> None:
    _, module, x = network(
        tmp_path,
        """
        - {id: stem, tanh: }
        - sigmoid
        - residual: {layers: [relu, {from: [previous, stem], add: }], shortcut: [tanh]}
        """,
    )
    y = x.tanh().sigmoid()
    assert torch.equal(module(x), (y.relu() + x.tanh()) + y.tanh())


@pytest.mark.parametrize(("merge", "join"), [("add", torch.add), ("multiply", torch.mul)])
def test_branches_are_opened_with_their_join(merge: str, join: object, tmp_path: Path) -> None:
    assert callable(join)
    _, module, x = network(
        tmp_path,
        f"""
        - {{id: stem, tanh: }}
        - sigmoid
        - branches: {{paths: [[], [relu, {{from: stem, sigmoid: }}]], merge: {merge}}}
        """,
    )
    assert torch.equal(module(x), join(x.tanh().sigmoid(), x.tanh().sigmoid()))


def test_a_blocks_items_find_each_other_first(tmp_path: Path) -> None:
    _, module, x = network(
        tmp_path,
        """
        - {id: a, tanh: }
        - unit
        """,
        blocks="unit: {layers: [{id: a, sigmoid: }, relu, {from: [a, previous], add: }]}",
    )
    assert torch.equal(module(x), x.tanh().sigmoid() * 2)


def test_equal_blocks_have_equal_programs(tmp_path: Path) -> None:
    _, module, _ = network(
        tmp_path,
        "- repeat: {times: 3, layers: [unit]}",
        blocks="unit: {layers: [{id: a, sigmoid: }, relu, {from: [a, previous], add: }]}",
    )
    programs = {str(unit._program) for unit in module.modules() if isinstance(unit, Wired)}
    assert len(programs) == 1


def test_an_unwired_network_has_plain_modules(tmp_path: Path) -> None:
    _, module, _ = network(tmp_path, "- {from: previous, relu: }\n- residual: {layers: [tanh]}")
    assert not any(isinstance(part, Wired) for part in module.modules())


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("- {from: later, relu: }\n- {id: later, tanh: }", "SF403 `later` comes later: only earlier items can be read"),
        ("- unit", "SF403 this item lies in `unit_1`, whose value is not there yet"),
        ("- {id: own, from: own, relu: }", "SF403 `from: own` is the item itself"),
        ("- {id: stem, tanh: }\n- {from: steem, relu: }", "SF403 `from: steem` leads to no earlier item"),
        (
            "- repeat: {times: 1, layers: [tanh]}\n- {from: repeat_1.tanh_1, relu: }",
            "SF403 `from: repeat_1.tanh_1` leads",
        ),
        ("- tanh\n- {from: [tanh_1, input], relu: }", "SF401 `relu` reads one value, `from` names 2"),
        ("- flatten\n- {from: [previous, input], concat: }", "SF401 values that differ beside axis 1"),
        ("- {id: m, reshape: [3, 64]}\n- {from: [m, input], concat: }", "SF401 values that differ beside axis 1"),
        ("- {id: m, mean: 1}\n- {from: [m, input], concat: }", "SF401 values that differ beside axis 1"),
        ("- {id: a, max_pool: 2}\n- {from: [a, input], add: }", "SF401 values of different shapes can't be added"),
        ("- {from: 3, relu: }", "SF303 `from` is the address of an earlier item"),
        ("- {from: [], relu: }", "SF303 `from` names at least one earlier item"),
        ("- {id: previous, relu: }", "SF206 the id `previous` is taken"),
        ("- auxiliary: {layers: [flatten, {linear: 2}]}\n- {from: auxiliary_1.flatten_1, relu: }", "SF403 `from: aux"),
        ("- auxiliary: {layers: []}", "SF401 `auxiliary` has no layer that computes"),
        ("- {from: [input, input, input], matmul: }", "SF401 `matmul` multiplies two values, 3 arrive"),
        ("- {id: f, flatten: }\n- {from: [input, f], matmul: }", "SF401 [3, 8, 8] and [192] are not stacks"),
    ],
)
def test_a_bad_address_is_told(layers: str, found: str, tmp_path: Path) -> None:
    told = messages(tmp_path, layers, blocks="unit: {layers: [{from: unit_1, relu: }]}" if "unit" in layers else "")
    assert len(told) == 1
    assert told[0].startswith(found)


def test_axes_of_size_one_are_stretched(tmp_path: Path) -> None:
    graph, module, x = network(
        tmp_path,
        """
        - {id: gate, conv: {out_channels: 1, kernel_size: 8}}
        - sigmoid
        - {from: [input, previous], multiply: }
        """,
    )
    gate = module.get_submodule("gate")(x).sigmoid()
    assert graph.output == IMAGE
    assert torch.equal(module(x), x * gate)


def test_matrix_products(tmp_path: Path) -> None:
    graph, module, x = network(tmp_path, "- {from: [input, input], matmul: {transpose: true}}")
    assert torch.equal(module(x), x @ x.transpose(-2, -1))
    assert graph.macs == 3 * 8 * 8 * 8


def test_shared_weights_are_registered_once(tmp_path: Path) -> None:
    graph, module, x = network(
        tmp_path,
        """
        - {shared: w, conv: {out_channels: 3, kernel_size: 1}}
        - {shared: w, conv: {out_channels: 3, kernel_size: 1}}
        """,
    )
    assert list(module.state_dict()) == list(graph.state()) == ["conv_1.weight", "conv_1.bias"]
    assert graph.total_parameters == sum(parameter.numel() for parameter in module.parameters()) == 12
    assert graph.macs == 2 * 9 * 64
    conv = module.get_submodule("conv_1")
    assert torch.equal(module(x), conv(conv(x)))


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_shares_its_own_weights(clone: object, tmp_path: Path) -> None:
    assert callable(clone)
    layers = (
        "- repeat: {times: 2, layers: [{shared: w, sequential: {layers: [{conv: {out_channels: 3, kernel_size: 1}}]}}]}"
    )
    _, module, x = network(tmp_path, layers)
    before = module(x)
    copied = clone(module)
    assert torch.equal(copied(x), before)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    assert not copied(x).any()
    assert torch.equal(module(x), before)


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ("{shared: w, conv: {out_channels: 3, kernel_size: 3}}", "SF404 `w` is shared with `conv_1`, which is not"),
        ("{shared: w, relu: }", "SF404 `w` is shared with `conv_1`, which is not"),
        ("{shared: w, init: {weight: zeros}, conv: {out_channels: 4, kernel_size: 1}}", "SF404 [4, 8, 8] arrives"),
        ("{shared: '', relu: }", "SF303 `shared` is a name"),
    ],
)
def test_bad_sharing_is_told(second: str, found: str, tmp_path: Path) -> None:
    told = messages(tmp_path, f"- {{shared: w, conv: {{out_channels: 4, kernel_size: 1}}}}\n- {second}")
    assert told
    assert told[0].startswith(found)


AUXILIARY = """
- {id: stem, conv: {out_channels: 4, kernel_size: 3}}
- sequential:
    layers:
      - relu
      - {id: early, auxiliary: {weight: 0.3, layers: [global_avg_pool, {linear: 10}]}}
- global_avg_pool
- {id: head, linear: 10}
"""


def test_a_side_branch_leaves_in_training_alone(tmp_path: Path) -> None:
    graph, module, x = network(tmp_path, AUXILIARY)
    stem = module.get_submodule("stem")(x).relu()
    main = module.get_submodule("head")(stem.mean(dim=(2, 3)))
    early = module.get_submodule("sequential_1.early.linear_1")(stem.mean(dim=(2, 3)))
    assert torch.equal(module(x), main)
    output, heads = module.train()(x)
    assert torch.equal(output, main)
    assert list(heads) == ["sequential_1.early"]
    assert torch.equal(heads["sequential_1.early"], early)
    assert [tuple(head) for head in graph.heads] == [("sequential_1.early", 0.3, (10,))]


def test_a_side_branch_counts_in_parameters_alone(tmp_path: Path) -> None:
    graph, module, _ = network(tmp_path, AUXILIARY)
    assert graph.output == (10,)
    assert graph.total_parameters == sum(parameter.numel() for parameter in module.parameters())
    assert graph.macs == 4 * 27 * 36 + 40


def test_wired_networks_compile_export_and_save(tmp_path: Path) -> None:
    _, module, x = network(tmp_path, AUXILIARY)
    expected = module(x)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert torch.equal(compiled(x), expected)
    exported = torch.export.export(module, (x,))
    assert torch.allclose(exported.module()(x), expected)
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    assert functional.cross_entropy(compiled.train()(x)[0], torch.tensor([1, 2])).isfinite()


@pytest.mark.parametrize("item", ["unit: 3", "sequential: {layers: [{conv: {out_channels: 3, kernel_size: 1}}, relu]}"])
def test_a_composite_written_twice_shares_all_its_weights(item: str, tmp_path: Path) -> None:
    graph, module, x = network(
        tmp_path,
        f"- {{id: a, shared: w, {item}}}\n- tanh\n- {{id: b, shared: w, {item}}}",
        blocks="unit: {params: {c: required}, layers: [{conv: {out_channels: $c, kernel_size: 1}}, relu]}",
    )
    unit = module.get_submodule("a")
    assert torch.equal(module(x), unit(unit(x).tanh()))
    assert list(module.state_dict()) == ["a.conv_1.weight", "a.conv_1.bias"] == list(graph.state())


def test_a_shared_sum_that_is_read_inside_stays_a_sum(tmp_path: Path) -> None:
    body = "residual: [conv: {out_channels: 3, kernel_size: 3, padding: 1}, relu]"
    layers = f"- {{id: a, shared: s, {body}}}\n- {{id: b, shared: s, {body}}}\n- {{from: [previous, a.conv_1], add: }}"
    _, module, x = network(tmp_path, layers)
    conv = module.get_submodule("a.conv_1")
    once = conv(x).relu() + x
    assert torch.equal(module(x), conv(once).relu() + once + conv(x))


def test_a_shared_part_that_reads_differently_is_run_differently(tmp_path: Path) -> None:
    part = "sequential: [conv: {out_channels: 3, kernel_size: 3, padding: 1}, {from: [previous, stem], add: }]"
    layers = f"""
    - {{id: stem, tanh: }}
    - sigmoid
    - repeat: {{for: {{source: [previous, stem]}}, layers: [{{from: $source, shared: s, {part}}}]}}
    """
    _, module, x = network(tmp_path, layers)
    conv = module.get_submodule("repeat_1.0.sequential_1.conv_1")
    assert torch.equal(module(x), conv(x.tanh()) + x.tanh())


def test_weights_are_shared_between_image_sizes(tmp_path: Path) -> None:
    part = "sequential: [conv: {out_channels: 3, kernel_size: 3, padding: 1}, relu]"
    graph, _, _ = network(tmp_path, f"- repeat: {{times: 2, layers: [{{shared: s, {part}}}, max_pool: 2]}}")
    assert graph.total_parameters == 3 * 3 * 9 + 3


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("- {shared: s, batch_norm: }\n- global_avg_pool\n- {shared: s, batch_norm: }", "SF404 [3] arrives"),
        (
            "- {shared: s, conv: {out_channels: 3, kernel_size: 1}}\n"
            "- {trainable: false, sequential: [{shared: s, conv: {out_channels: 3, kernel_size: 1}}]}",
            "SF404 `trainable` of weights that `conv_1` has",
        ),
        ("- {id: x, auxiliary: {layers: [flatten, {linear: 2}]}}\n- {from: x, relu: }", "SF403 `x` is a side branch"),
    ],
)
def test_what_can_not_be_shared_or_read_is_told(layers: str, found: str, tmp_path: Path) -> None:
    (told,) = messages(tmp_path, layers)
    assert told.startswith(found)


def test_the_first_of_shared_weights_may_be_frozen(tmp_path: Path) -> None:
    conv = "conv: {out_channels: 3, kernel_size: 1}"
    graph, _, _ = network(tmp_path, f"- {{shared: s, trainable: false, {conv}}}\n- {{shared: s, {conv}}}")
    assert (graph.trainable_parameters, graph.non_trainable_parameters) == (0, 12)


def test_layers_without_weights_need_no_sharing(tmp_path: Path) -> None:
    _, module, x = network(
        tmp_path, "- {shared: s, max_pool: 2}\n- {flatten: {start_dim: 2}}\n- {shared: s, max_pool: 2}"
    )
    assert torch.equal(module(x), functional.max_pool1d(functional.max_pool2d(x, 2).flatten(2), 2))
