"""Evaluates constructor expressions against a closed table.

In: a `Call` that a catalogue entry lowered to. Out: what it builds.

    evaluate(Call("torch.nn.Linear", {"in_features": 8, "out_features": 2}))   # nn.Linear(8, 2)
    evaluate(Call("torch.optim.SGD", {"lr": 0.1}), module.parameters())         # positional arguments go first

The table holds torch's modules, optimizers and initialisers, the modules of `specforge.modules`, Muon and the
initialisers that torch lacks, and nothing else: a target is a key of it, never a path to import.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import getmembers, isclass, isfunction
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import torch

from specforge import modules
from specforge.catalog.definition import Call
from specforge.torch_backend.initializers import dirac_beginning_, whitening_
from specforge.torch_backend.muon import Muon
from specforge.torch_backend.uncompiled import uncompiled


def evaluate(call: Call, *positional: object) -> Any:
    """Build what the expression says; Calls among its arguments are built first. KeyError for an unknown target."""
    return TABLE[call.target](*positional, **{name: _value(value) for name, value in call.arguments.items()})


def _value(value: object) -> object:
    if isinstance(value, Call):
        return evaluate(value)
    if isinstance(value, tuple):
        return tuple(_value(entry) for entry in value)
    return value


def _classes(room: ModuleType, base: type) -> Iterator[tuple[str, type]]:
    """The public classes of a room that derive from a base."""
    return ((name, found) for name, found in getmembers(room, isclass) if issubclass(found, base) and name[0] != "_")


def _own_modules() -> Iterator[tuple[str, type]]:
    """The classes that the files of `specforge.modules` define, not those that they import."""
    for file in iter_modules(modules.__path__):
        room = import_module(f"specforge.modules.{file.name}")
        yield from (entry for entry in _classes(room, torch.nn.Module) if entry[1].__module__ == room.__name__)


def _initializers() -> Iterator[tuple[str, Callable[..., object]]]:
    """The functions that change a tensor in place; torch ends their names with an underscore."""
    return ((name, found) for name, found in getmembers(torch.nn.init, isfunction) if name[0] != "_" == name[-1])


TABLE: dict[str, Callable[..., Any]] = {
    **{f"torch.nn.{name}": found for name, found in _classes(torch.nn, torch.nn.Module)},
    **{f"torch.optim.{name}": uncompiled(found) for name, found in _classes(torch.optim, torch.optim.Optimizer)},
    "specforge.torch_backend.muon.Muon": uncompiled(Muon),
    "torch.tensor": torch.tensor,
    **{f"torch.nn.init.{name}": found for name, found in _initializers()},
    "specforge.torch_backend.initializers.dirac_beginning_": dirac_beginning_,
    "specforge.torch_backend.initializers.whitening_": whitening_,
    **{f"specforge.modules.{name}": found for name, found in _own_modules()},
}
