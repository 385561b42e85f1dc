"""What was not finite first."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from specforge.data.batches import Batch
from specforge.training.diagnosis import first_fault, rows_of
from specforge.training.learner import Learner
from tests.training.test_gate import assert_same, batch_of, learner_of, state_of


class Overflowing(nn.Module):
    """A body whose output is finite, and a sum that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Identity(), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + torch.finfo(torch.float32).max * 2


def found_in(learner: Learner, batch: Batch) -> str:
    return first_fault(learner, batch, epoch=0, step=0)


@pytest.mark.parametrize(
    ("place", "layer", "path"),
    [
        (2, Overflowing(), "2"),
        (2, nn.Sequential(nn.Sequential(Overflowing()), nn.ReLU()), "2.0.0"),
        (4, nn.Sequential(nn.MaxPool2d(2), nn.Threshold(1e9, float("inf"))), "4.1"),
    ],
)
def test_the_innermost_of_the_layers_is_named(place: int, layer: nn.Module, path: str) -> None:
    learner = learner_of(waits=True)
    assert isinstance(learner.module, nn.Sequential)
    learner.module[place] = layer
    before = state_of(learner)
    assert found_in(learner, batch_of(0)) == f"the output of `{path}`"
    assert_same(before, state_of(learner))
    assert all(parameter.grad is None for parameter in learner.module.parameters())


def test_it_is_named_in_parts_too() -> None:
    learner = learner_of(waits=True)
    assert isinstance(learner.module, nn.Sequential)
    learner.module[1] = nn.GroupNorm(2, 8)
    learner.module[4] = nn.Sequential(nn.MaxPool2d(2), nn.Threshold(1e9, float("nan")))
    learner.micro_batches.limit = 3
    assert found_in(learner, batch_of(0)) == "the output of `4.1`"


def test_images_are_named_by_their_rows() -> None:
    learner = learner_of(waits=True)
    batch = replace(batch_of(0, float("inf")), indices=torch.arange(8) + 100)
    assert found_in(learner, batch) == "image 103 of the data set"
    batch.images[5] = float("nan")
    assert found_in(learner, batch) == "a number in the images 103, 105 of the data set"
    assert rows_of(torch.arange(9)) == "0, 1, 2, 3, 4, … of the data set"


def test_weights_that_were_broken_before_are_named() -> None:
    learner = learner_of(waits=True)
    learner.module.get_parameter("6.bias").data[1] = float("-inf")
    assert found_in(learner, batch_of(0)) == "`6.bias`, since an earlier step,"


def test_nothing_is_made_up() -> None:
    learner = learner_of(waits=True)
    before = state_of(learner)
    assert "finite when the step was computed again" in found_in(learner, batch_of(0))
    assert_same(before, state_of(learner))
