"""Optimizers: their words, defaults and mistakes."""

from inspect import signature
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.definition import Optimizer
from specforge.catalog.discovery import definition, index
from specforge.catalog.optimizers.accumulating import Adadelta, Adagrad
from specforge.catalog.optimizers.adam import Adam, Adamax, Adamw
from specforge.catalog.optimizers.asgd import Asgd
from specforge.catalog.optimizers.corrected_adam import Nadam, Radam
from specforge.catalog.optimizers.muon import Muon
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.torch_backend.calls import TABLE, evaluate


def test_the_words() -> None:
    assert set(index("optimizers")) >= {"adam", "adamw", "adamax", "nadam", "radam", "adagrad", "adadelta", "asgd"}
    assert set(index("optimizers")) >= {"muon", "sgd", "rmsprop"}
    assert definition("optimizers", "sgd") is Sgd


@pytest.mark.parametrize("kind", [Adam, Adamw, Adamax, Nadam, Radam, Adagrad, Adadelta, Asgd, Muon, Sgd, Rmsprop])
def test_arguments_and_defaults_are_torchs(kind: type[Optimizer]) -> None:
    call = kind().lower()
    parameters = signature(TABLE[call.target]).parameters
    assert dict(call.arguments) == {name: parameters[name].default for name in call.arguments}
    assert set(call.arguments) == set(kind.model_fields), "no setting is lost"
    assert kind.main == "lr"


@pytest.mark.parametrize(
    "optimizer",
    [
        Adam(lr=0.5, betas=(0.5, 0.25), eps=1e-4, weight_decay=0.1, amsgrad=True),
        Adamw(lr=0.5, betas=(0.5, 0.25), eps=1e-4, weight_decay=0.1, amsgrad=True),
        Adamax(lr=0.5, betas=(0.5, 0.25), eps=1e-4, weight_decay=0.1),
        Nadam(lr=0.5, betas=(0.5, 0.25), eps=1e-4, weight_decay=0.1, momentum_decay=0.1, decoupled_weight_decay=True),
        Radam(lr=0.5, betas=(0.5, 0.25), eps=1e-4, weight_decay=0.1, decoupled_weight_decay=True),
        Adagrad(lr=0.5, lr_decay=0.1, weight_decay=0.2, initial_accumulator_value=0.3, eps=1e-4),
        Adadelta(lr=0.5, rho=0.5, eps=1e-4, weight_decay=0.1),
        Asgd(lr=0.5, lambd=0.1, alpha=0.2, t0=3.0, weight_decay=0.4),
        Muon(lr=0.5, weight_decay=0.3, momentum=0.5, nesterov=False, adjust_lr="match_rms_adamw"),
        Sgd(lr=0.5, momentum=0.9, weight_decay=0.1, nesterov=True),
        Sgd(lr=0.5, momentum=0.9, dampening=0.5),
        Rmsprop(lr=0.5, alpha=0.5, eps=1e-4, weight_decay=0.1, momentum=0.25, centered=True),
    ],
    ids=repr,
)
def test_settings_reach_torch(optimizer: Optimizer) -> None:
    built = evaluate(optimizer.lower(), [torch.nn.Parameter(torch.zeros(1, 1))])
    assert {name: built.defaults[name] for name in type(optimizer).model_fields} == optimizer.model_dump()


MISTAKES: list[tuple[type[Optimizer], dict[str, Any], str]] = [
    (Sgd, {"nesterov": True}, "`nesterov` needs `momentum` greater than 0"),
    (Sgd, {"nesterov": True, "momentum": 0.9, "dampening": 0.5}, "`nesterov` needs `dampening: 0`, found 0.5"),
    (Sgd, {"dampening": 0.5}, "`dampening` acts on momentum only"),
    (Sgd, {"lr": 0.0}, "greater than 0"),
    (Sgd, {"lr": "0.1"}, "a number greater than 0"),
    (Adam, {"betas": (0.9, 1.0)}, "less than 1"),
    (Adam, {"betas": (0.9,)}, "Field required"),
    (Adam, {"momentum": 0.9}, "Extra inputs"),
    (Adamw, {"decoupled_weight_decay": True}, "Extra inputs"),
    (Adamax, {"amsgrad": True}, "Extra inputs"),
    (Nadam, {"momentum_decay": -0.1}, "greater than or equal to 0"),
    (Radam, {"betas": (1.5, 0.9)}, "less than 1"),
    (Adagrad, {"initial_accumulator_value": -1.0}, "greater than or equal to 0"),
    (Adadelta, {"rho": 95.0}, "less than 1"),
    (Asgd, {"t0": -1.0}, "greater than or equal to 0"),
    (Muon, {"betas": (0.9, 0.95)}, "Extra inputs"),
    (Muon, {"momentum": 1.0}, "less than 1"),
    (Muon, {"adjust_lr": "spectral"}, "'original' or 'match_rms_adamw'"),
    (Rmsprop, {"eps": 0.0}, "greater than 0"),
    (Rmsprop, {"lr": float("inf")}, "finite"),
]


@pytest.mark.parametrize(("kind", "arguments", "message"), MISTAKES)
def test_mistakes_are_explained(kind: type[Optimizer], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        kind(**arguments)
