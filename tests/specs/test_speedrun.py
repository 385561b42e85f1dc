"""The speedrun is its script: network, step and test against an independent writing of them in plain torch.

The script sums the loss over a batch, and so does the writing here, with the script's rates.
"""

from math import sqrt
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

import specforge
from specforge.analysis import analyse
from specforge.data.batches import TrainBatches, train_batches
from specforge.data.first_images import first_images
from specforge.data.prepare import prepare
from specforge.data.randomness import key
from specforge.torch_backend import build, fill_from_images

FILE = Path(__file__).parents[2] / "specs/speedrun/airbench94.yaml"
BATCH, WHITENING_EPOCHS = 8, 3
GROUPS = ("group.0", "group.1", "group.2")
FILTERS = [f"{group}.conv_{number}.weight" for group in GROUPS for number in (1, 2)]
NORM_BIASES = [f"{group}.batch_norm_{number}.bias" for group in GROUPS for number in (1, 2)]
TRAINED = (*FILTERS, *NORM_BIASES, "whiten.bias", "head.weight")


def norm(x: Tensor, state: dict[str, Tensor], path: str, *, train: bool) -> Tensor:
    """0.6 of the running statistics are kept."""
    mean, variance, shift = (state[f"{path}.{name}"] for name in ("running_mean", "running_var", "bias"))
    return functional.batch_norm(x, mean, variance, None, shift, train, 0.4, 1e-12)


def logits(state: dict[str, Tensor], x: Tensor, *, train: bool) -> Tensor:
    x = functional.gelu(functional.conv2d(x, state["whiten.weight"], state["whiten.bias"]))
    for group in GROUPS:
        x = functional.max_pool2d(functional.conv2d(x, state[f"{group}.conv_1.weight"], padding="same"), 2)
        x = functional.gelu(norm(x, state, f"{group}.batch_norm_1", train=train))
        x = functional.conv2d(x, state[f"{group}.conv_2.weight"], padding="same")
        x = functional.gelu(norm(x, state, f"{group}.batch_norm_2", train=train))
    return functional.max_pool2d(x, 3).flatten(1) @ state["head.weight"].T / 256


def orthogonal(matrix: Tensor) -> Tensor:
    matrix = matrix / (matrix.norm() + 1e-7)
    for _ in range(3):
        square = matrix @ matrix.T
        matrix = 3.4445 * matrix + (-4.7750 * square + 2.0315 * square @ square) @ matrix
    return matrix


def sgd_step(weight: Tensor, memory: dict[str, Tensor], name: str, *, rate: float, first_rate: float) -> None:
    assert weight.grad is not None
    gradient = weight.grad + 2e-6 * BATCH / first_rate * weight
    memory[name] = gradient if name not in memory else 0.85 * memory[name] + gradient
    weight -= rate * (gradient + 0.85 * memory[name])


def filter_step(weight: Tensor, memory: dict[str, Tensor], name: str, *, rate: float) -> None:
    assert weight.grad is not None
    memory[name] = 0.6 * memory.get(name, 0.0) + weight.grad
    update = orthogonal((weight.grad + 0.6 * memory[name]).flatten(1))
    weight *= sqrt(len(weight)) / weight.norm()
    weight -= rate * update.reshape(weight.shape)


def script(state: dict[str, Tensor], batches: TrainBatches, epochs: int) -> None:
    """All steps of the training, on a state that is changed in place."""
    memory: dict[str, Tensor] = {}
    trained = {name: state[name].requires_grad_() for name in TRAINED}
    steps, whitening_steps = epochs * batches.steps_per_epoch, WHITENING_EPOCHS * batches.steps_per_epoch
    every = [batch for epoch in range(epochs) for batch in batches.epoch(epoch)]
    for step, batch in enumerate(every):
        output = logits(state, batch.images, train=True)
        functional.cross_entropy(output, batch.labels, label_smoothing=0.2, reduction="sum").backward()
        falling, left = 1 - step / steps, 1 - step / whitening_steps
        with torch.no_grad():
            for name, weight in trained.items():
                if name in FILTERS:
                    filter_step(weight, memory, name, rate=0.24 * falling)
                elif name == "head.weight":
                    sgd_step(weight, memory, name, rate=0.67 * falling, first_rate=0.67)
                elif name in NORM_BIASES:
                    sgd_step(weight, memory, name, rate=0.053 * falling, first_rate=0.053)
                elif step < whitening_steps:
                    sgd_step(weight, memory, name, rate=0.053 * left, first_rate=0.053)
                weight.grad = None


class Short:
    """The recipe on a few images: its spec as it is then, its data, its weights before training, and its run."""

    def __init__(self, folder: Path, *, epochs: int, steps: int):
        images = f"{{synthetic: {{image: [3, 32, 32], classes: 10, train: {BATCH * steps}, test: 8}}}}"
        settings = (f"params.batch={BATCH}", f"train.stages.0.epochs={epochs}", f"data.dataset={images}")
        spec, graph = analyse(FILE, settings=settings).require()
        assert spec.data is not None
        self.prepared = prepare(spec.data, data_dir=folder, device=torch.device("cpu"))
        self.batches = train_batches(spec.data, self.prepared, batch_size=BATCH, seed=0)
        module = build(graph, seed=key(0, "init"))
        fill_from_images(module, graph, lambda count: first_images(self.prepared, count))
        self.start = {name: value.clone() for name, value in module.state_dict().items()}
        run = specforge.train(FILE, settings=settings, out=folder / "run", device="cpu")
        self.result, self.end = run.result, load_file(run.path / run.result.weights)


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Muon's matrices are float32 here: what bfloat16 rounds differently grows tenfold within some steps."""
    monkeypatch.setattr("specforge.torch_backend.muon.PRECISION", torch.float32)
    monkeypatch.setattr("specforge.experiment.write_reports", lambda folder, *_: folder / "report.html")


@pytest.mark.parametrize(("epochs", "steps"), [(6, 1), (2, 2)])
def test_training_is_the_scripts(tmp_path: Path, epochs: int, steps: int) -> None:
    short = Short(tmp_path, epochs=epochs, steps=steps)
    state = {name: value.clone() for name, value in short.start.items()}
    script(state, short.batches, epochs)
    for name in [*TRAINED, "group.2.batch_norm_2.running_var"]:
        moved = (state[name] - short.start[name]).norm()
        assert (short.end[name] - state[name]).norm() < 0.001 * moved, name
    for name in short.start.keys() - set(TRAINED):
        if name.endswith(("weight", "bias")):
            assert torch.equal(short.end[name], short.start[name]), f"{name} stands still"


def test_the_test_is_the_scripts(tmp_path: Path) -> None:
    """Six views, whose logits are averaged: mirrored ones, and half of the weight for two moved by a pixel."""
    short = Short(tmp_path, epochs=2, steps=1)
    mean, std = (torch.tensor(values)[:, None, None] for values in (short.prepared.mean, short.prepared.std))
    arrays = short.prepared.test
    images = (arrays.images.float() / 255 - mean) / std
    padded = functional.pad(images, (1, 1, 1, 1), mode="reflect")

    def mirrored(x: Tensor) -> Tensor:
        return (logits(short.end, x, train=False) + logits(short.end, x.flip(-1), train=False)) / 2

    moved = (mirrored(padded[..., :32, :32]) + mirrored(padded[..., 2:, 2:])) / 2
    expected = mirrored(images) / 2 + moved / 2
    assert short.result.plain is not None
    for values, found in ((expected, short.result), (logits(short.end, images, train=False), short.result.plain)):
        loss = functional.cross_entropy(values, arrays.labels).item()
        assert found.test_loss == pytest.approx(loss, rel=1e-5)
        assert found.test_accuracy == (values.argmax(1) == arrays.labels).double().mean().item()
    assert short.result.test_loss != pytest.approx(short.result.plain.test_loss, rel=1e-4)
