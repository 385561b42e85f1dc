"""Drawings: everything inside its sheet, nothing over anything else, text cut to what fits."""

from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.report.blocks import build_blocks
from specforge.report.diagram import COLUMN, Diagram, build_diagram
from specforge.report.drawing import Box, Drawing, cut, draw, stack, wrap
from tests.networks import graph_of

ZOO = Path(__file__).parents[2] / "specs" / "zoo"
WIRED = """
    - {id: stem, conv: {out_channels: 8, kernel_size: 1}}
    - branches: {paths: [[], [{conv: {out_channels: 4, kernel_size: 1}}, relu], [relu]]}
    - auxiliary: {layers: [global_avg_pool, {linear: 10}]}
    - {from: stem, conv: {out_channels: 4, kernel_size: 1}}
    - global_avg_pool
    - linear: 10
"""


@cache
def diagram_of(name: str) -> Diagram:
    return build_diagram(analyse(ZOO / f"{name}.yaml").require()[1])


def drawings_of(diagram: Diagram) -> list[Drawing]:
    return [*diagram.flow, *(part.drawing for part in diagram.inside)]


def overlap(one: Box, other: Box) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > 0 and down > 0


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "densenet121", "swin_t", "vit_b_16", "inception_v3"])
def test_the_zoo_is_drawn_inside_its_sheets_without_overlaps(name: str) -> None:
    for drawing in drawings_of(diagram_of(name)):
        check(drawing)


def check(drawing: Drawing) -> None:
    for box in drawing.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= drawing.width
        assert box.y + box.height <= drawing.height
    cards = [box for box in drawing.boxes if box.kind != "frame"]
    assert not any(overlap(*pair) for pair in combinations(cards, 2))
    for text in drawing.texts:
        assert 0 <= text.x <= drawing.width
        assert 0 <= text.y <= drawing.height
        left = text.x - {"start": 0, "middle": 0.5, "end": 1}[text.anchor] * 6 * len(text.text)
        assert left >= -1
        assert left + 6 * len(text.text) <= drawing.width + 1, text


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "densenet121", "resnet18", "vgg16_bn", "inception_v3"])
def test_the_flow_fits_a_phone_and_lies_on_one_axis(name: str) -> None:
    flow = diagram_of(name).flow
    assert max(drawing.width for drawing in flow) <= COLUMN
    arrows = {line.split(" ")[0] for drawing in flow for line in drawing.lines[:1]}
    assert len(arrows) == 1


def test_a_small_network_is_drawn_whole(tmp_path: Path) -> None:
    diagram = build_diagram(graph_of(tmp_path, "[{residual: {layers: [{linear: 16}]}}, {linear: 10}]", input=(16,)))
    assert diagram.inside == ()
    assert any(box.kind == "frame" for drawing in diagram.flow for box in drawing.boxes)
    assert diagram.flow[0].summary == "input 16"


def test_a_large_network_has_each_different_inside_once() -> None:
    diagram = diagram_of("resnet50")
    assert [part.title for part in diagram.inside] == ["block", "block ×2", "block", "block ×3", "block", "block ×5",
                                                       "block", "block ×2"]  # fmt: skip
    assert diagram.inside[1].figures == "256 × 56 × 56, 142k parameters in all"
    assert not any(box.kind == "frame" for drawing in diagram.flow for box in drawing.boxes)
    assert diagram.left_out == 0


def test_what_is_folded_though_it_differs_says_which_is_drawn() -> None:
    first = diagram_of("densenet121").inside[0]
    assert first.figures.endswith("the first of 6, whose sizes differ")


def test_what_reads_elsewhere_has_no_arrow_and_a_side_branch_lets_the_flow_pass(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, WIRED, input=(8, 16, 16))
    blocks = {block.title: at for at, block in enumerate(build_blocks(graph), 1)}
    flow = build_diagram(graph).flow
    assert flow[blocks["conv 4"]].lines == ()
    side = flow[blocks["auxiliary"]]
    assert [box.kind for box in side.boxes] == ["side"]
    assert [text.text for text in side.texts] == ["auxiliary", "2 layers", "only in training", "10", "210 parameters"]
    for drawing in drawings_of(build_diagram(graph)):
        check(drawing)


def test_the_same_graph_gives_the_same_drawing() -> None:
    assert diagram_of("googlenet") == diagram_of.__wrapped__("googlenet")


def test_long_names_are_cut_and_kept_in_the_hint(tmp_path: Path) -> None:
    name = "a" * 60
    blocks = build_blocks(
        graph_of(tmp_path, f"[{{id: {name}, sequential: {{layers: [{{linear: 2}}, {{linear: 3}}]}}}}]", input=(4,))
    )
    closed = draw(stack(blocks, frozenset()), "")
    check(closed)
    assert closed.texts[0].text.endswith("…")
    assert name in closed.boxes[0].hint


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", []), ("one two", ["one two"]), ("one two three", ["one two", "three"]), ("abcdefghijk", ["abcdefgh", "ijk"]),
     ("one two three four five", ["one two", "three f…"])],
)  # fmt: skip
def test_wrap(text: str, lines: list[str]) -> None:
    assert wrap(text, 8, 2) == lines


def test_cut() -> None:
    assert [cut("abcdef", letters) for letters in (6, 5.9, 1, 0)] == ["abcdef", "abcd…", "…", "…"]


def test_a_card_says_how_often_and_a_frame_too(tmp_path: Path) -> None:
    layers = "[{repeat: {times: 7, layers: [{linear: 4}, {linear: 4, bias: false}]}}, {linear: 3}, {linear: 3}]"
    layers = layers.replace("linear: 4, bias: false", "linear: {out_features: 4, bias: false}")
    blocks = build_blocks(graph_of(tmp_path, layers, input=(4,)))
    assert "×7" in [text.text for text in draw(stack(blocks, frozenset()), "").texts]
    assert "repeat ×7" in [text.text for text in draw(stack(blocks), "").texts]
