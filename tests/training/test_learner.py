"""One step of training."""

from collections import OrderedDict

import torch
from torch import nn

from specforge.data.batches import Batch
from specforge.modules import Wired
from specforge.training.learner import Learner
from tests.training.experiments import CPU, experiment


def test_frozen_batch_norm_keeps_its_statistics() -> None:
    frozen, trained = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    frozen.requires_grad_(False)
    recipe = experiment().train
    assert recipe is not None
    learner = Learner(nn.Sequential(frozen, trained), recipe, steps_per_epoch=1, device=CPU)
    learner.begin_epoch()
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
    recipe = experiment().train
    assert recipe is not None
    learner = Learner(wired, recipe, steps_per_epoch=1, device=CPU)
    images, labels = torch.tensor([[1.0, 2.0, 0.0], [5.0, 6.0, 1.0]]), torch.tensor([0, 2])
    batch = Batch(images, labels, torch.tensor([0, 1]))
    logits, loss = learner.loss_of(batch)
    early = wired.get_submodule("early")(images)
    assert torch.equal(logits, images)
    assert torch.equal(loss, learner.loss(images, labels) + 0.3 * learner.loss(early, labels))
    before = [parameter.clone() for parameter in wired.parameters()]
    learner.learn(batch, epoch=0, step=0)
    assert all(not torch.equal(*pair) for pair in zip(before, wired.parameters(), strict=True))
