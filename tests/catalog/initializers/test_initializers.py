"""Initialisers: what they draw, that torch knows their arguments, and their mistakes."""

from inspect import signature
from math import sqrt
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.definition import Initializer
from specforge.catalog.discovery import index
from specforge.catalog.initializers.distributions import Normal, TruncatedNormal, Uniform
from specforge.catalog.initializers.fixed import Constant, Ones, Zeros
from specforge.catalog.initializers.kaiming import KaimingNormal, KaimingUniform
from specforge.catalog.initializers.structured import Dirac, Orthogonal
from specforge.catalog.initializers.xavier import XavierNormal, XavierUniform
from specforge.torch_backend.calls import TABLE, evaluate

WITH_DEFAULTS = [
    XavierUniform, XavierNormal, KaimingUniform, KaimingNormal, TruncatedNormal, Zeros, Ones, Normal, Uniform,
    Orthogonal,
]  # fmt: skip


def test_the_words() -> None:
    assert set(index("initializers")) >= {
        "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "truncated_normal",
        "zeros", "ones", "constant", "normal", "uniform",
    }  # fmt: skip


@pytest.mark.parametrize("kind", WITH_DEFAULTS)
def test_arguments_and_defaults_are_torchs(kind: type[Initializer]) -> None:
    call = kind().lower()
    parameters = signature(TABLE[call.target]).parameters
    assert dict(call.arguments) == {name: parameters[name].default for name in call.arguments}
    assert set(call.arguments) == set(kind.model_fields), "no setting is lost"


def test_dirac_passes_the_input_on() -> None:
    convolution = torch.nn.Conv2d(4, 4, 3, padding=1, bias=False)
    with torch.no_grad():
        evaluate(Dirac().lower(), convolution.weight)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(convolution(x), x)


def test_orthogonal_rows_are_perpendicular() -> None:
    weight = evaluate(Orthogonal(gain=2.0).lower(), torch.empty(5, 9))
    assert torch.allclose(weight @ weight.T, 4 * torch.eye(5), atol=1e-5)


FAN_IN, FAN_OUT = 400, 600
# standard deviation, and the limit of uniform draws
EXPECTED: list[tuple[Initializer, float, float | None]] = [
    (XavierUniform(gain=2.0), 2 * sqrt(2 / 1000), 2 * sqrt(6 / 1000)),
    (XavierNormal(gain=2.0), 2 * sqrt(2 / 1000), None),
    (KaimingUniform(), sqrt(2 / 400), sqrt(6 / 400)),
    (KaimingUniform(mode="fan_out", nonlinearity="linear"), sqrt(1 / 600), sqrt(3 / 600)),
    (KaimingNormal(a=1.0), sqrt(1 / 400), None),
    (KaimingNormal(mode="fan_out", nonlinearity="relu"), sqrt(2 / 600), None),
    (Normal(std=0.01), 0.01, None),
    (Uniform(a=-0.5, b=0.5), 1 / sqrt(12), 0.5),
    (TruncatedNormal(std=0.02, a=-0.04, b=0.04), 0.02 * 0.8796, 0.04),
]


@pytest.mark.parametrize(("initializer", "std", "limit"), EXPECTED, ids=[repr(entry[0]) for entry in EXPECTED])
def test_draws_have_the_documented_spread(initializer: Initializer, std: float, limit: float | None) -> None:
    torch.manual_seed(0)
    weight = evaluate(initializer.lower(), torch.empty(FAN_OUT, FAN_IN))
    assert weight.std().item() == pytest.approx(std, rel=0.01)
    assert weight.mean().item() == pytest.approx(0, abs=std / 100)
    if limit is not None:
        assert weight.abs().max().item() == pytest.approx(limit, rel=0.01)
        assert weight.abs().max().item() <= limit * (1 + 1e-6)


@pytest.mark.parametrize(("initializer", "value"), [(Zeros(), 0.0), (Ones(), 1.0), (Constant(val=-0.25), -0.25)])
def test_fixed_values(initializer: Initializer, value: float) -> None:
    assert evaluate(initializer.lower(), torch.full((3,), 9.0)).tolist() == [value] * 3


MISTAKES: list[tuple[type[Initializer], dict[str, Any], str]] = [
    (Uniform, {"a": 1.0, "b": 1.0}, "`a` must be less than `b`, found a = 1 and b = 1"),
    (Uniform, {"a": 2.0}, "`a` must be less than `b`"),
    (TruncatedNormal, {"a": 3.0}, "`a` must be less than `b`"),
    (TruncatedNormal, {"mean": 5.0}, "`mean` must be at most two `std` outside"),
    (TruncatedNormal, {"std": 0.0}, "greater than 0"),
    (Constant, {}, "Field required"),
    (XavierUniform, {"gain": 0.0}, "greater than 0"),
    (KaimingUniform, {"a": 0.2, "nonlinearity": "relu"}, "`a` is the slope of `nonlinearity: leaky_relu`"),
    (KaimingNormal, {"a": 0.2, "nonlinearity": "tanh"}, "`a` is the slope of `nonlinearity: leaky_relu`"),
    (KaimingNormal, {"mode": "fan_avg"}, "fan_in"),
]


@pytest.mark.parametrize(("kind", "arguments", "message"), MISTAKES)
def test_mistakes_are_explained(kind: type[Initializer], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        kind(**arguments)
