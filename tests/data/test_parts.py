"""Parts whose images are streamed give what resident ones give, and leave nothing behind."""

import mmap
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from specforge.catalog.augmentations.angles import Rotation
from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.definition import Augmentation, Moment
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.mixes.mixup import Mixup
from specforge.data import parts
from specforge.data.augmenting import Augmenter
from specforge.data.batches import Batch, EvaluationBatches, TrainBatches, View
from specforge.data.parts import Part, Resident, Streamed, _file_of, _pieces

CPU = torch.device("cpu")
AUGMENT = (HorizontalFlip(), Crop(padding=2), Rotation(degrees=20))
SIZES = {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.4)}


def arrays(layout: str, folder: Path, image: tuple[int, int, int] = (3, 8, 6), count: int = 90) -> np.ndarray:
    """Images (N, C, H, W) as data sets give them: planar, channels last, or channels last in a mapped file."""
    channels, height, width = image
    images_nhwc = np.random.default_rng(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    if layout == "planar":
        return np.ascontiguousarray(images_nhwc.transpose(0, 3, 1, 2))
    if layout == "mapped":
        np.save(folder / "images.npy", images_nhwc)
        images_nhwc = np.lib.format.open_memmap(folder / "images.npy", mode="r")
    return images_nhwc.transpose(0, 3, 1, 2)


def both(images: np.ndarray) -> tuple[Resident, Streamed]:
    """All rows but every third, once resident and once streamed."""
    rows = np.array([row for row in range(len(images)) if row % 3], dtype=np.int64)
    labels, indices = torch.from_numpy(rows % 5), torch.from_numpy(rows)
    images_nhwc = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 2, 3, 1)[rows]))
    return Resident(images_nhwc.permute(0, 3, 1, 2), labels, indices), Streamed(images, rows, labels, indices)


def train_batches(part: Part, **keys: Any) -> TrainBatches:
    arguments: dict[str, Any] = {"batch_size": 8, "augment": AUGMENT, "mix": (Mixup(alpha=0.4),), "seed": 3, **SIZES}
    return TrainBatches(part, **(arguments | keys))


def assert_same(one: Batch, other: Batch) -> None:
    assert one.images.stride() == other.images.stride()
    for name in ("images", "labels", "indices"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert (one.mixed is None) == (other.mixed is None)
    if one.mixed is not None and other.mixed is not None:
        assert torch.equal(one.mixed.labels, other.mixed.labels)
        assert torch.equal(one.mixed.share, other.mixed.share)


def readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("specforge-read")]


@pytest.fixture(autouse=True)
def nobody_reads_afterwards() -> Iterator[None]:
    yield
    assert readers() == []


@pytest.mark.parametrize("image", [(3, 8, 6), (1, 5, 7), (1, 1, 1)])
@pytest.mark.parametrize("layout", ["planar", "channels last", "mapped"])
def test_reads_the_same_bytes(layout: str, image: tuple[int, int, int], tmp_path: Path) -> None:
    resident, streamed = both(arrays(layout, tmp_path, image))
    assert resident.image == streamed.image == image
    assert len(resident) == len(streamed) == 60
    steps = [slice(start, min(start + 7, 60)) for start in range(0, 60, 7)]
    for order in (None, torch.randperm(60, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 3, 0] * 20)):
        with closing(resident.read(order, steps)) as one, closing(streamed.read(order, steps)) as other:
            for wanted, found in zip(one, other, strict=True):
                assert torch.equal(wanted, found)
                assert wanted.stride() == found.stride()
    assert all(torch.equal(resident.pixels(place), streamed.pixels(place)) for place in (0, 31, 59))


@pytest.mark.parametrize("layout", ["planar", "channels last", "mapped"])
@pytest.mark.parametrize("start_step", [0, 3])
def test_training_batches_are_bit_identical_from_any_step(layout: str, start_step: int, tmp_path: Path) -> None:
    resident, streamed = (train_batches(part) for part in both(arrays(layout, tmp_path)))
    assert torch.equal(resident.indices(1), streamed.indices(1))
    for epoch in range(2):
        pairs = zip(resident.epoch(epoch, start_step), streamed.epoch(epoch, start_step), strict=True)
        assert sum(1 for pair in pairs if assert_same(*pair) is None) == 8 - start_step


@pytest.mark.parametrize("sampling", ["uniform", "balanced"])
def test_an_epoch_longer_than_what_is_read_and_drawn_ahead(sampling: Any, tmp_path: Path) -> None:
    resident, streamed = (
        list(train_batches(part, batch_size=2, sampling=sampling).epoch(0))
        for part in both(arrays("mapped", tmp_path, count=300))
    )
    assert len(resident) == 100
    for one, other in zip(resident, streamed, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("augmented", [False, True])
def test_evaluation_batches_are_bit_identical(augmented: bool, tmp_path: Path) -> None:
    view = View(Augmenter(AUGMENT, seed=0, device=CPU, stream="test"), 1) if augmented else None
    one, other = (
        EvaluationBatches(part, batch_size=7, view=view, **SIZES) for part in both(arrays("mapped", tmp_path))
    )
    assert len(one) == len(other) == 9
    for pair in zip(one, other, strict=True):
        assert_same(*pair)


class _ByRow(Augmentation):
    """Gives each image its row as its value, or the number that it keeps."""

    keeps: bool = False

    def draw_at(self, moment: Moment, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        kept = (moment.rows + moment.epoch + moment.key) % 251
        return {"value": (kept if self.keeps else moment.rows).to(torch.uint8)}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.zeros_like(images) + draws["value"].view(-1, 1, 1, 1)


def test_draws_may_follow_from_the_image(tmp_path: Path) -> None:
    plain = {"mix": (), "mean": (0.0,) * 3, "std": (1 / 255,) * 3}
    for part in both(arrays("mapped", tmp_path)):
        for batch in train_batches(part, augment=(_ByRow(),), **plain).epoch(2, 3):
            assert torch.equal(batch.images[:, 0, 0, 0].round().long(), batch.indices)
        view = View(Augmenter((_ByRow(),), seed=0, device=CPU, stream="test"), 1)
        for batch in EvaluationBatches(part, batch_size=7, view=view, mean=(0.0,) * 3, std=(1 / 255,) * 3):
            assert torch.equal(batch.images[:, 0, 0, 0].round().long(), batch.indices)


def test_what_an_image_keeps_does_not_depend_on_its_step(tmp_path: Path) -> None:
    part, seen = both(arrays("planar", tmp_path))[0], []
    for epoch in range(3):
        kept = train_batches(part, augment=(_ByRow(keeps=True),), mix=(), mean=(0.0,) * 3, std=(1 / 255,) * 3)
        values = {
            int(row): round(float(value)) - epoch
            for batch in kept.epoch(epoch)
            for row, value in zip(batch.indices, batch.images[:, 0, 0, 0], strict=True)
        }
        seen.append(values)
    common = set.intersection(*(set(values) for values in seen))
    assert len(common) > 40
    assert all((values[row] - seen[0][row]) % 251 == 0 for values in seen for row in common)


def test_leaving_early_ends_the_threads(tmp_path: Path) -> None:
    _, streamed = both(arrays("mapped", tmp_path))
    batches = train_batches(streamed)
    for number, _ in enumerate(batches.epoch(0)):
        assert readers(), "threads read ahead"
        if number == 2:
            break
    assert readers() == []
    next(iter(EvaluationBatches(streamed, batch_size=4, **SIZES)))
    assert readers() == []
    with pytest.raises(KeyboardInterrupt) as caught:
        _interrupted(batches)
    assert readers() == [], "also while the error with its frames is still held"
    assert caught.tb is not None


def _interrupted(batches: TrainBatches) -> None:
    for _ in batches.epoch(0):
        raise KeyboardInterrupt


def test_a_part_that_is_never_read_starts_no_thread(tmp_path: Path) -> None:
    _, streamed = both(arrays("mapped", tmp_path))
    train_batches(streamed).epoch(0)
    streamed.read(None, [slice(0, 3)]).close()
    assert readers() == []


def test_an_error_while_reading_is_raised_where_the_batch_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, streamed = both(arrays("mapped", tmp_path))
    original, calls = parts._gather, []

    def gather(images: np.ndarray, rows: np.ndarray, *, into: np.ndarray) -> None:
        calls.append(len(rows))
        if len(rows) == 4:
            raise OSError(5, "Input/output error")
        original(images, rows, into=into)

    monkeypatch.setattr(parts, "_gather", gather)
    batches = train_batches(streamed).epoch(0)
    for _ in range(7):
        assert len(next(batches).labels) == 8, "those before it come"
    with pytest.raises(OSError, match="Input/output error"):
        next(batches)
    assert sorted(calls) == [4, *[8] * 7]


def test_little_is_read_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, streamed = both(arrays("mapped", tmp_path))
    original, calls = parts._gather, []

    def gather(images: np.ndarray, rows: np.ndarray, *, into: np.ndarray) -> None:
        calls.append(rows)
        original(images, rows, into=into)

    monkeypatch.setattr(parts, "_gather", gather)
    with closing(streamed.read(None, [slice(at, at + 2) for at in range(0, 60, 2)])) as reading:
        for number, _ in enumerate(reading, 1):
            assert len(calls) <= number + 4
    assert len(calls) == 30


def test_the_pieces_of_a_mapped_file_that_are_announced_hold_the_images(tmp_path: Path) -> None:
    """Others would be read for nothing; nobody would notice but by the clock."""
    images, rows = arrays("mapped", tmp_path, (3, 64, 64), count=7), np.array([0, 6, 3])
    mapped = _file_of(images)
    assert mapped is not None
    content = (tmp_path / "images.npy").read_bytes()
    for (start, size), row in zip(_pieces(images, rows, mapped), rows, strict=True):
        pixels = images[row].transpose(1, 2, 0).tobytes()
        assert content[start : start + size].endswith(pixels)
        assert start % mmap.PAGESIZE == 0
        assert size < len(pixels) + mmap.PAGESIZE
    assert _file_of(arrays("planar", tmp_path)) is None


_BOUNDED = """
import resource
import sys
from pathlib import Path
import numpy as np
import torch
from specforge.catalog.datasets.definition import Arrays, DataError
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.data.batches import EvaluationBatches, train_batches
from specforge.data.prepare import prepare
from specforge.spec import Data, Split

COUNT, CPU = 24_000, torch.device("cpu")

class Large(Synthetic):
    def load(self, data_dir, *, download=False):
        images = np.lib.format.open_memmap(data_dir / "large.npy", mode="r").transpose(0, 3, 1, 2)
        return Arrays(images, np.arange(COUNT) % 10, COUNT, tuple("abcdefghij"))

def run(dataset, folder, memory):
    data = Data(dataset=dataset, memory=memory, split=Split(train=0.25, validation=0.25, test=0.5))
    prepared = prepare(data, data_dir=folder, device=CPU)
    batches = train_batches(data, prepared, batch_size=64, seed=0)
    for batch in batches.epoch(0):
        pass
    seen = 0
    for batch in EvaluationBatches(prepared.test, batch_size=64, mean=prepared.mean, std=prepared.std):
        seen += len(batch.labels)
    return seen, batches

folder = Path(sys.argv[1])
torch.set_num_threads(1)
_, batches = run(Synthetic(image=(3, 8, 8), train=2000, test=0), folder, "streamed")  # all that is loaded once
left = batches.epoch(1)
next(left)  # an epoch that nobody finishes or closes must not keep the process from ending
lines = Path("/proc/self/status").read_text().splitlines()
used = next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + 2**27, used + 2**27))
print(run(Large(train=COUNT, test=0), folder, "streamed")[0])
try:
    run(Large(train=COUNT, test=0), folder, "resident")
except DataError as error:
    print(error.hint)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit counts what a process may write to on Linux only")
def test_a_data_set_larger_than_memory(tmp_path: Path) -> None:
    """295 MB of images where 128 MiB may be had; what is mapped read-only is not counted. The file holds holes."""
    with (tmp_path / "large.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (24_000, 64, 64, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 24_000 * 64 * 64 * 3)
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, str(tmp_path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["12000", "with `memory: streamed` in `data` they are read while training"]
