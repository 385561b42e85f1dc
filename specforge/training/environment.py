"""What a run was made with, for `environment.json`."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import torch

from specforge import __version__
from specforge.training.device import device_name

# what can change the last bits of a result
_DECISIVE = ("torch", "device_name", "threads", "processes")
_COUNT = "processes"

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


def notice(before: Environment, now: Environment, *, by_process: Sequence[str] = ()) -> str:
    """What to know of a run that goes on: results may differ in their last digits, or by more.

    `by_process` is what a network has that goes on differently with another number of processes.
    """
    apart = bool(by_process) and _COUNT in before and before[_COUNT] != now[_COUNT]
    changed = differences({name: value for name, value in before.items() if name != _COUNT or not apart}, now)
    sentences = []
    if apart:
        verb = "goes" if len(by_process) == 1 else "go"
        what = " and ".join(by_process)
        sentences.append(
            f"processes {before[_COUNT]} -> {now[_COUNT]}: {what} {verb} on differently, see docs/distributed.md"
        )
    if changed:
        sentences.append(f"the environment has changed ({changed}), so results may differ in the last digits")
    return "; ".join(sentences)


def differences(before: Environment, now: Environment) -> str:
    """What differs so that results may too: `torch 2.11.0 -> 2.15.0`; empty when nothing does."""
    changed = (name for name in _DECISIVE if name in before and before[name] != now[name])
    return ", ".join(f"{name.replace('_', ' ')} {before[name]} -> {now[name]}" for name in changed)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
