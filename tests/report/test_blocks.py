"""What the diagram folds, fuses and puts side by side."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from specforge.report.blocks import Block, build_blocks
from tests.networks import graph_of

OTHER = "{depthwise_conv: {kernel_size: 3, padding: 1}}"
SPECS = Path(__file__).parents[2] / "specs"


def blocks_of(folder: Path, layers: str) -> tuple[Block, ...]:
    return build_blocks(graph_of(folder, layers, input=(8, 16, 16)))


def words(blocks: tuple[Block, ...]) -> list[str]:
    return [f"{block.title} ×{block.times}" if block.times > 1 else block.title for block in blocks]


def test_small_layers_stand_in_the_block_before_them(tmp_path: Path) -> None:
    layers = "[batch_norm, {conv: {out_channels: 8, kernel_size: 1}}, batch_norm, relu, {max_pool: 2}, {dropout: 0.25}]"
    first, conv, pool = blocks_of(tmp_path, layers)
    assert (first.title, conv.title, pool.title) == ("batch_norm", "conv 8", "max_pool 2")
    assert (conv.then, pool.then) == (("batch_norm", "relu"), ("dropout 0.25",))
    assert (conv.parameters, conv.layers) == (8 * 8 + 8 + 4 * 8, 3)
    assert conv.detail == "kernel_size\N{NO-BREAK SPACE}1"


def test_equal_iterations_are_folded_and_others_opened(tmp_path: Path) -> None:
    body = "layers: [{conv: {out_channels: $c, kernel_size: 3, padding: 1}}, {max_pool: 2}]"
    opened = blocks_of(tmp_path, f"[{{repeat: {{for: {{c: [8, 4]}}, {body}}}}}]")
    assert words(opened) == ["conv 8", "max_pool 2", "conv 4", "max_pool 2"]
    body = body.replace("$c", "8").replace(", {max_pool: 2}", ", {depthwise_conv: {kernel_size: 3, padding: 1}}")
    folded = blocks_of(tmp_path, f"[{{repeat: {{times: 3, {body}}}}}]")
    assert words(folded) == ["repeat ×3"]
    assert words(folded[0].lanes[0]) == ["conv 8", "depthwise_conv 3"]
    assert folded[0].parameters == 3 * (8 * 8 * 9 + 8 + 8 * 9 + 8)


def test_an_iteration_of_one_block_is_that_block(tmp_path: Path) -> None:
    found = blocks_of(tmp_path, "[{repeat: {times: 3, layers: [{conv: {out_channels: 8, kernel_size: 1}}, relu]}}]")
    assert words(found) == ["conv 8 ×3"]
    assert (found[0].then, found[0].differs) == (("relu",), "")


def test_neighbours_are_folded_without_a_repeat(tmp_path: Path) -> None:
    conv = "{conv: {out_channels: 8, kernel_size: 1}}"
    assert words(blocks_of(tmp_path, f"[{conv}, {conv}, {OTHER}, {conv}]")) == [
        "conv 8 ×2",
        "depthwise_conv 3",
        "conv 8",
    ]


@pytest.mark.parametrize(("count", "expected"), [(2, ["conv 16", "conv 16"]), (3, ["conv 16 ×3"])])
def test_blocks_that_differ_in_sizes_are_folded_from_three_on(tmp_path: Path, count: int, expected: list[str]) -> None:
    found = blocks_of(tmp_path, str(["{conv: {out_channels: 16, kernel_size: 1}}"] * count).replace("'", ""))
    assert words(found) == expected
    assert found[-1].differs == ("sizes differ" if count > 2 else "")
    assert sum(block.parameters for block in found) == 8 * 16 + 16 + (count - 1) * (16 * 16 + 16)


def test_rates_that_differ_are_said(tmp_path: Path) -> None:
    conv = "{conv: {out_channels: 8, kernel_size: 1}}"
    (found,) = blocks_of(tmp_path, f"[{conv}, {{dropout: 0.1}}, {conv}, {{dropout: 0.2}}]")
    assert (found.times, found.differs) == (2, "rates differ")


def test_a_residual_has_a_lane_for_its_shortcut(tmp_path: Path) -> None:
    body = "{residual: {layers: [{conv: {out_channels: %d, kernel_size: 1}}, relu], shortcut: projection}}"
    identity, projection = blocks_of(tmp_path, f"[{body % 8}, {body % 4}]")
    assert (identity.merge, projection.merge) == ("add", "add")
    assert [words(lane) for lane in identity.lanes] == [["conv 8"], []]
    assert [words(lane) for lane in projection.lanes] == [["conv 4"], ["conv 4"]]


def test_branches_have_a_lane_each(tmp_path: Path) -> None:
    conv = "{conv: {out_channels: 8, kernel_size: 1}}"
    (found,) = blocks_of(
        tmp_path,
        f"[{{id: fork, branches: {{paths: [[], [{conv}], [{conv}, {OTHER}]]}}}}]",
    )
    assert (found.title, found.merge, found.output) == ("fork", "concat", (24, 16, 16))
    assert [len(lane) for lane in found.lanes] == [0, 1, 2]
    assert found.rows == 3


def test_a_residual_without_a_sum_is_its_body(tmp_path: Path) -> None:
    body = f"[{{conv: {{out_channels: 4, kernel_size: 1}}}}, {OTHER}]"
    (found,) = blocks_of(tmp_path, f"[{{residual: {{layers: {body}, shortcut: where_possible}}}}]")
    assert (found.merge, [words(lane) for lane in found.lanes]) == ("", [["conv 4", "depthwise_conv 3"]])


def test_what_is_read_and_shared_is_said(tmp_path: Path) -> None:
    layers = """
        - {id: stem, conv: {out_channels: 8, kernel_size: 1}}
        - {shared: w, depthwise_conv: {kernel_size: 3, padding: 1}}
        - {from: stem, shared: w, depthwise_conv: {kernel_size: 3, padding: 1}}
        - {from: [stem, previous], concat: }
        - auxiliary: {layers: [global_avg_pool, {linear: 10}]}
        - relu
    """
    stem, one, two, joined, side, last = blocks_of(tmp_path, layers)
    assert (stem.linked, one.linked, two.linked, joined.linked) == (True, True, False, True)
    assert two.notes == ("reads stem", f"weights of {one.path}")
    assert two.parameters == 0
    assert joined.notes == ("reads stem, previous",)
    assert (side.side, side.parameters, last.title) == (True, 16 * 10 + 10, "relu")


def test_a_block_keeps_its_name_around_a_composite() -> None:
    graph = analyse(SPECS / "zoo" / "resnet50.yaml").require()[1]
    assert words(build_blocks(graph)) == [
        "conv 64", "max_pool 3", "block", "block ×2", "block", "block ×3", "block", "block ×5", "block", "block ×2",
        "global_avg_pool", "linear 1000",
    ]  # fmt: skip


@pytest.mark.parametrize("path", sorted(SPECS.glob("**/*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_lost_and_little_is_left(path: Path) -> None:
    analysis = analyse(path)
    if analysis.graph is None:
        pytest.skip("a library of blocks, or a spec with findings")
    graph, blocks = analysis.graph, build_blocks(analysis.graph)
    assert sum(block.parameters for block in blocks) == graph.total_parameters
    assert sum(block.macs for block in blocks) == graph.macs
    assert sum(block.layers for block in blocks) == len(list(graph.leaves()))
    assert len(blocks) <= 48


def test_very_many_iterations_that_differ_stay_closed(tmp_path: Path) -> None:
    rows = "[" + ", ".join(str(at % 2 * 4 + 4) for at in range(40)) + "]"
    body = "layers: [{conv: {out_channels: $c, kernel_size: 1}}, {depthwise_conv: {kernel_size: 3, padding: 1}}]"
    found = blocks_of(tmp_path, f"[{{repeat: {{for: {{c: {rows}}}, {body}}}}}]")
    assert words(found)[0] == "repeat"
    assert len(found) == 40
