"""A batch of a single image, where a batch norm has one value a channel."""

from pathlib import Path

import pytest

from specforge.analysis import analyse

SPEC = """
specforge: 1
name: batches
model: {input: [3, 8, 8], layers: [LAYERS]}
data: {dataset: {synthetic: {classes: 10, image: [3, 8, 8], train: 101, test: 20}}, split: SPLIT}
train: {epochs: 1, batch_size: SIZE, optimizer: adam, loss: cross_entropy}
"""
FEATURES = "flatten, {linear: 4}, batch_norm, {linear: 10}"


def told(folder: Path, size: int, *, layers: str = FEATURES, split: str = "{train: 1.0}") -> list[str]:
    file = folder / "batches.yaml"
    file.write_text(SPEC.replace("LAYERS", layers).replace("SIZE", str(size)).replace("SPLIT", split))
    return [found.message for found in analyse(file).findings if found.code == "SF519"]


@pytest.mark.parametrize(("size", "is_told"), [(1, True), (2, False), (10, False), (100, False), (101, False)])
def test_batches_of_one_are_told(size: int, is_told: bool, tmp_path: Path) -> None:
    """An image that is left over is no batch: it is left out."""
    assert bool(told(tmp_path, size)) == is_told


def test_the_training_part_counts(tmp_path: Path) -> None:
    assert told(tmp_path, 10, split="{train: [[0, 0.01]], validation: [[0.01, 1.0]]}") == [
        "the training part is one image: `batch_norm` on [4] needs several (at `batch_norm_1`)"
    ]


@pytest.mark.parametrize(
    "layers",
    [
        "{conv: {out_channels: 4, kernel_size: 3}}, batch_norm, flatten, {linear: 10}",
        "flatten, {linear: 4}, layer_norm, {linear: 10}",
        "flatten, {linear: 4}, {trainable: false, batch_norm: }, {linear: 10}",
    ],
)
def test_other_layers_take_one_image(layers: str, tmp_path: Path) -> None:
    assert told(tmp_path, 1, layers=layers) == []
