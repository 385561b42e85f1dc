"""Lowering: paths, regions, counts, initialisers, and where a mistake is reported."""

from pathlib import Path

import pytest

from specforge.catalog.initializers.fixed import Zeros
from specforge.catalog.initializers.xavier import XavierUniform
from specforge.diagnostics import Diagnostic
from specforge.graph import Graph
from specforge.shapes import Shape
from specforge.torch_backend import build
from tests.networks import analysed, graph_of

UNIT = """
unit:
  params: {channels: required, kernel_size: 3}
  layers:
    - conv: {out_channels: $channels, kernel_size: $kernel_size}
    - {id: norm, batch_norm: }
"""


def findings(
    folder: Path, layers: str, *, input: Shape = (3, 8, 8), blocks: str = "", model: str = ""
) -> list[Diagnostic]:
    return list(analysed(folder, layers, input=input, blocks=blocks, model=model).findings)


def test_paths_are_ids_or_kinds_counted_among_siblings(tmp_path: Path) -> None:
    layers = """
    - {id: stem, conv: {out_channels: 4, kernel_size: 3}}
    - relu
    - unit: 4
    - relu
    - repeat: {times: 2, layers: [{unit: {channels: 4, kernel_size: 1}}, relu]}
    """
    graph = graph_of(tmp_path, layers, input=(3, 8, 8), blocks=UNIT)
    assert [(node.path, node.kind, node.output) for node in graph.leaves()] == [
        ("stem", "conv", (4, 6, 6)),
        ("relu_1", "relu", (4, 6, 6)),
        ("unit_1.conv_1", "conv", (4, 4, 4)),
        ("unit_1.norm", "batch_norm", (4, 4, 4)),
        ("relu_2", "relu", (4, 4, 4)),
        ("repeat_1.0.unit_1.conv_1", "conv", (4, 4, 4)),
        ("repeat_1.0.unit_1.norm", "batch_norm", (4, 4, 4)),
        ("repeat_1.0.relu_1", "relu", (4, 4, 4)),
        ("repeat_1.1.unit_1.conv_1", "conv", (4, 4, 4)),
        ("repeat_1.1.unit_1.norm", "batch_norm", (4, 4, 4)),
        ("repeat_1.1.relu_1", "relu", (4, 4, 4)),
    ]
    assert (graph.input, graph.output) == ((3, 8, 8), (4, 4, 4))


@pytest.mark.parametrize(
    ("shortcut", "paths"),
    [
        ("projection", ["shortcut.conv_1", "shortcut.batch_norm_1"]),
        ("where_possible", []),
        (
            "[{conv: {out_channels: 4, kernel_size: 1, stride: 2}}, {id: last, relu: }]",
            ["shortcut.conv_1", "shortcut.last"],
        ),
    ],
)
def test_a_shortcut_is_a_region_of_its_own(shortcut: str, paths: list[str], tmp_path: Path) -> None:
    layers = f"""
    - residual:
        shortcut: {shortcut}
        layers: [{{conv: {{out_channels: 4, kernel_size: 3, stride: 2, padding: 1}}}}, batch_norm]
    """
    graph = graph_of(tmp_path, layers, input=(3, 8, 8))
    expected = ["residual_1.conv_1", "residual_1.batch_norm_1", *(f"residual_1.{path}" for path in paths)]
    assert [node.path for node in graph.leaves()] == expected


@pytest.mark.parametrize(
    ("body", "stride"),
    [
        ("[{conv: {out_channels: 4, kernel_size: 3, padding: 1, stride: 4}}]", (4, 4)),
        ("[{conv: {out_channels: 4, kernel_size: 3, padding: 1, stride: [1, 3]}}]", (1, 3)),
        (
            "[{max_pool: {kernel_size: 2, ceil_mode: true}}, {conv: {out_channels: 4, kernel_size: 1, stride: 2}}]",
            (4, 4),
        ),
        ("[{repeat: {times: 2, layers: [{conv: {out_channels: 4, kernel_size: 3, padding: 1, stride: 2}}]}}]", (4, 4)),
        ("[{sequential: {layers: [{conv: {out_channels: 4, kernel_size: 1, stride: 2}}]}}, relu]", (2, 2)),
        ("[{residual: {layers: [{conv: {out_channels: 4, kernel_size: 1}}], shortcut: projection}}]", (1, 1)),
    ],
)
def test_a_projection_has_the_stride_of_its_body(body: str, stride: tuple[int, int], tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"- residual: {{layers: {body}, shortcut: projection}}", input=(3, 5, 5))
    (conv,) = [node for node in graph.leaves() if node.path == "residual_1.shortcut.conv_1"]
    assert conv.call.arguments == {
        "in_channels": 3,
        "out_channels": 4,
        "kernel_size": 1,
        "stride": stride,
        "bias": False,
    }


@pytest.mark.parametrize(
    ("residual", "input", "message", "hint"),
    [
        (
            "{layers: [{conv: {out_channels: 4, kernel_size: 3}}]}",
            (3, 8, 8),
            "[3, 8, 8], the body [4, 6, 6]",
            "projection",
        ),
        ("{layers: [{linear: 4}]}", (3,), "[3], the body [4]", "layers that give"),
        ("{layers: [{linear: 4}], shortcut: projection}", (3,), "[3], the body [4]", "layers that give"),
        ("{layers: [flatten], shortcut: projection}", (3, 8, 8), "the body [192]", "layers that give"),
        (
            "{layers: [{conv: {out_channels: 3, kernel_size: 3}}], shortcut: projection}",
            (3, 8, 8),
            "[3, 8, 8], the body [3, 6, 6]",
            "pad the body",
        ),
        ("{layers: [{linear: 4}], shortcut: [{linear: 5}]}", (3,), "[5], the body [4]", "layers that give"),
    ],
)
def test_a_shortcut_must_fit(residual: str, input: Shape, message: str, hint: str, tmp_path: Path) -> None:
    (found,) = findings(tmp_path, f"- residual: {residual}", input=input)
    assert found.code == "SF401"
    assert message in found.message
    assert hint in (found.hint or "")


def test_the_shortcut_s_path_is_taken(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "- residual: {layers: [relu, {id: shortcut, relu: }]}")
    assert "can't have the id `shortcut`" in found.message


def test_frozen_layers_count_as_not_trainable(tmp_path: Path) -> None:
    layers = """
    - {conv: {out_channels: 4, kernel_size: 3}, trainable: false}
    - batch_norm
    - {sequential: {layers: [{linear: 5}, batch_norm]}, trainable: false}
    - linear: 2
    """
    graph = graph_of(tmp_path, layers.replace("- {sequential", "- flatten\n    - {sequential"), input=(3, 8, 8))
    conv, linear, last = 4 * 3 * 9 + 4, 5 * 144 + 5, 5 * 2 + 2
    assert graph.trainable_parameters == 2 * 4 + last
    assert graph.non_trainable_parameters == conv + 2 * 4 + linear + 4 * 5
    assert graph.total_parameters == graph.trainable_parameters + graph.non_trainable_parameters
    module = build(graph, device="meta")
    assert graph.trainable_parameters == sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_init_rules_match_by_kind_and_parameter(tmp_path: Path) -> None:
    layers = "- {id: first, conv: {out_channels: 4, kernel_size: 3}}\n- batch_norm\n- flatten\n- {id: last, linear: 2}"
    model = """
    init:
      - {select: {kind: [conv, linear], parameter: weight}, initializer: xavier_uniform}
      - {select: {parameter: bias}, initializer: zeros}
    """
    graph = graph_of(tmp_path, layers, input=(3, 8, 8), model=model)
    assert {node.path: dict(node.initializers) for node in graph.leaves()} == {
        "first": {"weight": XavierUniform(), "bias": Zeros()},
        "batch_norm_1": {"bias": Zeros()},
        "flatten_1": {},
        "last": {"weight": XavierUniform(), "bias": Zeros()},
    }


def test_the_last_rule_wins_and_a_layer_s_own_init_over_all(tmp_path: Path) -> None:
    layers = "- linear: 4\n- {linear: 2, init: {weight: {xavier_uniform: 3.0}}}"
    model = """
    init:
      - {select: {kind: linear, parameter: weight}, initializer: zeros}
      - {select: {kind: linear, parameter: weight}, initializer: {xavier_uniform: 2.0}}
    """
    graph = graph_of(tmp_path, layers, input=(3,), model=model)
    assert [dict(node.initializers) for node in graph.leaves()] == [
        {"weight": XavierUniform(gain=2.0)},
        {"weight": XavierUniform(gain=3.0)},
    ]


def test_initialisers_come_in_the_order_of_the_state(tmp_path: Path) -> None:
    """However they were written: the order of random draws must not depend on it."""
    layers = "- {linear: 4, init: {bias: normal, weight: normal}}\n- batch_norm"
    model = "init: [{select: {parameter: bias}, initializer: ones}, {select: {parameter: weight}, initializer: ones}]"
    graph = graph_of(tmp_path, layers, input=(3,), model=model)
    assert [list(node.initializers) for node in graph.leaves()] == [["weight", "bias"]] * 2


def written(graph: Graph, path: str) -> str:
    """The text at the place of a layer."""
    span = next(node.span for node in graph.nodes if node.path == path)
    line = Path(span.file).read_text(encoding="utf-8").splitlines()[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


BODY = "layers: [{conv: {out_channels: 4, kernel_size: 1}}]"


def test_layers_that_nobody_wrote_stand_where_their_argument_does(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"- residual: {{{BODY}, shortcut: projection, drop_path: 0.125}}", input=(3, 8, 8))
    assert {path: written(graph, f"residual_1.{path}") for path in ("conv_1", "drop_path", "shortcut.conv_1")} == {
        "conv_1": "conv",
        "drop_path": "0.125",
        "shortcut.conv_1": "projection",
    }
    assert written(graph, "residual_1.shortcut") == written(graph, "residual_1.shortcut.batch_norm_1") == "projection"


def test_layers_of_an_argument_that_is_a_default_stand_where_their_composite_does(tmp_path: Path) -> None:
    defaults = "defaults: {residual: {shortcut: projection, drop_path: 0.125}}"
    graph = graph_of(tmp_path, f"- residual: {{{BODY}}}", input=(3, 8, 8), model=defaults)
    assert written(graph, "residual_1.drop_path") == written(graph, "residual_1.shortcut.conv_1") == "residual"


def test_layers_that_nobody_wrote_stand_in_the_block_that_asks_for_them(tmp_path: Path) -> None:
    block = f"unit:\n  params: {{way: projection}}\n  layers: [{{residual: {{{BODY}, shortcut: $way}}}}]"
    graph = graph_of(tmp_path, "- unit", input=(3, 8, 8), blocks=block)
    path = "unit_1.residual_1.shortcut.conv_1"
    assert written(graph, path) == "$way"
    (use,) = [node.span.used_by for node in graph.nodes if node.path == path]
    assert use is not None
    assert use.name == "unit"


def test_a_rule_that_matches_nothing_is_an_error_at_the_rule(tmp_path: Path) -> None:
    model = "init:\n  - {select: {kind: linear}, initializer: zeros}\n  - {select: {kind: conv}, initializer: zeros}"
    (found,) = findings(tmp_path, "- flatten\n- linear: 4", model=model)
    assert (found.code, found.span.line, found.span.column) == ("SF402", 7, 7)
    assert "kind conv" in found.message


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        ("{flatten: , init: {weight: zeros}}", "give `init` to the layer that has it"),
        ("{batch_norm: , init: {running_mean: zeros}}", "`weight`, `bias`"),
        ("{conv: {out_channels: 4, kernel_size: 1, bias: false}, init: {bias: zeros}}", "`weight`"),
        ("{sequential: {layers: [{linear: 4}]}, init: {weight: zeros}}", "give `init` to the layer inside"),
    ],
)
def test_an_init_of_a_parameter_that_is_not_there(layer: str, hint: str, tmp_path: Path) -> None:
    input = (3, 8, 8) if "linear" not in layer else (3,)  # noqa: A001
    (found,) = findings(tmp_path, f"- {layer}", input=input)
    assert found.code == "SF402"
    assert "has no parameter" in found.message
    assert hint in (found.hint or "")


@pytest.mark.parametrize("select", ["{kind: linear}", "{parameter: [weight, bias]}"])
def test_a_rule_whose_initialiser_can_t_fill_a_bias(select: str, tmp_path: Path) -> None:
    model = f"init:\n  - {{select: {select}, initializer: kaiming_normal}}"
    (found,) = findings(tmp_path, "- linear: 4\n- linear: 4", input=(3,), model=model)
    assert (found.code, found.span.line, found.uses) == ("SF402", 6, 2)
    assert "`kaiming_normal` needs inputs and outputs to count: `bias` of `linear` has none" in found.message
    (found,) = findings(tmp_path, "- {linear: 4, init: {bias: xavier_normal}}", input=(3,))
    assert (found.code, found.span.line) == ("SF402", 6)


def test_a_misfit_in_a_block_points_at_the_argument_and_says_who_used_it(tmp_path: Path) -> None:
    layers = "- relu\n- unit: {channels: 4, kernel_size: 9}"
    (found,) = findings(tmp_path, layers, blocks=UNIT)
    file = str(tmp_path / "example.yaml")
    assert found.code == "SF401"
    assert "[9, 9] is larger than its input [8, 8]" in found.message
    assert "(at `unit_1.conv_1`)" in found.message
    written = Path(file).read_text(encoding="utf-8").splitlines()[found.span.line - 1]
    assert written[found.span.column - 1 : found.span.end_column - 1] == "$kernel_size"
    assert found.context() == f" (used by block `unit` at {file}:13:7)"


def test_lowering_stops_at_the_first_misfit(tmp_path: Path) -> None:
    layers = "- max_pool: 4\n- max_pool: 4\n- linear: 5\n- max_pool: 4"
    (found,) = findings(tmp_path, layers)
    assert found.span.line == 7
    (found,) = findings(tmp_path, "- residual: {layers: [{max_pool: 9}]}\n- linear: 5")
    assert "(at `residual_1.max_pool_1`)" in found.message


def test_the_state_has_the_module_s_order(tmp_path: Path) -> None:
    layers = """
    - repeat:
        times: 2
        layers:
          - residual:
              layers: [{unit: 4}, relu, {id: tail, conv: {out_channels: 4, kernel_size: 1}}]
              shortcut: [{max_pool: {kernel_size: 3, stride: 1}}, {conv: {out_channels: 4, kernel_size: 1}}]
          - prelu
    - global_avg_pool
    - linear: 3
    """
    graph = graph_of(tmp_path, layers, input=(3, 8, 8), blocks=UNIT)
    state = build(graph, device="meta").state_dict()
    assert list(graph.state().items()) == [(name, tuple(value.shape)) for name, value in state.items()]
