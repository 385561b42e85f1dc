"""One step of training."""

from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from specforge.catalog.losses.cross_entropy import CrossEntropy
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.catalog.schedules.cosine import Cosine
from specforge.data.batches import Batch
from specforge.data.mixing import Mixed
from specforge.modules import Wired
from specforge.recipe import Ema, GradientClipping
from specforge.training.evaluation import Sums
from specforge.training.gate import Gate
from specforge.training.learner import Elapsed, Learner
from tests.training.experiments import CPU, experiment, plans_for


def learner_of(module: nn.Module, **recipe: Any) -> Learner:
    """At the start of the first epoch, of one step."""
    train = experiment(**recipe).train
    assert train is not None
    learner = Learner(module, train, device=CPU, class_counts=(1, 1, 1, 1))
    learner.begin_stage(plans_for(experiment(**recipe), module)[0])
    learner.begin_epoch(Elapsed(0, 0, train.total_epochs), steps=1)
    return learner


def test_frozen_batch_norm_keeps_its_statistics() -> None:
    frozen, trained = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    frozen.requires_grad_(False)
    learner = learner_of(nn.Sequential(frozen, trained))
    assert (frozen.training, trained.training) == (False, True)
    learner.module(torch.tensor([[1.0, 2.0], [5.0, 6.0]]))
    assert torch.equal(frozen.running_mean, torch.zeros(2))
    assert not torch.equal(trained.running_mean, torch.zeros(2))


def test_the_loss_of_side_branches_counts_by_weight() -> None:
    wired = Wired(
        OrderedDict(body=nn.Identity(), early=nn.Linear(3, 3), late=nn.Identity()),
        program=(("body", (0,), 1), ("early", (1,), 2), ("late", (1,), 3)),
        output=3,
        heads=(("early", 2, 0.3),),
    )
    learner = learner_of(wired)
    images, labels = torch.tensor([[1.0, 2.0, 0.0], [5.0, 6.0, 1.0]]), torch.tensor([0, 2])
    batch = Batch(images, labels, torch.tensor([0, 1]))
    logits, loss = learner.loss_of(batch)
    early = wired.get_submodule("early")(images)
    assert torch.equal(logits, images)
    assert torch.equal(loss, learner.loss(images, labels) + 0.3 * learner.loss(early, labels))
    before = [parameter.clone() for parameter in wired.parameters()]
    learner.learn(batch, epoch=0, step=0)
    assert all(not torch.equal(*pair) for pair in zip(before, wired.parameters(), strict=True))


class NothingWaits(TorchDispatchMode):
    """Refuses what makes the host wait for a GPU: reading a number, and sizes that follow from values."""

    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "is_nonzero", "bincount")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__.lstrip("_")
        assert name not in [word.lstrip("_") for word in self.WAITING], f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


RECIPES: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": Adam(lr=0.1)},
    "momentum": {"optimizer": Sgd(lr=0.1, momentum=0.9), "schedule": Cosine()},
    "not_fused": {"optimizer": Rmsprop(lr=0.01, momentum=0.5)},
    "cut_off": {"gradient_clipping": GradientClipping(value=1.0)},
    "clipped": {"gradient_clipping": GradientClipping(norm=1.0)},
    "averaged": {"ema": Ema(decay=0.9)},
    "smoothed": {"loss": CrossEntropy(label_smoothing=0.1, class_weights="balanced"), "l2": 1e-3},
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("is_mixed", [False, True])
def test_no_step_waits_for_the_device(recipe: dict[str, Any], is_mixed: bool) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 4))
    spec = experiment()
    assert spec.train is not None
    spec = spec.model_copy(update={"train": spec.train.model_copy(update=recipe)})
    assert spec.train is not None
    learner = Learner(module, spec.train, device=CPU, class_counts=(1, 1, 1, 1))
    learner.gate = Gate(learner.module, CPU, holds=True, waits=False)  # as on a GPU
    learner.begin_stage(plans_for(spec, module)[0])
    learner.begin_epoch(Elapsed(0, 0, 3), steps=3)
    labels = torch.tensor([0, 1, 2, 3])
    mixed = Mixed(labels.flip(0), torch.tensor(0.3)) if is_mixed else None
    batch = Batch(torch.randn(4, 1, 2, 2), labels, torch.arange(4), mixed)
    learner.learn(batch, epoch=0, step=0)  # once a stage: what optimizers remember comes into being
    sums = Sums(CPU)
    with NothingWaits():
        for step in range(1, 3):
            loss, logits = learner.learn(batch, epoch=0, step=step)
            sums.add_batch(loss, logits.argmax(1), batch, passed=learner.gate.passed)
    assert sums.loss.item() > 0
    assert sums.count() == 8


def test_the_guard_sees_what_waits() -> None:
    with NothingWaits(), pytest.raises(AssertionError, match="waits for the device"):
        torch.ones(1).item()
