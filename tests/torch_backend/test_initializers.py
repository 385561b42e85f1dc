"""Initialisers that torch lacks, against their definitions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import specforge
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.data.first_images import first_images
from specforge.data.prepare import prepare
from specforge.spec import Data
from specforge.torch_backend import build, fill_from_images
from specforge.torch_backend.initializers import dirac_beginning_, whitening_
from tests.networks import analysed, graph_of


def images(count: int = 40, channels: int = 3, height: int = 7, width: int = 6) -> Tensor:
    """Neighbouring pixels and channels resemble each other, as in photographs."""
    drawn = torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(1))
    return (drawn + 2 * drawn.cumsum(3).cumsum(1)) / 5


def halves(whole: Tensor) -> Iterator[Tensor]:
    yield from whole.split(len(whole) // 2 + 1)


def by_hand(whole: Tensor, kernel: tuple[int, int], eps: float) -> np.ndarray:
    """(P, P): what whitening does to a patch, independent of the order and the signs of eigenvectors."""
    values = whole.double().numpy()
    _, _, height, width = values.shape
    high, wide = kernel
    patches = [
        values[n, :, top : top + high, left : left + wide].ravel()
        for n in range(len(values)) for top in range(height - high + 1) for left in range(width - wide + 1)
    ]  # fmt: skip
    products = np.mean([np.outer(patch, patch) for patch in patches], axis=0)
    found, vectors = np.linalg.eigh(products)
    inverse: np.ndarray = vectors @ np.diag(1 / (found + eps)) @ vectors.T
    return inverse


@pytest.mark.parametrize("kernel", [(2, 2), (3, 1)])
@pytest.mark.parametrize("eps", [5e-4, 0.3])
def test_whitening_has_the_eigenvectors_of_patches(kernel: tuple[int, int], eps: float) -> None:
    patch = 3 * kernel[0] * kernel[1]
    weight = torch.empty(2 * patch, 3, *kernel)
    whitening_(weight, halves(images()), eps=eps)
    rows = weight.flatten(1).double().numpy()
    assert np.allclose(rows[:patch], -rows[patch:])
    product = rows[:patch] @ rows[:patch].T
    assert np.allclose(product, np.diag(np.diag(product)), atol=1e-4 * product.max()), "filters are perpendicular"
    assert np.allclose(rows[:patch].T @ rows[:patch], by_hand(images(), kernel, eps), rtol=1e-3, atol=1e-3)


def test_outputs_are_uncorrelated_and_of_one_size() -> None:
    convolution = nn.Conv2d(3, 12, 2, bias=False)
    with torch.no_grad():
        whitening_(convolution.weight, [images()], eps=1e-9)
        outputs = convolution(images()).transpose(0, 1).flatten(1)
    assert torch.allclose(outputs @ outputs.T / outputs.shape[1], torch.eye(12), atol=1e-3)


def test_whitening_is_the_same_again_and_in_any_memory_layout() -> None:
    first = whitening_(torch.empty(24, 3, 2, 2), [images()], eps=5e-4)
    again = torch.empty(24, 3, 2, 2).to(memory_format=torch.channels_last)
    whitening_(again, [images().to(memory_format=torch.channels_last)], eps=5e-4)
    assert torch.allclose(first, again, rtol=1e-4, atol=1e-4)
    half = whitening_(torch.empty(12, 3, 2, 2), [images()], eps=5e-4)
    assert torch.equal(first[:12], half)


def test_images_without_a_difference_give_finite_filters() -> None:
    assert whitening_(torch.empty(24, 3, 2, 2), [torch.ones(4, 3, 5, 5)], eps=5e-4).isfinite().all()


@pytest.mark.parametrize(("filters", "channels"), [(6, 4), (4, 4), (2, 4)])
def test_dirac_beginning_leaves_the_other_filters(filters: int, channels: int) -> None:
    before = torch.randn(filters, channels, 3, 3, generator=torch.Generator().manual_seed(0))
    found, passing = dirac_beginning_(before.clone()), min(filters, channels)
    convolved = nn.functional.conv2d(images(2, channels), found, padding=1)
    assert torch.equal(convolved[:, :passing], images(2, channels)[:, :passing])
    assert torch.equal(found[passing:], before[passing:])


SPEC = """
specforge: 1
name: whitened
model:
  input: [3, 8, 8]
  layers:
    - {id: whiten, conv: {out_channels: 24, kernel_size: 2}, trainable: false, init: {weight: WHITENING, bias: ones}}
    - {conv: {out_channels: 30, kernel_size: 3}, init: {weight: {dirac: {beyond: default}}}}
    - global_avg_pool
    - linear: 4
data:
  dataset: {synthetic: {image: [3, 8, 8], classes: 4, train: 50, test: 8}}
  normalize: {mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4]}
  augment: [horizontal_flip, vertical_flip]
train: {epochs: 1, batch_size: 16, optimizer: {sgd: 0.1}, loss: cross_entropy}
"""


def written(folder: Path, whitening: str = "{whitening: {images: 30}}") -> Path:
    file = folder / "whitened.yaml"
    file.write_text(SPEC.replace("WHITENING", whitening), encoding="utf-8")
    return file


def test_training_begins_with_filters_of_the_first_images_as_they_are(tmp_path: Path) -> None:
    run = specforge.train(written(tmp_path), out=tmp_path / "run", device="cpu")
    dataset = Synthetic(image=(3, 8, 8), classes=4, train=50, test=8)
    pixels = torch.from_numpy(dataset.load(tmp_path).images[:30]).double() / 255
    mean, std = (torch.tensor(values)[:, None, None] for values in ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]))
    expected = whitening_(torch.empty(24, 3, 2, 2), [((pixels - mean) / std).float()], eps=5e-4)
    weights = load_file(run.path / run.result.weights)
    assert torch.allclose(weights["whiten.weight"], expected, rtol=1e-3, atol=1e-3)
    assert torch.equal(weights["whiten.bias"], torch.ones(24)), "other initialisers of the layer are there too"


def test_a_resumed_run_keeps_its_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = specforge.train(written(tmp_path), out=tmp_path / "run", device="cpu")
    monkeypatch.setattr("specforge.torch_backend.fill_from_images", lambda *_: pytest.fail("filled again"))
    again = specforge.train(written(tmp_path), out=tmp_path / "run", device="cpu", resume=True)
    assert again.result == first.result


def test_without_images_it_is_torchs_default(tmp_path: Path) -> None:
    plain = specforge.compile(written(tmp_path, "{normal: {std: 1}}"), seed=3).state_dict()
    whitened = specforge.compile(written(tmp_path), seed=3).state_dict()
    torch.manual_seed(3)
    assert torch.equal(whitened["whiten.weight"], nn.Conv2d(3, 24, 2).weight)
    assert not torch.equal(whitened["whiten.weight"], plain["whiten.weight"])


MISTAKES = {
    "a layer further in": (
        "[relu, {conv: {out_channels: 24, kernel_size: 2}, init: {weight: whitening}}]",
        "`whitening` is computed from the images, which `conv_1` does not take",
    ),
    "too few filters": (
        "[{conv: {out_channels: 20, kernel_size: 2}, init: {weight: whitening}}]",
        "`whitening` of patches with 12 values gives 12 or 24 filters, found 20",
    ),
    "groups": (
        "[{conv: {out_channels: 12, kernel_size: 2, groups: 3}, init: {weight: whitening}}]",
        "`whitening` is for a convolution over whole patches of neighbouring pixels",
    ),
    "dilation": (
        "[{conv: {out_channels: 12, kernel_size: 2, dilation: [1, 2]}, init: {weight: whitening}}]",
        "`whitening` is for a convolution over whole patches of neighbouring pixels",
    ),
    "another layer": (
        "[{conv_transpose: {out_channels: 12, kernel_size: 2}, init: {weight: whitening}}]",
        "`whitening` is for a convolution over whole patches of neighbouring pixels",
    ),
    "a bias": (
        "[{conv: {out_channels: 12, kernel_size: 2}, init: {bias: whitening}}]",
        "`whitening` is for convolutions: `bias` of `conv` has 1 axes",
    ),
}


@pytest.mark.parametrize(("layers", "message"), MISTAKES.values(), ids=MISTAKES)
def test_layers_that_it_is_not_for(tmp_path: Path, layers: str, message: str) -> None:
    found = list(analysed(tmp_path, layers, input=(3, 8, 8)).findings)
    assert [finding.message for finding in found] == [message]


def test_it_is_for_every_layer_that_takes_the_images(tmp_path: Path) -> None:
    layers = """
    - {conv: {out_channels: 12, kernel_size: 2, dilation: [1, 1]}, init: {weight: whitening}}
    - {from: input, conv: {out_channels: 6, kernel_size: [2, 1]}, init: {weight: {whitening: 0.01}}}
    """
    module = build(graph := graph_of(tmp_path, layers, input=(3, 8, 8)), seed=0)
    asked: list[int] = []
    fill_from_images(module, graph, lambda count: [asked.append(count) or images()])
    expected = whitening_(torch.empty(6, 3, 2, 1), [images()], eps=0.01)
    assert torch.equal(module.get_parameter("conv_2.weight"), expected)
    assert asked == [5000, 5000]


@pytest.mark.parametrize(("count", "sizes"), [(7, [7]), (501, [500, 1]), (1000, [500, 500]), (9999, [500, 500, 50])])
def test_the_first_images_come_in_batches(tmp_path: Path, count: int, sizes: list[int]) -> None:
    data = Data(dataset=Synthetic(image=(1, 2, 2), classes=2, train=1050, test=2))
    prepared = prepare(data, data_dir=tmp_path, device=torch.device("cpu"))
    assert [len(batch) for batch in first_images(prepared, count)] == sizes
