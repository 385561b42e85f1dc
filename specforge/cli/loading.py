"""Imports whose results last: nothing that they make is ever searched for garbage.

In: a block that imports. Out: the same modules, sooner. Python's collector looks through all that it knows while there
is more and more of it, and again when the process ends: a fifth of `validate`'s time, a sixth of torch's import, and
0.3 s at the end of a command that loaded torch.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Collect nothing inside, and leave out for good what exists at the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_torch() -> None:
    """What a command that computes begins with; raises `MissingExtra` where a package is missing."""
    from specforge.experiment import require_training_packages

    with lasting():
        require_training_packages()
        import torch  # noqa: F401  loaded for the others


def leave() -> None:
    """At the end of the process, search nothing; but torch's compiler complains of what it finds left over."""
    if "triton" not in sys.modules:
        gc.freeze()
