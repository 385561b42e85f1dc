"""Small finished runs to be asked about images, exported and bundled, and their test images as files."""

from pathlib import Path
from unittest import mock

from PIL import Image

from specforge import experiment
from specforge.analysis import load
from specforge.data.prepare import prepare
from specforge.prediction import Trained, open_trained

NOWHERE = Path("no-data-here")
_DIGITS = """\
specforge: 1
name: digits
model:
  input: [1, 8, 8]
  layers:
    - conv: {out_channels: 8, kernel_size: 3, padding: same}
    - batch_norm
    - relu
    - branches: {paths: [[], [{conv: {out_channels: 8, kernel_size: 1}}, relu]], merge: concat}
    - max_pool: 2
    - dropout: 0.2
    - flatten
    - linear: 10
data: {dataset: digits, split: {train: 0.9, validation: 0.1}}
train: {epochs: 2, batch_size: 64, optimizer: {adam: {lr: 3e-3}}, loss: cross_entropy, checkpoint: best_validation_loss}
"""
_SYNTHETIC = """\
specforge: 1
name: pictures
model: {input: [3, 6, 6], layers: [{conv: {out_channels: 4, kernel_size: 3}}, batch_norm, relu, flatten, {linear: 5}]}
data:
  dataset: {synthetic: {image: [3, 6, 6], classes: 5, train: 96, test: 40}}
  normalize: {mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3]}
"""
_RECIPE = "batch_size: 16, optimizer: {sgd: {lr: 0.02, momentum: 0.9}}, loss: cross_entropy"
_VIEWS = "{augment: [horizontal_flip], views: 2}"
SPECS = {
    "digits": _DIGITS,
    "plain": f"{_SYNTHETIC}train: {{epochs: 2, {_RECIPE}}}\n",
    "averaged": f"{_SYNTHETIC}train: {{epochs: 2, {_RECIPE}, ema: {{decay: 0.9}}}}\n",
    "ensemble": f"{_SYNTHETIC}train: {{epochs: 4, {_RECIPE}, snapshots: {{cycles: 2}}}}\n",
    "views": f"{_SYNTHETIC}train: {{epochs: 1, {_RECIPE}, evaluate: {{test_time_augmentation: {_VIEWS}}}}}\n",
    "bfloat16": f"{_SYNTHETIC}train: {{epochs: 1, {_RECIPE}, precision: bfloat16}}\n",
}


def spec_file(folder: Path, name: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(SPECS[name])
    return file


def finished(folder: Path, name: str) -> Path:
    """A finished run of one of the specs in the folder, without its report, which takes longest."""
    run = folder / f"{name}-run"
    if not run.exists():
        with mock.patch.object(experiment, "write_reports"):
            experiment.train(spec_file(folder, name), out=run, device="cpu")
    return run


def trained(run: Path) -> Trained:
    """The run's network, which needs no data."""
    return open_trained(run, data_dir=NOWHERE)


def pictures(run: Path) -> tuple[Path, list[int]]:
    """A folder with the test images of a run as PNG files, in the data set's order, and their classes."""
    import torch

    spec = load(run / "spec.yaml")
    assert spec.data is not None
    part = prepare(spec.data, data_dir=NOWHERE, device=torch.device("cpu")).test
    folder = run.parent / f"{run.name}-images"
    folder.mkdir(exist_ok=True)
    (images,) = part.read(None, [slice(0, len(part))])
    for number, pixels_hwc in enumerate(images.permute(0, 2, 3, 1).numpy()):
        picture = pixels_hwc.squeeze(-1) if pixels_hwc.shape[-1] == 1 else pixels_hwc
        Image.fromarray(picture.copy()).save(folder / f"{number:05d}.png")
    return folder, part.labels.tolist()
