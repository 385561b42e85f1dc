"""One step of training."""

import torch
from torch import nn

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
