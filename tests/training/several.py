"""Runs that several processes train, and that one trains in the same way: what is trained, and the processes' program.

    torchrun --standalone --nproc-per-node 2 -m tests.training.several FOLDER whole/plain folded/mixed …

trains each of the named scenarios in `FOLDER/NAME`; each process then writes what it ended with to `NAME.0.json`, ….
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from specforge.catalog.augmentations.angles import Rotation
from specforge.catalog.augmentations.crop import Crop
from specforge.catalog.augmentations.flip import HorizontalFlip
from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.mixes.cutmix import Cutmix
from specforge.catalog.mixes.mixup import Mixup
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.sgd import Sgd
from specforge.catalog.schedules.cosine import Cosine
from specforge.cli.voices import leave_at_once
from specforge.recipe import EarlyStopping, Ema, Evaluate, GradientClipping, Group, Selector, Snapshots
from specforge.recipe import TestTimeAugmentation as Views
from specforge.spec import Spec
from specforge.training import epochs
from specforge.training.errors import Interrupted, TrainingError
from specforge.training.processes import ALONE, Processes, joined
from tests.training.experiments import Recorder, experiment, train

# 15 images of 48 in a step, 3 in the last: shares are uneven, and fewer than two images for each of two processes
BATCH = 15


class Trap(nn.Module):
    """Hands on what it gets, but springs in process 1, at one of its calls in training (from 1), or from it on."""

    def __init__(self, spring: Callable[[Tensor], Tensor], call: int, *, lasts: bool = False):
        super().__init__()
        self.spring, self.call, self.lasts, self.calls = spring, call, lasts, 0

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or os.environ.get("RANK") != "1":
            return x
        self.calls += 1
        return self.spring(x) if self.calls == self.call or (self.lasts and self.calls > self.call) else x


def network(*more: nn.Module) -> nn.Module:
    """Without batch normalisation and dropout, so that an image does not see how a batch is divided."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), *more, nn.Linear(128, 4)
    )  # fmt: skip


def normalized(*more: nn.Module) -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), *more,
        nn.Linear(128, 16), nn.BatchNorm1d(16, affine=False), nn.ReLU(), nn.Linear(16, 4),
    )  # fmt: skip


def _poison(x: Tensor) -> Tensor:
    return x.where(torch.zeros_like(x, dtype=torch.bool), float("nan"))


def _interrupt(x: Tensor) -> Tensor:
    os.kill(os.getpid(), signal.SIGTERM)
    return x


def _only_four_fit(x: Tensor) -> Tensor:
    if len(x) > 4:
        raise torch.OutOfMemoryError("out of memory")
    return x


@dataclass(frozen=True, slots=True)
class Scenario:
    """A recipe and data that differ from the tiny experiment's, and a network."""

    recipe: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    module: Callable[[], nn.Module] = network

    @property
    def spec(self) -> Spec:
        spec = experiment(epochs=6, optimizer=Sgd(lr=0.05, momentum=0.9))
        assert spec.train is not None
        assert spec.data is not None
        return spec.model_copy(update={
            "train": spec.train.model_copy(update={"batch_size": BATCH, **self.recipe}),
            "data": spec.data.model_copy(update=self.data),
        })  # fmt: skip


_RICH: dict[str, Any] = {
    "loss": CrossEntropy(label_smoothing=0.1, class_weights="balanced"), "l2": 1e-2, "ema": Ema(decay=0.9),
    "gradient_clipping": GradientClipping(norm=0.5), "schedule": Cosine(), "checkpoint": "best_validation_loss",
}  # fmt: skip
_GROUPS: dict[str, Any] = {
    "optimizer": Adam(lr=1e-3, eps=1e-3),
    "groups": (Group(select=Selector(parameter="bias"), optimizer=Adam(lr=3e-3, eps=1e-3), l2=0.0),),
    "l2": 1e-3, "gradient_clipping": GradientClipping(value=0.05), "evaluate": Evaluate(every_epoch="test"),
}  # fmt: skip
_TESTED: dict[str, Any] = {
    "epochs": 4, "snapshots": Snapshots(cycles=2),
    "evaluate": Evaluate(test_time_augmentation=Views(augment=(Crop(padding=2),), views=2)),
}  # fmt: skip
_CHANGED: dict[str, Any] = {"augment": (HorizontalFlip(), Crop(padding=2), Rotation(degrees=20))}

SCENARIOS: dict[str, Scenario] = {
    "plain": Scenario(),
    "rich": Scenario(_RICH, _CHANGED),
    "mixed": Scenario(data={**_CHANGED, "mix": (Mixup(), Cutmix())}),
    "mixed_streamed": Scenario(data={**_CHANGED, "mix": (Mixup(), Cutmix(probability=0.5)), "memory": "streamed"}),
    "tiny": Scenario({"batch_size": 7, "epochs": 2}),
    "balanced": Scenario(_GROUPS, {"sampling": "balanced"}),
    "tested": Scenario(_TESTED),
    "stopped_early": Scenario({"early_stopping": EarlyStopping(patience=1, min_delta=0.5)}),
    "rate_found": Scenario({"epochs": 1, "optimizer": Sgd(lr="find", momentum=0.9)}),
    "per_shard": Scenario({"optimizer": Sgd(lr=0.05), "batch_size": 13}, module=normalized),
    "synchronized": Scenario({"optimizer": Sgd(lr=0.05), "sync_batch_norm": True}, module=normalized),
    "skipped": Scenario({"on_nan": "skip"}, module=lambda: network(Trap(_poison, 6))),
    "gone_back": Scenario({"on_nan": "rollback"}, module=lambda: network(Trap(_poison, 6))),
    "diverged": Scenario({"on_nan": "stop"}, module=lambda: network(Trap(_poison, 6, lasts=True))),
    "short_of_memory": Scenario(module=lambda: network(Trap(_only_four_fit, 0, lasts=True))),
    "interrupted": Scenario(_RICH, _CHANGED, module=lambda: network(Trap(_interrupt, 10))),
}


def scenario_of(name: str) -> Scenario:
    """`rich_again` goes on with a run of `rich`."""
    return SCENARIOS[name.partition("/")[2].removesuffix("_again")]


def train_scenario(folder: Path, name: str, processes: Processes = ALONE) -> dict[str, Any]:
    """Train it in the folder, or go on with it, and say how it ended."""
    scenario, is_again = scenario_of(name), name.endswith("_again")
    module = scenario.module()
    if is_again:
        for trap in (part for part in module.modules() if isinstance(part, Trap)):
            trap.call = 0
    told = Recorder()
    ended: dict[str, Any] = {}
    with mock.patch.object(epochs, "SAVING_SHARE", 1.0):
        try:
            result = train(
                folder / name.removesuffix("_again"), scenario.spec, module=module, resume=is_again, listener=told,
                processes=processes,
            )  # fmt: skip
            ended["result"] = {key: value for key, value in asdict(result).items() if key != "seconds"}
        except Interrupted as interrupted:
            ended["interrupted"] = interrupted.signal
        except TrainingError as error:
            ended["error"] = error.message
    state = b"".join(tensor.contiguous().numpy().tobytes() for tensor in module.state_dict().values())
    return {**ended, "state": sha256(state).hexdigest(), "told": told.messages}


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    with joined("cpu") as (processes, _):
        for name in names:
            ended = train_scenario(folder, name, processes)
            path = folder / f"{name}.{processes.number}.json"
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(json.dumps(ended))


if __name__ == "__main__":
    main()
    leave_at_once(0)
