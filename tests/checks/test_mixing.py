"""Mixes that would do nothing, by the recipe's batches and the data set's classes."""

from pathlib import Path

import pytest

from specforge.analysis import analyse

SPEC = """\
specforge: 1
name: example
model: {{input: [1, 8, 8], layers: [flatten, {{linear: {classes}}}]}}
data:
  dataset: {{synthetic: {{image: [1, 8, 8], classes: {classes}, train: 64, test: 16}}}}
  mix: {mix}
train: {{optimizer: {{sgd: 0.1}}, loss: cross_entropy, {recipe}}}
"""


def findings(
    folder: Path, *, mix: str = "mixup", classes: int = 4, recipe: str = "epochs: 3, batch_size: 16"
) -> list[str]:
    file = folder / "example.yaml"
    file.write_text(SPEC.format(mix=mix, classes=classes, recipe=recipe), encoding="utf-8")
    return [f"{found.span.line}:{found.span.column} {found.code} {found.message}" for found in analyse(file).findings]


@pytest.mark.parametrize("mix", ["mixup", "[mixup, {cutmix: 0.5}]"])
def test_several_images_and_classes_can_be_mixed(tmp_path: Path, mix: str) -> None:
    assert findings(tmp_path, mix=mix) == []


def test_one_class(tmp_path: Path) -> None:
    assert findings(tmp_path, classes=1) == ["6:3 SF540 `mixup` would mix labels, and `synthetic` has one class"]


def test_a_stage_with_batches_of_one_image(tmp_path: Path) -> None:
    recipe = "batch_size: 16, stages: [{epochs: 1}, {epochs: 2, batch_size: 1}]"
    (found,) = findings(tmp_path, mix="[mixup, cutmix]", recipe=recipe)
    assert found == "6:3 SF540 `mixup` and `cutmix` would mix the images of a batch, and a batch has one image"


def test_without_a_mix_a_batch_may_be_one_image(tmp_path: Path) -> None:
    assert findings(tmp_path, mix="null", recipe="epochs: 3, batch_size: 1") == []
