"""What this machine has, what is broken of it, and which command mends it.

In: nothing but the environment. Out: findings in the order in which training needs the parts. Nothing raises: a part
that fails to load is a finding.
"""

import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from shutil import which
from typing import Literal, NamedTuple

from specforge import __version__
from specforge.experiment import TRAINING_PACKAGES

State = Literal["fine", "absent", "broken"]
REINSTALL = "pip install --force-reinstall torch torchvision"
OPTIONAL = ("torchvision",)  # torchvision only downloads data sets, so a run can do without it


class Finding(NamedTuple):
    """One part: what it is, how it stands, and for what is absent or broken the command that mends it."""

    part: str
    state: State
    says: str
    mend: str | None = None


def examine() -> list[Finding]:
    """All parts. A core without torch is fine: it proves and compares specs."""
    return list(_findings())


def _findings() -> Iterator[Finding]:
    yield Finding("specforge", "fine", f"{__version__}, Python {platform.python_version()} ({sys.executable})")
    found = {package: _package(package) for package in TRAINING_PACKAGES}
    yield from found.values()
    if found["torch"].state == "fine":
        for examined in (_device, _memory, _compiler):
            yield _guarded(examined)


def _package(name: str) -> Finding:
    """Whether it is installed, and loads."""
    try:
        number = version(name)
    except PackageNotFoundError:
        return Finding(name, "absent", "not installed: training needs it", f"pip install {' '.join(TRAINING_PACKAGES)}")
    try:
        loaded = import_module(name)
    except Exception as error:  # noqa: BLE001  whatever a broken package raises is the finding
        mend = REINSTALL if name in ("torch", "torchvision") else f"pip install --force-reinstall {name}"
        unharmed = ": only downloads need it" if name in OPTIONAL else ""
        return Finding(name, "broken", f"{number} does not load{unharmed}: {_first_line(error)}", mend)
    return Finding(name, "fine", str(getattr(loaded, "__version__", number)))  # torch's own names its CUDA


def _device() -> Finding:
    import torch

    from specforge.training.device import choose_device, device_name

    device = choose_device()
    says = f"{device}: {device_name(device)}, {torch.get_num_threads()} threads"
    if device.type == "cpu" and (torch.version.cuda or torch.version.hip):
        says += "; torch is built for a GPU and finds none"
    return Finding("device", "fine", says)


def _memory() -> Finding:
    from specforge.training.allocation import SWITCH, why_not
    from specforge.training.device import choose_device

    reason = why_not(choose_device())
    kept = f"kept from step to step while training, which saves page faults; {SWITCH}=0 turns it off"
    return Finding("memory", "fine", kept if reason is None else f"not kept from step to step: {reason}")


def _compiler() -> Finding:
    from specforge.training.compilation import PAYS_AFTER
    from specforge.training.device import choose_device

    if choose_device().type == "cuda":
        return Finding("compile", "fine", f"`auto` compiles networks for runs of {PAYS_AFTER:,} steps and more")
    found = next((path for path in map(which, ("c++", "g++", "clang++")) if path), None)
    says = "`auto` does not compile on this device"
    return Finding("compile", "fine", f"{says}; `always` would use {found}" if found else f"{says}, nothing here could")


def _guarded(examined: Callable[[], Finding]) -> Finding:
    try:
        return examined()
    except Exception as error:  # noqa: BLE001  a driver that fails is the finding
        return Finding(examined.__name__.strip("_"), "broken", _first_line(error), REINSTALL)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
