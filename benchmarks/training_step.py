"""How fast a compiled network trains, against the same network and the same step written by hand.

The step: forward, loss, backward and optimizer on one batch, of the compiled module and of an `nn.Sequential`, both
channels last and with the same fused optimizer. The epoch: all that `specforge train` does to train one (shuffling,
augmentation, normalisation, seeds, schedule, metrics) against that step by hand on one batch that lies ready.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from torch import nn

from benchmarks.comparison import Comparison, interleave
from specforge.analysis import analyse
from specforge.data.prepare import prepare
from specforge.graph import plan, weights_of
from specforge.torch_backend import build
from specforge.training.device import choose_device, place
from specforge.training.listener import Metrics, Silence
from specforge.training.optimizer import build_optimizer
from specforge.training.run_directory import RunDirectory
from specforge.training.trainer import fit

SPEC = Path(__file__).with_name("engine.yaml")
STEP_TARGET, EPOCH_TARGET = 1.02, 0.95
# a turn of the first comparison; a turn of the second one is an epoch of the spec
STEPS = 4
BATCH, CLASSES = 64, 100


class BareLoop:
    """Training steps on one batch that lies ready on the device, and nothing around them."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device):
        self.module, self.optimizer, self.device = module.train(), optimizer, device
        self.loss = nn.CrossEntropyLoss()
        random = torch.Generator().manual_seed(0)
        images = torch.randn(BATCH, 3, 32, 32, generator=random)
        self.images = images.to(device, memory_format=torch.channels_last)
        self.labels = torch.randint(CLASSES, (BATCH,), generator=random).to(device)

    def seconds(self, steps: int) -> float:
        """What so many steps take, until the device has done them."""
        began = perf_counter()
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(self.module(self.images), self.labels)
            loss.backward()
            self.optimizer.step()
        loss.item()
        return perf_counter() - began

    def milliseconds(self) -> float:
        """Of one step, over a turn."""
        return 1000 * self.seconds(STEPS) / STEPS


class TakingTurns(Silence):
    """Lets the loop by hand do as many steps after each epoch of the engine; images per second of both."""

    def __init__(self, by_hand: BareLoop):
        self.by_hand, self.steps = by_hand, 0
        self.ours: list[float] = []
        self.theirs: list[float] = []

    def on_start(self, epochs: int, steps_per_epoch: int, epochs_done: int, steps_done: int) -> None:
        self.steps = steps_per_epoch

    def on_epoch(self, metrics: Metrics) -> None:
        self.ours.append(metrics["images_per_second"])
        self.theirs.append(self.steps * BATCH / self.by_hand.seconds(self.steps))


def compare(*, quick: bool = False) -> list[Comparison]:
    """The step in milliseconds, the epoch in images per second, on the device that training would choose."""
    device = choose_device()
    return [step(device, rounds=12 if quick else 50), epoch(device, rounds=8 if quick else 30)]


def step(device: torch.device, *, rounds: int) -> Comparison:
    """Each side takes a few steps, in turn."""
    spec, graph = analyse(SPEC).require()
    assert spec.train is not None
    module = place(build(graph, seed=0), device)
    (settings,) = plan(spec.train, weights_of(graph))[0].groups
    rate = float(settings.optimizer.lr)
    ours = BareLoop(
        module, build_optimizer(settings.optimizer, list(module.parameters()), lr=rate, device=device), device
    )
    theirs = by_hand(device, module)
    sides = {"ours": ours.milliseconds, "theirs": theirs.milliseconds}
    measured = interleave(sides, rounds=rounds, warm_up=2)
    return Comparison(f"training step, {device.type}", measured["ours"], measured["theirs"], "ms", STEP_TARGET)


def epoch(device: torch.device, *, rounds: int) -> Comparison:
    """A run of the engine, interrupted after each epoch by the loop by hand."""
    spec, graph = analyse(SPEC, (f"train.epochs={rounds + 1}",)).require()
    assert spec.data is not None
    module = build(graph, seed=0)
    turns = TakingTurns(by_hand(device, module))
    with TemporaryDirectory() as folder:
        prepared = prepare(spec.data, data_dir=Path(folder), device=device)
        run = RunDirectory(Path(folder) / "run", "benchmark\n", "benchmark")
        assert spec.train is not None
        plans = plan(spec.train, weights_of(graph))
        fit(module, spec, prepared, plans=plans, run=run, device=device, listener=turns)
    # the first epoch warms both sides up
    ours, theirs = turns.ours[1:], turns.theirs[1:]
    return Comparison(f"training epoch, {device.type}", ours, theirs, "images/s", EPOCH_TARGET, better="higher")


def by_hand(device: torch.device, compiled: nn.Module) -> BareLoop:
    """The network of the spec as one writes it in torch, and its optimizer; its weights are the compiled module's."""
    layers: list[nn.Module] = []
    for before, channels in ((3, 32), (32, 64)):
        for entering in (before, channels):
            layers.append(nn.Conv2d(entering, channels, 3, padding="same"))
            layers += [nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Dropout(0.5)]
    layers += [nn.Flatten(), nn.Linear(4096, 512), nn.BatchNorm1d(512, eps=1e-3, momentum=0.01), nn.ReLU()]
    layers += [nn.Dropout(0.5), nn.Linear(512, CLASSES)]
    module = nn.Sequential(*layers)
    module.load_state_dict(dict(zip(module.state_dict(), compiled.state_dict().values(), strict=True)))
    module.to(device).to(memory_format=torch.channels_last)
    return BareLoop(module, torch.optim.Adam(module.parameters(), lr=1e-3, eps=1e-7, fused=True), device)
