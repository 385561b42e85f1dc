"""One step of training."""

from collections import OrderedDict
from typing import Any

import torch
from torch import nn

from specforge.data.batches import Batch
from specforge.modules import Wired
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
