"""Alternating flips through whole epochs: shuffled, taken up anywhere, each image its own two ways."""

from pathlib import Path

import pytest
import torch

from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.data.batches import TrainBatches, train_batches
from specforge.data.prepare import prepare
from specforge.spec import Data, Split


def batches(*, seed: int = 0, batch_size: int = 7) -> TrainBatches:
    data = Data(
        dataset=Synthetic(image=(1, 4, 5), classes=2, train=60, test=2),
        split=Split(train=0.7, validation=0.3),
        augment=(HorizontalFlip(alternate=True),),
    )
    prepared = prepare(data, data_dir=Path(), device=torch.device("cpu"))
    return train_batches(data, prepared, batch_size=batch_size, seed=seed)


def by_row(found: TrainBatches, epoch: int, start_step: int = 0) -> dict[int, torch.Tensor]:
    """What an epoch shows of each row of the data set."""
    return {
        row: image
        for batch in found.epoch(epoch, start_step)
        for row, image in zip(batch.indices.tolist(), batch.images, strict=True)
    }


@pytest.mark.parametrize("epoch", [0, 3])
def test_two_epochs_show_each_image_both_ways(epoch: int) -> None:
    first, second, third = (by_row(batches(), epoch + later) for later in range(3))
    assert first.keys() == second.keys()
    assert len(first) == 42
    for row, image in first.items():
        assert torch.equal(second[row], image.flip(-1))
        assert torch.equal(third[row], image)


def test_an_epoch_taken_up_later_and_other_batches_show_the_same() -> None:
    whole = by_row(batches(), 1)
    for other in (by_row(batches(), 1, start_step=3), by_row(batches(batch_size=20), 1)):
        assert other
        assert all(torch.equal(image, whole[row]) for row, image in other.items())


def test_another_seed_begins_with_others() -> None:
    one, other = by_row(batches(), 0), by_row(batches(seed=1), 0)
    differ = [not torch.equal(image, other[row]) for row, image in one.items()]
    assert 0.2 < sum(differ) / len(differ) < 0.8
