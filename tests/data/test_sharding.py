"""Shares of batches: together they are the batch that one process gets, to the last bit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.erasing import Cutout
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.mixup import Mixup
from specforge.data import residence
from specforge.data.augmenting import Augmenter
from specforge.data.batches import Batch, EvaluationBatches, View, train_batches
from specforge.data.prepare import Prepared, prepare
from specforge.data.sharding import WHOLE, Shard
from specforge.spec import Data, Split

CPU = torch.device("cpu")
CHANGED = (HorizontalFlip(), Crop(padding=2), Cutout(size=3))


def _data(**more: Any) -> Data:
    return Data(
        dataset=Synthetic(image=(3, 8, 8), classes=4, train=47, test=11),
        split=Split(train=1.0),
        augment=CHANGED,
        **more,
    )


def _prepared(data: Data) -> Prepared:
    return prepare(data, data_dir=Path(), device=CPU)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("images", [1, 2, 9, 10, 64])
def test_shares_are_neighbours_of_nearly_one_size(count: int, images: int) -> None:
    shares = [Shard(number, count).testing(slice(7, 7 + images)) for number in range(count)]
    assert [row for share in shares for row in range(share.start, share.stop)] == list(range(7, 7 + images))
    sizes = [share.stop - share.start for share in shares]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("images", range(1, 13))
def test_no_process_trains_a_single_image_of_several(count: int, images: int) -> None:
    at = slice(20, 20 + images)
    shares = [Shard(number, count).training(at) for number in range(count)]
    copies = Shard(0, count).copies(images)
    assert all(share.stop - share.start >= min(2, images) for share in shares)
    assert shares == [at] * count if copies == count else len({share.start for share in shares}) == count
    assert sum(share.stop - share.start for share in shares) == images * copies


def _joined(shares: Sequence[Batch]) -> Batch:
    first = shares[0]
    assert first.whole is not None
    if first.whole.copies > 1:
        return first
    return Batch(*(torch.cat([getattr(share, name) for share in shares]) for name in ("images", "labels", "indices")))


@pytest.mark.parametrize("memory", ["resident", "streamed"])
@pytest.mark.parametrize("mix", [(), (Mixup(probability=0.7), Cutmix())], ids=["", "mixed"])
@pytest.mark.parametrize("start", [0, 2])
def test_shares_of_training_batches_are_what_one_process_gets(memory: str, mix: tuple[Any, ...], start: int) -> None:
    data = _data(mix=mix, memory=memory)
    prepared = _prepared(data)
    options = {"batch_size": 14, "seed": 3}
    whole = list(train_batches(data, prepared, **options).epoch(4, start_step=start))
    shards = [train_batches(data, prepared, **options, shard=Shard(number, 3)) for number in range(3)]
    shares = list(zip(*(one.epoch(4, start_step=start) for one in shards), strict=True))
    assert len(shares) == len(whole) == 4 - start
    assert {share[0].whole.copies for share in shares} == {1, 3}, "the last batch has five images"
    for batch, of_all in zip(whole, shares, strict=True):
        joined = _joined(of_all)
        assert torch.equal(joined.images, batch.images)
        assert torch.equal(joined.labels, batch.labels)
        assert torch.equal(joined.indices, batch.indices)
        assert sum(share.share for share in of_all) == pytest.approx(1)
        assert sum(len(share.labels) for share in of_all if share.counts) == len(batch.labels)
        for share in of_all:
            assert torch.equal(share.whole.labels, batch.labels)
            if batch.mixed is None:
                assert share.mixed is share.whole.mixed is None
                continue
            assert torch.equal(share.whole.mixed.labels, batch.mixed.labels)
            assert share.mixed.share == batch.mixed.share
        if batch.mixed is not None and of_all[0].whole.copies == 1:
            assert torch.equal(torch.cat([share.mixed.labels for share in of_all]), batch.mixed.labels)


@pytest.mark.parametrize("memory", ["resident", "streamed"])
@pytest.mark.parametrize("is_view", [False, True])
def test_shares_of_measured_batches_are_what_one_process_gets(memory: str, is_view: bool) -> None:
    prepared = _prepared(_data(memory=memory))
    view = View(Augmenter(CHANGED, seed=3, device=CPU, stream="test"), 2) if is_view else None

    def batches(shard: Shard) -> EvaluationBatches:
        return EvaluationBatches(
            prepared.test, batch_size=4, mean=prepared.mean, std=prepared.std, view=view, shard=shard
        )

    whole = torch.cat([batch.images for batch in batches(WHOLE)])
    found = torch.empty_like(whole)
    for number in range(4):
        shard = batches(Shard(number, 4))
        taken = list(shard)
        assert len(taken) == len(shard) == 3, "all count the same steps"
        found[shard.places] = torch.cat([batch.images for batch in taken])
    assert torch.equal(found, whole)


@pytest.mark.parametrize(("processes", "is_streamed"), [(1, False), (2, False), (3, True)])
def test_processes_of_one_machine_share_its_memory(
    monkeypatch: pytest.MonkeyPatch, processes: int, is_streamed: bool
) -> None:
    data = _data()
    images = data.dataset.load(Path()).images.nbytes
    monkeypatch.setattr(residence, "free_memory", lambda _: 4 * images)
    found = prepare(data, data_dir=Path(), device=CPU, processes=processes).residence
    assert found is not None
    assert found.is_streamed is is_streamed
