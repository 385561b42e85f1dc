"""Mermaid and DOT: both draw the same boxes, clusters and arrows, whatever names a spec has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.emit.dot import to_dot
from specforge.emit.mermaid import to_mermaid
from specforge.graph import Graph
from tests.emit.flowchart import Chart, read_dot, read_mermaid
from tests.graph.random_networks import Network
from tests.networks import graph_of

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
HOSTILE = (
    '"',
    "]",
    "end",
    "a\nb",
    "\\",
    "\\N",
    "<b>",
    "&quot;",
    "#35;",
    "`x`",
    "a --> b",
    "{}",
    "%%{init}%%",
    "\u202ex",
)


def both(graph: Graph, name: str = "network", depth: int | None = None) -> Chart:
    """What the diagrams say, which is the same."""
    mermaid = read_mermaid(to_mermaid(graph, name, depth=depth))
    assert read_dot(to_dot(graph, name, depth=depth)) == mermaid
    return mermaid


def titles(chart: Chart) -> list[str]:
    return [text.split("\n")[0] for text in chart.boxes.values()]


@pytest.mark.parametrize("file", SPECS, ids=lambda file: str(file.stem))
def test_every_spec(file: Path) -> None:
    graph = analyse(file).graph
    if graph is None:
        return
    for depth in (None, 1, 2, 99):
        chart = both(graph, depth=depth)
        ends = {end for _, end, _, _ in chart.arrows}
        assert ends == chart.boxes.keys() - {"input"}, "every box is reached"
        assert "\n".join(("output", str(list(graph.output)))) in chart.boxes.values()


def test_random_networks() -> None:
    for seed in range(200):
        made = Network(seed).model()
        if made is not None:
            for depth in (None, 1):
                chart = both(made[1], depth=depth)
                assert {end for _, end, _, _ in chart.arrows} == chart.boxes.keys() - {"input"}


def test_a_chain(tmp_path: Path) -> None:
    chart = both(graph_of(tmp_path, "[{conv: {out_channels: 4, kernel_size: 3}}, relu, flatten]", input=(3, 5, 5)))
    assert list(chart.boxes.values()) == [
        "input\n[3, 5, 5]",
        "conv_1\n112 parameters",
        "relu_1",
        "flatten_1",
        "output\n[36]",
    ]
    assert [shape for _, _, shape, _ in chart.arrows] == ["[3, 5, 5]", "[4, 3, 3]", "[4, 3, 3]", "[36]"]


def test_blocks_and_repeats_are_clusters(tmp_path: Path) -> None:
    blocks = "unit: {params: {width: required}, layers: [linear: $width, relu]}"
    graph = graph_of(tmp_path, "- repeat: {times: 2, layers: [unit: 4, tanh]}", input=(4,), blocks=blocks)
    chart = both(graph)
    assert list(chart.clusters.values()) == ["repeat_1", "repeat_1.0", "unit_1", "repeat_1.1", "unit_1"]
    assert titles(chart) == ["input", "linear_1", "relu_1", "tanh_1", "linear_1", "relu_1", "tanh_1", "output"]


def test_depth(tmp_path: Path) -> None:
    blocks = "unit: {params: {width: required}, layers: [linear: $width, relu]}"
    graph = graph_of(tmp_path, "- repeat: {times: 2, layers: [unit: 4, tanh]}", input=(4,), blocks=blocks)
    assert titles(both(graph, depth=1)) == ["input", "repeat_1.0", "repeat_1.1", "output"]
    assert titles(both(graph, depth=2)) == ["input", "unit_1", "tanh_1", "unit_1", "tanh_1", "output"]
    assert both(graph, depth=3) == both(graph)


def test_large_networks_show_blocks() -> None:
    graph = analyse(ROOT / "specs" / "zoo" / "resnet50.yaml").graph
    assert graph is not None
    chart = both(graph)
    assert titles(chart).count("block_1") == 16
    assert "block_1" not in chart.clusters.values()


def test_sums_and_joins(tmp_path: Path) -> None:
    layers = "[residual: {layers: [linear: 4]}, branches: {paths: [[], [relu]], merge: concat}]"
    chart = both(graph_of(tmp_path, layers, input=(4,)))
    assert titles(chart) == ["input", "linear_1", "+", "relu_1", "concat", "output"]
    keys = {text.split("\n")[0]: key for key, text in chart.boxes.items()}
    assert (("input"), keys["+"], "[4]", False) in chart.arrows


def test_what_others_read_is_shown(tmp_path: Path) -> None:
    """Even inside what would be folded."""
    layers = "[{id: stem, sequential: {layers: [linear: 4, relu]}}, tanh, {from: [previous, stem.linear_1], add: }]"
    chart = both(graph_of(tmp_path, layers, input=(4,)), depth=1)
    assert titles(chart) == ["input", "linear_1", "relu_1", "tanh_1", "add_1", "output"]


def test_side_branches_and_shared_weights(tmp_path: Path) -> None:
    aux = "{id: aux, auxiliary: {weight: 0.3, layers: [linear: 2]}}"
    layers = f"[{{shared: w, linear: 4}}, {aux}, {{shared: w, linear: 4}}, linear: 2]"
    chart = both(graph_of(tmp_path, layers, input=(4,)))
    assert "aux\nin training, weight 0.3" in chart.boxes.values()
    assert "linear_2\nweights of linear_1" in chart.boxes.values()
    assert [dashed for *_, dashed in chart.arrows].count(True) == 2


@pytest.mark.parametrize("to", [to_mermaid, to_dot])
def test_it_is_the_same_every_time(to: Callable[..., str]) -> None:
    first, second = (analyse(ROOT / "specs" / "inception.yaml").graph for _ in range(2))
    assert first is not None
    assert second is not None
    assert to(first, "inception") == to(second, "inception")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(tmp_path: Path, name: str) -> None:
    """Ids and names of specs can't be like this; what draws them does not rely on it."""
    graph = graph_of(tmp_path, "[{id: stem, sequential: {layers: [linear: 4]}}]", input=(4,))
    stem = graph.root.children[0]
    inner = stem.children[0]._replace(name=name)
    hostile = Graph(
        graph.root._replace(children=(stem._replace(name=name, children=(inner,)),)), graph.axes, graph.smallest
    )
    chart = both(hostile, name)
    shown = name.replace("\n", "\\n").replace("\u202e", "\\u202e")
    assert chart.title == shown
    assert any(text.startswith(shown) for text in chart.boxes.values())
