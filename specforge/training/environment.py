"""What a run was made with, for `environment.json`."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import torch

from specforge import __version__
from specforge.training.device import device_name

# what can change the last bits of a result
_DECISIVE = ("torch", "device_name", "threads", "processes")

Environment = dict[str, str | int | None]


def environment(device: torch.device, *, processes: int = 1) -> Environment:
    """Versions, machine and the time, in UTC. torchvision is asked for its version without importing it."""
    return {
        "specforge": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": _version("torchvision"),
        "platform": platform.platform(),
        "device": str(device),
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def differences(before: Environment, now: Environment) -> str:
    """What differs so that results may too: `torch 2.11.0 -> 2.15.0`; empty when nothing does."""
    changed = (name for name in _DECISIVE if name in before and before[name] != now[name])
    return ", ".join(f"{name.replace('_', ' ')} {before[name]} -> {now[name]}" for name in changed)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
