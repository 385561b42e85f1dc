"""What decides whether two networks mean the same, where that is easily overlooked."""

from pathlib import Path

import pytest

from specforge.diff import diff, lines

CONV = "{conv: {out_channels: 3, kernel_size: 1}}"
FROM_FIRST = "flatten, {id: a, linear: 2}, relu"


def said(folder: Path, before: str, after: str, shape: str = "[3, 8, 8]") -> list[str]:
    for name, layers in (("a", before), ("b", after)):
        text = f"specforge: 1\nname: x\nmodel: {{input: {shape}, layers: [{layers}]}}\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = [line.text for line in lines(diff(folder / "a.yaml", folder / "b.yaml"))]
    return [line for line in found if not line.startswith(("parameters", "MACs"))]


DIFFERENT = {
    "another output": (
        (f"{FROM_FIRST}, {{from: a, sequential: {{layers: []}}}}", FROM_FIRST),
        "~ model.output: a -> relu_1",
    ),
    "another result of a path": (
        (
            f"branches: {{paths: [[{{id: a, tanh: }}, relu, {{from: a, sequential: {{layers: []}}}}], [{CONV}]]}}",
            f"branches: {{paths: [[{{id: a, tanh: }}, relu], [{CONV}]]}}",
        ),
        "~ branches_1  0.gives: branches_1.0.a -> branches_1.0.relu_1",
    ),
    "an identity more": (
        (f"branches: {{paths: [[{CONV}]]}}", f"branches: {{paths: [[{CONV}], []]}}"),
        "~ branches_1  paths: 1 -> 2  [3, 8, 8] -> [6, 8, 8]",
    ),
    "paths in another order": (
        (f"branches: {{paths: [[{CONV}], []]}}", f"branches: {{paths: [[], [{CONV}]]}}"),
        "~ branches_1.0.conv_1 -> branches_1.1.conv_1  moved: first in branches_1.0 -> first in branches_1.1",
    ),
}


@pytest.mark.parametrize(("networks", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(networks: tuple[str, str], expected: str, tmp_path: Path) -> None:
    found = said(tmp_path, *networks)
    assert found[0] == "different architecture"
    assert expected in found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("resnet18", "{model: resnet18, weights: none}", "~ pretrained_1  weights: published -> none"),
        (
            "{model: resnet18, weights: a.pt}",
            "{model: resnet18, weights: b.pt}",
            "~ pretrained_1  weights: a.pt -> b.pt",
        ),
    ],
)
def test_what_weights_a_pretrained_network_starts_with(before: str, after: str, expected: str, tmp_path: Path) -> None:
    found = said(tmp_path, f"pretrained: {before}", f"pretrained: {after}", "[3, 64, 64]")
    assert found == ["same architecture, different initial weights", expected, "weights of A load into B: yes"]


def test_another_pretrained_network(tmp_path: Path) -> None:
    found = said(tmp_path, "pretrained: resnet18", "pretrained: resnet34", "[3, 64, 64]")
    assert found[:2] == ["different architecture and initial weights", "~ pretrained_1  model: resnet18 -> resnet34"]


def test_names_of_sizes_mean_nothing(tmp_path: Path) -> None:
    texts = []
    for axes in ("[3, H, W]", "[3, A, B]", "[3, A, A]"):
        file = tmp_path / f"{len(texts)}.yaml"
        file.write_text(f"specforge: 1\nname: x\nmodel: {{input: {axes}, layers: [relu]}}\n", encoding="utf-8")
        texts.append(file)
    assert diff(texts[0], texts[1]).same
    assert not diff(texts[0], texts[2]).same


def test_another_image_for_a_network_of_any_size(tmp_path: Path) -> None:
    """The figures differ, the network does not."""
    for name, size in (("a", 32), ("b", 64)):
        data = f"data: {{dataset: {{synthetic: {{image: [3, {size}, {size}], classes: 3}}}}}}\n"
        layers = "[{conv: {out_channels: 3, kernel_size: 3}}, relu, global_avg_pool]"
        text = f"specforge: 1\nname: x\nmodel: {{input: [3, H, W], layers: {layers}}}\n{data}"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = [line.text for line in lines(diff(tmp_path / "a.yaml", tmp_path / "b.yaml"))]
    assert found[:4] == [
        "same architecture, different data",
        "~ image: [3, 32, 32] -> [3, 64, 64]",
        "    2 layers differ as a consequence, in shape and MACs",
        "~ data.dataset.image: [3, 32, 32] -> [3, 64, 64]",
    ]
