"""The gate: a step with numbers that are not finite leaves everything as it was, on any device, with any optimizer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from specforge.catalog.definition import Optimizer
from specforge.catalog.optimizers.accumulating import Adadelta, Adagrad
from specforge.catalog.optimizers.adam import Adam, Adamax, Adamw
from specforge.catalog.optimizers.asgd import Asgd
from specforge.catalog.optimizers.corrected_adam import Nadam, Radam
from specforge.catalog.optimizers.muon import Muon
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.data.batches import Batch
from specforge.recipe import Ema, GradientClipping, Group, Selector
from specforge.training.evaluation import Sums
from specforge.training.gate import Gate, Kept, all_finite
from specforge.training.learner import Elapsed, Learner
from specforge.training.optimizer import optimizer_state
from specforge.training.progress import Progress
from tests.training.experiments import CPU, experiment, network, plans_for

OPTIMIZERS: dict[str, Optimizer] = {
    "adam": Adam(lr=1e-2, weight_decay=1e-3, amsgrad=True),
    "adamw": Adamw(lr=1e-2),
    "adamax": Adamax(lr=1e-2),
    "nadam": Nadam(lr=1e-2),
    "radam": Radam(lr=1e-2),
    "rmsprop": Rmsprop(lr=1e-3, momentum=0.5, centered=True),
    "adagrad": Adagrad(lr=1e-2, lr_decay=0.1),
    "adadelta": Adadelta(lr=1.0),
    "asgd": Asgd(lr=1e-2),
    "sgd": Sgd(lr=1e-2),
    "momentum": Sgd(lr=1e-2, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "muon": Muon(lr=1e-2, normalize_weights=True),
}
POISONS = {"nan": float("nan"), "inf": float("inf"), "minus_inf": float("-inf")}
STEPS = 6


def learner_of(*, waits: bool, holds: bool = False, optimizer: Optimizer | None = None, **recipe: Any) -> Learner:
    """At the start of an epoch; without waiting, as on a GPU."""
    module, spec = network(), experiment()
    assert spec.train is not None
    if isinstance(optimizer, Muon):
        recipe["groups"] = (Group(select=Selector(kind=("conv2d", "linear"), parameter="weight"), optimizer=optimizer),)
        optimizer = None
    recipe = {"optimizer": optimizer or Adam(lr=1e-2), **recipe}
    spec = spec.model_copy(update={"train": spec.train.model_copy(update=recipe)})
    assert spec.train is not None
    learner = Learner(module, spec.train, device=CPU, class_counts=(1, 1, 1, 1))
    learner.gate = Gate(learner.module, CPU, holds=holds, waits=waits)
    learner.begin_stage(plans_for(spec, module)[0])
    learner.begin_epoch(Elapsed(0, 0, 3), steps=STEPS)
    return learner


def batch_of(step: int, poison: float | None = None) -> Batch:
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(8, 3, 8, 8, generator=generator).to(memory_format=torch.channels_last)
    if poison is not None:
        images[3, 1, 2, 2] = poison
    return Batch(images, torch.arange(8) % 4, torch.arange(8))


def state_of(learner: Learner) -> dict[str, Tensor]:
    """All that a step may change, counters and averages too."""
    remembered = optimizer_state(learner.optimizers, learner.module)
    averages = {} if learner.average is None else learner.average.module.state_dict()
    parts = {**learner.module.state_dict(), **remembered.tensors, **{f"average.{k}": v for k, v in averages.items()}}
    return {name: tensor.clone() for name, tensor in parts.items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


@pytest.mark.parametrize("waits", [True, False], ids=["cpu", "device"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("poisoned", [0, 2], ids=["first", "third"])
def test_a_poisoned_step_leaves_everything_as_it_was(optimizer: Optimizer, waits: bool, poisoned: int) -> None:
    learner, clean = (learner_of(waits=waits, optimizer=optimizer) for _ in range(2))
    for step in range(STEPS - 1):
        if step == poisoned:
            before = state_of(learner)
            for number, value in enumerate(POISONS.values()):
                learner.learn(batch_of(step, value), epoch=0, step=step)
                assert not bool(learner.gate.passed), number
                assert_same(before, state_of(learner))
        else:
            learner.learn(batch_of(step), epoch=0, step=step)
            clean.learn(batch_of(step), epoch=0, step=step)
            assert bool(learner.gate.passed)
        assert_same(state_of(clean), state_of(learner))
    assert learner.gate.closed() == [poisoned]


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_device_steps_as_the_cpu_does(optimizer: Optimizer) -> None:
    pair = [learner_of(waits=waits, optimizer=optimizer) for waits in (True, False)]
    for step in range(4):
        for learner in pair:
            learner.learn(batch_of(step), epoch=0, step=step)
    assert_same(*map(state_of, pair))


@pytest.mark.parametrize("waits", [True, False], ids=["cpu", "device"])
@pytest.mark.parametrize("clipping", [GradientClipping(norm=1.0), GradientClipping(value=0.01)], ids=["norm", "value"])
@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
@pytest.mark.parametrize("name", ["0.weight", "1.bias", "6.bias"])
def test_clipping_hides_no_gradient(clipping: GradientClipping, poison: float, name: str, waits: bool) -> None:
    learner = learner_of(waits=waits, gradient_clipping=clipping)
    learner.learn(batch_of(0), epoch=0, step=0)
    before = state_of(learner)

    def one_number(gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        gradient[0] = poison
        return gradient

    hook = learner.module.get_parameter(name).register_hook(one_number)
    loss, _ = learner.learn(batch_of(1), epoch=0, step=1)
    assert loss.isfinite(), "only a gradient is not"
    assert_same(before, state_of(learner))
    hook.remove()
    learner.learn(batch_of(2), epoch=0, step=2)
    assert learner.gate.closed() == [1]


@pytest.mark.parametrize("waits", [True, False], ids=["cpu", "device"])
def test_averages_take_nothing_of_a_poisoned_step(waits: bool) -> None:
    learner = learner_of(waits=waits, ema=Ema(decay=0.9, warmup=False))
    for step in range(3):
        learner.learn(batch_of(step), epoch=0, step=step)
    assert learner.average is not None
    before = {name: tensor.clone() for name, tensor in learner.average.module.state_dict().items()}
    learner.learn(batch_of(3, float("nan")), epoch=0, step=3)
    for name, average in learner.average.module.state_dict().items():
        now = learner.module.state_dict()[name]
        expected = before[name].lerp(now, 0.1) if now.is_floating_point() else now
        torch.testing.assert_close(average, expected)


def test_a_gate_that_holds_stays_closed_until_the_next_epoch() -> None:
    learner = learner_of(waits=False, holds=True)
    learner.learn(batch_of(0), epoch=0, step=0)
    before = state_of(learner)
    learner.learn(batch_of(1, float("nan")), epoch=0, step=1)
    for step in (2, 3):
        learner.learn(batch_of(step), epoch=0, step=step)
    assert_same(before, state_of(learner))
    assert learner.gate.closed() == [1, 2, 3]
    learner.begin_epoch(Elapsed(1, 6, 3), steps=STEPS)
    learner.learn(batch_of(0), epoch=1, step=0)
    assert learner.gate.closed() == []
    assert not torch.equal(state_of(learner)["0.weight"], before["0.weight"])


def test_it_holds_also_when_the_first_step_of_all_was_closed() -> None:
    learner = learner_of(waits=False, holds=True)
    before = state_of(learner)
    learner.learn(batch_of(0, float("nan")), epoch=0, step=0)
    assert learner.gate.first_closed(0) == 0
    learner.learn(batch_of(1), epoch=0, step=1)
    assert_same(before, state_of(learner))


@pytest.mark.parametrize("name", ["adam", "momentum", "muon"])
def test_a_gate_is_open_again_after_going_back(name: str) -> None:
    learner = learner_of(waits=False, holds=True, optimizer=OPTIMIZERS[name])
    learner.learn(batch_of(0), epoch=0, step=0)
    checkpoint = learner.checkpoint(Progress())
    checkpoint = replace(checkpoint, weights={key: value.clone() for key, value in checkpoint.weights.items()})
    learner.learn(batch_of(1, float("nan")), epoch=0, step=1)
    learner.restore(checkpoint)
    learner.begin_epoch(Elapsed(0, 0, 3), steps=STEPS)
    before = state_of(learner)
    for step in (1, 2):
        learner.learn(batch_of(step), epoch=0, step=step)
        now = state_of(learner)
        assert not [key for key in now if key.endswith("weight") and torch.equal(now[key], before[key])]
        before = now
    learner.learn(batch_of(3, float("nan")), epoch=0, step=3)
    assert_same(before, state_of(learner))
    assert learner.gate.closed() == [3]


def test_images_of_closed_steps_do_not_count() -> None:
    learner, sums, on_host = learner_of(waits=False), Sums(CPU), Sums(CPU)
    for step in range(4):
        batch = batch_of(step, float("nan") if step == 2 else None)
        loss, logits = learner.learn(batch, epoch=0, step=step)
        sums.add_batch(loss, logits.argmax(1), batch, passed=learner.gate.passed)
        on_host.add_batch(loss, logits.argmax(1), batch, passed=bool(learner.gate.passed))
    assert (sums.images, sums.count(), on_host.count()) == (32, 24, 24)
    assert sums.loss.item() == on_host.loss.item()
    assert sums.correct.item() == on_host.correct.item()


@pytest.mark.parametrize("waits", [True, False], ids=["cpu", "device"])
def test_overflows_of_a_loss_scale_are_no_faults(waits: bool) -> None:
    learner = learner_of(waits=waits, optimizer=Sgd(lr=1e-3, momentum=0.5))
    # contiguous weights, since float16 is not for CPUs
    learner.module.to(memory_format=torch.contiguous_format)
    learner.begin_stage(learner._plan)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1000)
    learner.precision.scaler = scaler
    hook = learner.module.get_parameter("6.bias").register_hook(lambda gradient: gradient / 0)
    before = state_of(learner)
    for scale in (2.0, 1.0):
        learner.learn(batch_of(0), epoch=0, step=0)
        assert_same(before, state_of(learner))
        assert (bool(learner.gate.passed), scaler.get_scale()) == (True, scale)
    learner.learn(batch_of(1), epoch=0, step=1)
    assert learner.gate.closed() == [1], "a loss that is not scaled up has no excuse"
    hook.remove()
    learner.learn(batch_of(2), epoch=0, step=2)
    assert not torch.equal(before["0.weight"], learner.module.state_dict()["0.weight"])
    scaler.update(new_scale=1024.0)
    learner.learn(batch_of(3, float("nan")), epoch=0, step=3)
    assert learner.gate.closed() == [1, 3], "nor has a loss that is not finite itself"


def bytes_of(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1).contiguous().view(torch.uint8)


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_kept_tensors_come_back_bit_for_bit(poison: float) -> None:
    tensors = [
        torch.tensor([[1.5, float("nan")], [-0.0, 3.0]]).T,
        torch.tensor(7, dtype=torch.int64),
        torch.tensor([True, False]),
        torch.randn(3, dtype=torch.bfloat16),
        torch.randn(2, dtype=torch.float64),
    ]
    before = [tensor.clone() for tensor in tensors]
    kept = Kept(tensors)
    put_back: list[Callable[[], None]] = [kept.restore, lambda: kept.restore_where(torch.tensor(True))]
    for restore in put_back:
        kept.keep()
        for tensor in tensors:
            tensor.fill_(poison if tensor.is_floating_point() else 1)
        restore()
        for old, now in zip(before, tensors, strict=True):
            assert bytes_of(old).equal(bytes_of(now))
    kept.keep()
    tensors[1].fill_(8)
    kept.restore_where(torch.tensor(False))
    assert tensors[1].item() == 8


def test_what_is_finite_is_told_from_sums() -> None:
    loss, large = torch.tensor(1.0), torch.full((4,), 1e30)
    assert all_finite(loss, [large, -large])
    for value in POISONS.values():
        assert not all_finite(torch.tensor(value), [large])
        assert not all_finite(loss, [large, torch.tensor([1.0, value])])
    assert not all_finite(loss, [torch.tensor([float("inf"), float("-inf")])])


def test_a_network_without_statistics_needs_none() -> None:
    gate = Gate(nn.Linear(2, 2), CPU, holds=False)
    gate.keep()
    gate.restore()
