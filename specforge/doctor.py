"""What this machine has, what is broken of it, and which command mends it.

In: nothing but the environment. Out: findings in the order in which training needs the parts. Nothing raises: a part
that fails to load is a finding.
"""

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from shutil import which
from typing import Literal, NamedTuple

from specforge import __version__
from specforge.experiment import TRAINING_PACKAGES

State = Literal["fine", "absent", "broken"]
REINSTALL = "pip install --force-reinstall torch torchvision"
# what a run can do without, and what cannot be done without it
OPTIONAL = {"torchvision": "only downloads need it", "pillow": "only `image_folder` needs it"}
# room in the folder of runs below which a run may not end: a few checkpoints of a large network
LEAST_ROOM = 2**30
# of matplotlib's drawing systems those that open no window
_WINDOWLESS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


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
    found = {package: _package(package) for package in (*TRAINING_PACKAGES, "pillow")}
    yield from found.values()
    for examined in (_display, _temporary, _disk):
        yield examined()
    if found["torch"].state == "fine":
        for examined in (_device, _memory, _compiler):
            yield _guarded(examined)


def _package(name: str) -> Finding:
    """Whether it is installed, loads, and fits the others."""
    try:
        number = version(name)
    except PackageNotFoundError:
        if name in OPTIONAL:
            return Finding(name, "absent", f"not installed: {OPTIONAL[name]}", f"pip install {name}")
        return Finding(name, "absent", "not installed: training needs it", f"pip install {' '.join(TRAINING_PACKAGES)}")
    mend = REINSTALL if name in ("torch", "torchvision") else f"pip install --force-reinstall {name}"
    unharmed = f": {OPTIONAL[name]}" if name in OPTIONAL else ""
    meant = _meant_for() if name == "torchvision" else None
    if meant:
        return Finding(name, "broken", f"{number} does not fit{unharmed}: {meant}", mend)
    try:
        loaded = _load(name)
    except Exception as error:  # noqa: BLE001  whatever a broken package raises is the finding
        return Finding(name, "broken", f"{number} does not load{unharmed}: {_first_line(error)}", mend)
    return Finding(name, "fine", str(getattr(loaded, "__version__", number)))  # torch's own names its CUDA


def _load(name: str) -> object:
    """matplotlib without the backend of the environment, which `_display` looks at."""
    chosen = os.environ.pop("MPLBACKEND", None) if name == "matplotlib" else None
    try:
        return import_module("PIL" if name == "pillow" else name)
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen


def _meant_for() -> str | None:
    """The torch that torchvision was built for, where it is not the one that is here."""
    try:
        here = version("torch").partition("+")[0]
        needed = [re.match(r"torch\s*\(?==\s*([\d.]+)", line) for line in requires("torchvision") or ()]
    except PackageNotFoundError:
        return None
    wanted = next((found[1] for found in needed if found), here)
    return None if wanted == here else f"it was built for torch {wanted}, and torch {here} is installed"


def _display() -> Finding:
    """Whether `MPLBACKEND` names something that cannot be had; no run needs it."""
    chosen = os.environ.get("MPLBACKEND", "")
    if not chosen:
        return Finding("display", "fine", "not needed: pictures are drawn into memory")
    seen = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    why = None
    if not _knows(chosen):
        why = "is nothing that matplotlib knows"
    elif not seen and chosen.lower() not in _WINDOWLESS and not chosen.startswith("module://"):
        why = "draws in windows, and there is no display"
    if why:
        says = f"MPLBACKEND={chosen} {why}: pictures are drawn into memory without it"
        return Finding("display", "absent", says, "unset MPLBACKEND")
    return Finding("display", "fine", f"MPLBACKEND={chosen} is not used: pictures are drawn into memory")


def _knows(backend: str) -> bool:
    """Whether matplotlib takes a backend's name; where it is not installed, nobody asks."""
    try:
        import_module("matplotlib.rcsetup").validate_backend(backend)
    except ValueError:
        return False
    except Exception:  # noqa: BLE001  a broken matplotlib is a finding of its own
        return True
    return True


def _temporary() -> Finding:
    try:
        folder = tempfile.gettempdir()
        with tempfile.TemporaryFile() as file:
            file.write(b"written")
    except OSError as error:
        says = f"no folder for temporary files can be written to: {error.strerror or _first_line(error)}"
        return Finding("temporary", "broken", says, "export TMPDIR=DIR, with a folder that you may write to")
    return Finding("temporary", "fine", folder)


def _disk() -> Finding:
    try:
        here = Path.cwd()
        free = shutil.disk_usage(here).free
    except OSError as error:
        return Finding("disk", "broken", f"this folder cannot be read: {error.strerror}", "cd to another folder")
    says = f"{free / 2**30:,.1f} GiB are free in {here}"
    if free < LEAST_ROOM:
        mend = "specforge train SPEC --out DIR, with a folder on another disk; or make room on this one"
        return Finding("disk", "broken", f"{says}: a run keeps several checkpoints", mend)
    return Finding("disk", "fine", says)


def _device() -> Finding:
    import torch

    from specforge.training.device import choose_device, device_name

    device = choose_device()
    says = f"{device}: {device_name(device)}, {torch.get_num_threads()} threads"
    if device.type != "cpu":
        return Finding("device", "fine", says)
    built = torch.version.cuda or torch.version.hip
    if built:
        says += "; torch is built for a GPU and finds none"
    if not _has_nvidia():
        return Finding("device", "fine", says)
    if built:
        says += ", but there is an NVIDIA GPU: its driver does not answer, or is too old for this torch"
        return Finding("device", "absent", says, "nvidia-smi, which says what is wrong with the driver")
    return Finding("device", "absent", f"{says}; there is an NVIDIA GPU, but torch is built for the CPU", REINSTALL)


def _has_nvidia() -> bool:
    return Path("/dev/nvidia0").exists() or which("nvidia-smi") is not None


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
