"""Muon against torch's, which has it from 2.9 on and for matrices only, and against its definition."""

from math import sqrt
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from specforge.torch_backend.muon import Muon, orthogonal, rate_factor

SETTINGS: list[dict[str, Any]] = [
    {},
    {"lr": 0.02, "momentum": 0.8, "nesterov": False, "weight_decay": 0.0},
    {"lr": 0.02, "weight_decay": 0.3, "adjust_lr": "match_rms_adamw"},
    {"lr": 0.02, "ns_steps": 2},
]


def draws(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9 on")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (16, 16), (40, 3)])
def test_equals_torchs_on_matrices(shape: tuple[int, int], settings: dict[str, Any]) -> None:
    ours, theirs = (nn.Parameter(draws(*shape)) for _ in range(2))
    theirs_settings = {{"adjust_lr": "adjust_lr_fn"}.get(name, name): value for name, value in settings.items()}
    optimizers = Muon([ours], **settings), torch.optim.Muon([theirs], **theirs_settings)
    for step in range(1, 5):
        ours.grad, theirs.grad = draws(*shape).cos() * step, draws(*shape).cos() * step
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, draws(*shape))


@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (40, 2, 3, 3), (6, 4, 1, 1)])
def test_a_kernel_is_a_matrix_in_any_memory_layout(shape: tuple[int, ...]) -> None:
    kernel = nn.Parameter(draws(*shape).to(memory_format=torch.channels_last))
    matrix = nn.Parameter(draws(*shape).flatten(1))
    gradient = draws(*shape).sin()
    kernel.grad, matrix.grad = gradient.to(memory_format=torch.channels_last), gradient.flatten(1)
    for parameter in (kernel, matrix):
        optimizer = Muon([parameter], lr=0.1)
        optimizer.step()
        optimizer.step()
    assert torch.equal(kernel.flatten(1), matrix)
    assert kernel.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(8, 8), (10, 50), (50, 10), (64, 64)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    matrix = draws(*shape)
    found = orthogonal(matrix.bfloat16()).float()
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert 0.6 < values.min() <= values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    alignment = (found * (left @ right)).sum() / (found.norm() * (left @ right).norm())
    assert alignment > 0.95, "the singular vectors stay"


def by_hand(weight: Tensor, gradients: list[Tensor], *, lr: float, momentum: float, steps: int) -> Tensor:
    """Normalised weights and a sum of gradients, as in the speedrun that Muon was made for; in float64."""
    weight, total = weight.double(), torch.zeros_like(weight, dtype=torch.float64)
    for gradient in gradients:
        total = momentum * total + gradient.double()
        matrix = (gradient + momentum * total).flatten(1)
        matrix = matrix / matrix.square().sum().sqrt()
        for _ in range(steps):
            square = matrix @ matrix.T
            matrix = 3.4445 * matrix + (-4.7750 * square + 2.0315 * square @ square) @ matrix
        weight = weight * sqrt(len(weight)) / weight.square().sum().sqrt() - lr * matrix.reshape(weight.shape)
    return weight


@pytest.mark.parametrize("scale", [1.0, 1 / 2000])
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_normalised_weights_as_in_the_speedrun(steps: int, scale: float) -> None:
    """The scale of the loss, its sum or mean over a batch, does not matter."""
    weight = nn.Parameter(draws(6, 4, 3, 3))
    optimizer = Muon([weight], lr=0.24, momentum=0.6, weight_decay=0.0, ns_steps=steps, normalize_weights=True)
    gradients = [draws(6, 4, 3, 3 + extra)[..., :3] for extra in range(4)]
    for gradient in gradients:
        weight.grad = gradient * scale
        optimizer.step()
    expected = by_hand(draws(6, 4, 3, 3), gradients, lr=0.24, momentum=0.6, steps=steps)
    # the orthogonal matrix is worked out in bfloat16, of which a step is 0.4%
    assert torch.allclose(weight.double(), expected, atol=0.02)
    assert not torch.allclose(weight, draws(6, 4, 3, 3), atol=0.2)


def test_normalised_weights_of_zero_stay_finite() -> None:
    weight = nn.Parameter(torch.zeros(3, 4))
    weight.grad = torch.zeros(3, 4)
    Muon([weight], normalize_weights=True).step()
    assert torch.equal(weight, torch.zeros(3, 4))


def test_a_gradient_of_zero_moves_nothing() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    weight.grad = torch.zeros(3, 4)
    Muon([weight], weight_decay=0.0).step()
    assert torch.equal(weight, torch.ones(3, 4))


def test_weight_decay_is_decoupled() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    weight.grad = torch.zeros(3, 4)
    Muon([weight], lr=0.5, weight_decay=0.1).step()
    assert torch.allclose(weight, torch.full((3, 4), 1 - 0.5 * 0.1))


def test_what_has_no_gradient_stays() -> None:
    frozen, trained = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    trained.grad = torch.eye(2)
    optimizer = Muon([frozen, trained])
    assert optimizer.step(lambda: 1.5) == 1.5
    assert torch.equal(frozen, torch.ones(2, 2))
    assert not torch.equal(trained, torch.ones(2, 2))
    assert frozen not in optimizer.state


def test_rates_follow_the_shape() -> None:
    assert rate_factor(torch.Size((4, 9)), "original") == 1
    assert rate_factor(torch.Size((36, 9)), "original") == 2
    assert rate_factor(torch.Size((36, 9)), "match_rms_adamw") == pytest.approx(0.2 * sqrt(36))


def test_parameters_without_a_matrix_are_refused() -> None:
    with pytest.raises(ValueError, match="a parameter of 1 axes"):
        Muon([nn.Parameter(torch.zeros(3))])
