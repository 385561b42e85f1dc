"""A recipe that reads the same, about other layers."""

from pathlib import Path

import pytest

from specforge.diff import diff, lines

SPEC = """\
specforge: 1
name: x
model: {input: [3, 8, 8], layers: [%s, global_avg_pool]}
data: {dataset: {synthetic: {image: [3, 8, 8], classes: 3}}}
train:
  batch_size: 8
  optimizer: {adam: {lr: 1e-3}}
  loss: cross_entropy
"""
GROUPS = "  epochs: 2\n  groups: [{select: {path: %s}, optimizer: {adam: {lr: 1e-4}}}]\n"
STAGES = "  stages:\n    - {epochs: 1}\n    - {epochs: 1, freeze: %s}\n"
CONV = "{conv: {out_channels: 3, kernel_size: 1}}"
NAMED = "{id: %s, conv: {out_channels: 3, kernel_size: 1}}"
A_B, B_A = (f"{NAMED % names[0]}, relu, {NAMED % names[1]}" for names in ("ab", "ba"))


def told(folder: Path, before: tuple[str, str], after: tuple[str, str]) -> list[str]:
    for name, (layers, recipe) in (("a", before), ("b", after)):
        (folder / f"{name}.yaml").write_text(SPEC % layers + recipe, encoding="utf-8")
    found = lines(diff(folder / "a.yaml", folder / "b.yaml"))
    return [f"{line.text}  {Path(line.at).name}".rstrip() for line in found]


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (GROUPS % "a", "~ train.groups[0].select: ['b.{weight,bias}'] -> ['a.{weight,bias}']  b.yaml:10"),
        (STAGES % "a", "~ train.stages[1].freeze: ['b.{weight,bias}'] -> ['a.{weight,bias}']  b.yaml:11"),
    ],
)
def test_ids_that_changed_places(recipe: str, expected: str, tmp_path: Path) -> None:
    found = told(tmp_path, (A_B, recipe), (B_A, recipe))
    assert found[0].startswith("same architecture and data, different recipe")
    assert expected.replace("'", '"') in found


def test_a_number_that_another_layer_has_now(tmp_path: Path) -> None:
    recipe = GROUPS % "conv_1"
    found = told(tmp_path, (f"relu, {CONV}", recipe), (f"{CONV}, relu, {CONV}", recipe))
    assert found[0] == "different architecture and recipe, same data"
    assert '~ train.groups[0].select: ["conv_2.{weight,bias}"] -> []  b.yaml:10' in found


@pytest.mark.parametrize("recipe", [GROUPS % "a", STAGES % "a", GROUPS.replace("path", "kind") % "conv"])
def test_the_same_layers(recipe: str, tmp_path: Path) -> None:
    assert told(tmp_path, (A_B, recipe), (A_B, recipe))[0] == "same function, data and recipe"
    longer = told(tmp_path, (A_B, recipe), (f"{A_B}, batch_norm", recipe))
    assert longer[0] == "different architecture, same data and recipe"
