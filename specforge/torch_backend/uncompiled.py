"""Optimizers that leave torch's compiler where it is.

In: a class of optimizers. Out: a class of the same name that computes the same and does not load the compiler.

    uncompiled(torch.optim.Adam)(module.parameters())    # "torch._dynamo" is not imported

torch marks methods of its optimizers for its compiler, by decorators that import it when they are first called: a
thousand modules and a second before the first step, for marks that mean nothing unless the step itself is compiled.
Only such decorators are taken off; a torch that marks its methods in another way keeps its marks, and the second.
"""

from collections.abc import Callable
from inspect import getattr_static, isfunction

import torch

_COMPILER = "torch._dynamo"


def uncompiled(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The class without the compiler's marks; arguments, parameters, state and hooks are those of `kind`."""
    functions = {name: found for name in dir(kind) if isfunction(found := getattr_static(kind, name))}
    methods = {name: plain for name, found in functions.items() if (plain := _unmarked(found)) is not None}
    if "step" in methods:
        # its decorator also turned gradients off; torch's hooks are put around it again by the first object
        methods["step"] = torch.no_grad()(methods["step"])
    described = {"__doc__": kind.__doc__, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), {**described, **methods})


def _unmarked(method: Callable[..., object]) -> Callable[..., object] | None:
    """What the innermost decorator that imports the compiler was put around; None where none does."""
    found, layer = None, method
    while (inner := getattr(layer, "__wrapped__", None)) is not None:
        code = getattr(layer, "__code__", None)
        if code is not None and _COMPILER in code.co_names:
            found = inner
        layer = inner
    return found
