"""Single lines: that they say what is so, at the right place, and no more."""

from pathlib import Path

import pytest

from specforge.diff import diff, lines

HEAD = "specforge: 1\nname: x\n"
CONV = "{conv: {out_channels: 3, kernel_size: 1}}"
MODEL = "model: {input: [3, 8, 8], layers: [{id: a, conv: {out_channels: 3, kernel_size: 1}}, %s, global_avg_pool]}\n"
RECIPE = """\
data: {dataset: {synthetic: {image: [3, 8, 8], classes: 3}}}
train:
  batch_size: 8
  optimizer: {adam: {lr: 1e-3}}
  loss: cross_entropy
  stages:
    - {epochs: 3}
    - {epochs: 2, batch_size: 4}
"""


def told(folder: Path, before: str, after: str) -> list[str]:
    """Each line with the line of the text that it names."""
    for name, text in (("a", before), ("b", after)):
        (folder / f"{name}.yaml").write_text(HEAD + text, encoding="utf-8")
    found = lines(diff(folder / "a.yaml", folder / "b.yaml"))
    return [f"{line.text}  {Path(line.at).name}".rstrip() for line in found]


def layers(text: str) -> str:
    return MODEL % text


def test_stages_do_not_repeat_what_the_recipe_says(tmp_path: Path) -> None:
    found = told(tmp_path, layers("relu") + RECIPE, layers("relu") + RECIPE.replace("1e-3", "1e-2"))
    assert [line for line in found if line.startswith("~")] == ["~ train.optimizer.lr: 1e-3 -> 0.01  b.yaml:7"]


def test_a_stage_of_its_own_is_told(tmp_path: Path) -> None:
    changed = RECIPE.replace("{epochs: 3}", "{epochs: 3, optimizer: {adam: {lr: 1e-2}}}")
    found = told(tmp_path, layers("relu") + RECIPE, layers("relu") + changed)
    assert "~ train.stages[0].optimizer.lr: 1e-3 -> 0.01  b.yaml:10" in found


def test_entries_of_lists_are_located_on_the_side_that_has_them(tmp_path: Path) -> None:
    shorter = RECIPE.replace("    - {epochs: 2, batch_size: 4}\n", "")
    came = told(tmp_path, layers("relu") + shorter, layers("relu") + RECIPE)
    went = told(tmp_path, layers("relu") + RECIPE, layers("relu") + shorter)
    assert "~ train.stages[1]: none -> {epochs: 2, batch_size: 4}  b.yaml:11" in came
    assert "~ train.stages[1]: {epochs: 2, batch_size: 4} -> none  a.yaml:11" in went


def test_a_unit_stands_with_a_number(tmp_path: Path) -> None:
    single = RECIPE[: RECIPE.index("  stages")] + "  epochs: 3\n"
    assert "~ train.epochs: 3 epochs -> none  a.yaml:9" in told(
        tmp_path, layers("relu") + single, layers("relu") + RECIPE
    )


def test_frozen_layers_change_how_many_are_trained(tmp_path: Path) -> None:
    found = told(tmp_path, layers(CONV), layers(CONV.replace("{conv", "{trainable: false, conv")))
    assert "trained parameters: 24 -> 12 (-12)" in found


def test_iterations_that_differ_are_counted_together(tmp_path: Path) -> None:
    repeat = f"{{repeat: {{times: %s, layers: [{CONV}, {{when: $(index == 1), dropout: 0.1}}]}}}}"
    found = told(tmp_path, layers(repeat % 1), layers(repeat % 3))
    assert any("1 and 2 are new  3 layers (conv, dropout, conv)  24 parameters" in line for line in found), found


def test_places_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    repeat = "{repeat: {for: {k: %s}, layers: [{conv: {out_channels: 3, kernel_size: $k, padding: same}}, relu]}}"
    found = told(tmp_path, layers(repeat % "[1, 3, 5]"), layers(repeat % "[5, 3, 1, 7]"))
    moved = [line for line in found if "moved" in line]
    assert moved
    assert not any(line.split("moved: ")[1].split(" -> ")[0] == line.split(" -> ")[-1].split("  ")[0] for line in moved)


def test_iterations_that_stay_as_many_belong_together_one_by_one(tmp_path: Path) -> None:
    """Of widths that double, the second is the first of the other network; nobody means that."""
    repeat = "{repeat: {for: {width: %s}, layers: [{conv: {out_channels: $width, kernel_size: 1}}, batch_norm, relu]}}"
    found = told(tmp_path, layers(repeat % "[4, 8, 16]"), layers(repeat % "[8, 16, 32]"))
    assert any(line.startswith("~ conv ×3  out_channels: 4 -> 8, 8 -> 16, 16 -> 32") for line in found)
    assert not any(word in line for line in found for word in ("moved", "renamed", "another name"))


@pytest.mark.parametrize(("came", "is_moved"), [(6, True), (7, False)])
def test_of_many_alike_none_is_said_to_have_moved(came: int, is_moved: bool, tmp_path: Path) -> None:
    """Six went from one path: where not as many came into the other, which of them it were would be a guess."""
    branches = "{branches: {paths: [[%s], [%s]], merge: add}}"
    relus = ", ".join(["relu"] * 6), ", ".join(["relu"] * came)
    found = told(tmp_path, layers(branches % (relus[0], "tanh")), layers(branches % ("tanh", relus[1])))
    assert any("6 layers  moved: first in branches_1.0 -> first in branches_1.1" in line for line in found) == is_moved
    assert any(line.startswith("+ branches_1.1  7 layers") for line in found) != is_moved


def test_layers_that_nobody_wrote_stand_where_their_argument_does(tmp_path: Path) -> None:
    residual = f"{{residual: {{layers: [{CONV}]%s}}}}"
    found = told(tmp_path, layers(residual % ""), layers(residual % ", drop_path: 0.1"))
    assert "+ residual_1.drop_path  stochastic_depth {p: 0.1}  [3, 8, 8]  b.yaml:3" in found
    assert not any(line.endswith(":1") for line in found)
