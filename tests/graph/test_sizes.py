"""`input: [3, H, W]`: the smallest image, and proof for all larger ones, against lowering at every size."""

from pathlib import Path

import pytest

from specforge.analysis import Analysis, analyse
from specforge.graph import Graph
from specforge.shapes import Shape


def analysed(folder: Path, layers: str, axes: str = "[3, H, W]") -> Analysis:
    file = folder / "sizes.yaml"
    file.write_text(f"specforge: 1\nname: sizes\nmodel:\n  input: {axes}\n  layers: [{layers}]\n", encoding="utf-8")
    return analyse(file)


def proven(folder: Path, layers: str, axes: str = "[3, H, W]") -> Graph:
    return analysed(folder, layers, axes).require()[1]


def told(folder: Path, layers: str, axes: str = "[3, H, W]") -> list[str]:
    return [f"{found.code} {found.message}" for found in analysed(folder, layers, axes).findings]


def conv(kernel_size: object, **others: object) -> str:
    arguments = {"out_channels": 3, "kernel_size": kernel_size, **others}
    return "{conv: {" + ", ".join(f"{name}: {value}" for name, value in arguments.items()) + "}}"


RESIDUAL = "{residual: {layers: [" + conv(3, stride=2, padding=1) + "], shortcut: projection}}"


@pytest.mark.parametrize(
    ("layers", "smallest"),
    [
        ("relu", (3, 1, 1)),
        (conv(3), (3, 3, 3)),
        (f"{conv([3, 5])}, {{max_pool: 2}}", (3, 4, 6)),
        (f"{conv(3)}, {{max_pool: 2}}, {conv(3)}, {{max_pool: 2}}", (3, 10, 10)),
        ("{max_pool: {kernel_size: 3, stride: 2, ceil_mode: true}}, {max_pool: 2}", (3, 4, 4)),
        (RESIDUAL, (3, 2, 2)),
        (f"{RESIDUAL}, {RESIDUAL}, {conv(4)}", (3, 13, 13)),
        ("{branches: {paths: [[{max_pool: 2}], [{avg_pool: 2}]]}}", (3, 2, 2)),
    ],
)
def test_the_smallest_size_is_the_smallest(layers: str, smallest: Shape, tmp_path: Path) -> None:
    graph = proven(tmp_path, layers)
    assert graph.smallest == smallest
    for axis in (1, 2):
        for size in range(1, 40):
            shape = [3, 40, 40]
            shape[axis] = size
            right = analysed(tmp_path, layers, str(shape)).graph is not None
            # a single pixel needs no projection, which makes it another network rather than a wrong one
            assert right == (size >= smallest[axis]) or (layers == RESIDUAL and size == 1), f"{shape}"


def test_figures_are_those_of_a_usual_image(tmp_path: Path) -> None:
    graph = proven(tmp_path, conv(3))
    assert (graph.axes, graph.input, graph.output) == ((3, "H", "W"), (3, 224, 224), (3, 222, 222))


def test_figures_are_those_of_the_data_set(tmp_path: Path) -> None:
    file = tmp_path / "data.yaml"
    layers = f"[{conv(3)}, global_avg_pool, {{linear: 10}}]"
    file.write_text(
        f"specforge: 1\nname: data\nmodel: {{input: [3, H, W], layers: {layers}}}\ndata: {{dataset: cifar10}}\n",
        encoding="utf-8",
    )
    assert analyse(file).require()[1].input == (3, 32, 32)


def test_a_fixed_axis_stays_fixed(tmp_path: Path) -> None:
    graph = proven(tmp_path, conv(5), "[3, 8, W]")
    assert (graph.smallest, graph.input) == ((3, 8, 5), (3, 8, 224))


@pytest.mark.parametrize(
    ("layers", "axes", "found"),
    [
        ("flatten, {linear: 2}", "[3, H, W]", "SF405 the weights of `linear_1` depend on the image's size"),
        ("{branches: {paths: [[{max_pool: 2}], [" + conv(2, padding=1, stride=2) + "]]}}", "[3, H, W]", "SF401"),
        (
            "{branches: {paths: [[{max_pool: 2}], [{max_pool: {kernel_size: 2, ceil_mode: true}}]]}}",
            "[3, H, W]",
            "SF405 not for every `H`: for input [3,",
        ),
        ("flatten, " + conv(3), "[3, H, W]", "SF401"),
        (
            "{branches: {merge: add, paths: [[" + conv(3, stride=2, padding=1) + "], [{max_pool: 2}]]}}",
            "[3, H, W]",
            "SF405 not for every",
        ),
        ("{reshape: [3, 4, -1]}", "[3, S, S]", "SF405 not for every"),
        (
            "{id: a, tanh: }, {permute: [1, 3, 2]}, {from: [previous, a], add: }",
            "[3, H, W]",
            "SF405 not for every",
        ),
        (
            "{id: a, slice: {dim: 2, step: 2}}, {from: input, slice: {dim: 2, start: 1, step: 2}}, "
            "{from: [a, previous], add: }",
            "[3, H, W]",
            "SF405 not for every",
        ),
        ("relu", "[C, H, W]", "SF303"),
        ("relu", "[3, h, w]", "SF303"),
        ("relu", "[3, H W, 2]", "SF303"),
    ],
)
def test_what_is_not_right_for_every_size_is_told(layers: str, axes: str, found: str, tmp_path: Path) -> None:
    messages = told(tmp_path, layers, axes)
    assert messages
    assert messages[0].startswith(found), messages
