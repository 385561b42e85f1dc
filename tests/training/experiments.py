"""A tiny experiment for the tests of this room: generated images, a network with all that makes resuming hard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.datasets.synthetic import Synthetic
from specforge.catalog.definition import Optimizer, Schedule
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.mixup import Mixup
from specforge.catalog.optimizers.adam import Adam
from specforge.data.prepare import Prepared, prepare
from specforge.graph import StagePlan, Weight, plan
from specforge.recipe import Stage, Train
from specforge.spec import Data, Spec, Split
from specforge.training.result import Result
from specforge.training.run_directory import RunDirectory
from specforge.training.trainer import fit

CPU = torch.device("cpu")


def experiment(
    *,
    epochs: int = 3,
    optimizer: Optimizer | None = None,
    schedule: Schedule | None = None,
    checkpoint: str = "last",
    validation: float | None = 0.25,
) -> Spec:
    """48 training images in 3 steps of 16 (64 without a validation part)."""
    return Spec(
        specforge=1,
        name="tiny",
        data=Data(
            dataset=Synthetic(image=(3, 8, 8), classes=4, train=64, test=24),
            split=Split(train=1.0 - (validation or 0.0), validation=validation),
            augment=(HorizontalFlip(),),
        ),
        train=Train(
            epochs=epochs,
            batch_size=16,
            optimizer=optimizer or Adam(lr=1e-2),
            schedule=schedule,
            loss=CrossEntropy(),
            checkpoint=checkpoint,
        ),
    )


def varied(**changes: Any) -> Spec:
    """The tiny experiment with another recipe."""
    spec = experiment()
    assert spec.train is not None
    return spec.model_copy(update={"train": spec.train.model_copy(update=changes)})


def mixed() -> Spec:
    """The tiny experiment with mixed images."""
    spec = experiment()
    assert spec.data is not None
    return spec.model_copy(update={"data": spec.data.model_copy(update={"mix": (Mixup(), Cutmix())})})


def stage(epochs: int, **changes: Any) -> Stage:
    recipe = experiment().train
    assert recipe is not None
    return Stage(**{
        "epochs": epochs, "batch_size": 16, "optimizer": recipe.optimizer, "loss": recipe.loss, **changes
    })  # fmt: skip


def staged(*stages: Stage) -> Spec:
    return varied(epochs=None, stages=stages, keep_every=1)


def network() -> nn.Module:
    """Convolution (laid out channels last), batch normalisation and dropout; always the same weights."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 4),
    )


def prepared_for(spec: Spec) -> Prepared:
    assert spec.data is not None
    return prepare(spec.data, data_dir=Path(), device=CPU)


def plans_for(spec: Spec, module: nn.Module) -> tuple[StagePlan, ...]:
    """The plan of a recipe for a module that no graph was made for; a parameter's path is that of its module."""
    assert spec.train is not None
    kinds = {name: type(part).__name__.lower() for name, part in module.named_modules()}
    weights = []
    for name, parameter in module.named_parameters():
        path, _, last = name.rpartition(".")
        weights.append(Weight(name, path, kinds[path], last, tuple(parameter.shape), parameter.requires_grad))
    return plan(spec.train, weights)


def run_in(folder: Path, *, spec_hash: str = "hash of tiny") -> RunDirectory:
    return RunDirectory(folder, "specforge: 1\nname: tiny\n", spec_hash)


def train(folder: Path, spec: Spec | None = None, *, module: nn.Module | None = None, **options: Any) -> Result:
    """`fit` on the CPU, from the same initial weights every time."""
    spec = spec or experiment()
    module = module or network()
    return fit(
        module, spec, prepared_for(spec), plans=plans_for(spec, module), run=run_in(folder), device=CPU, **options
    )


class Recorder:
    """A listener that keeps what it hears; `at` holds what to do at a step."""

    def __init__(self, at: Mapping[tuple[int, int], Any] | None = None):
        self.started: list[tuple[int, int, int, int]] = []
        self.steps: list[tuple[int, int, int, float | None]] = []
        self.epochs: list[dict[str, float | int]] = []
        self.messages: list[str] = []
        self._at = at or {}

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        self.started.append((epochs, steps_per_epoch, epochs_done, steps_done))

    def on_step(self, epoch: int, step: int, steps: int, loss: float | None) -> None:
        self.steps.append((epoch, step, steps, loss))
        if (epoch, step) in self._at:
            self._at[epoch, step]()

    def on_epoch(self, metrics: Mapping[str, float | int]) -> None:
        self.epochs.append(dict(metrics))

    def on_message(self, text: str) -> None:
        self.messages.append(text)
