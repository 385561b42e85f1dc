"""Where to compute: from the name that a user gives to a torch device, and what that device is called."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from specforge.training.errors import TrainingError

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def choose_device(name: str | None = None) -> torch.device:
    """`auto` (or None) takes a CUDA GPU, else Apple's, else the CPU; a name that is not there is a TrainingError."""
    if name in (None, "auto"):
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        device = torch.device(str(name))
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise TrainingError(f"unknown device `{name}`", hint="use auto, cpu, cuda, cuda:0 (1, 2, …) or mps")
    _is_there(device)
    return device


def _is_there(device: torch.device) -> None:
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count == 0:
            built = "finds no GPU" if torch.version.cuda or torch.version.hip else "was installed for the CPU only"
            raise TrainingError(f"device `{device}` is not available: torch {built}", hint="use `--device cpu`")
        if (device.index or 0) >= count:
            raise TrainingError(
                f"device `{device}` is not available: there are {count} GPUs", hint=f"use cuda:0 to cuda:{count - 1}"
            )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise TrainingError("device `mps` is not available: it needs an Apple GPU", hint="use `--device cpu`")


def device_name(device: torch.device) -> str:
    """The product's name where it is known: `NVIDIA H100 80GB HBM3`."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    facts = Path("/proc/cpuinfo")
    if device.type == "cpu" and facts.is_file():
        for line in facts.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def place(module: nn.Module, device: torch.device) -> nn.Module:
    """Move a module to a device, its convolutions' weights channels last, as the batches are."""
    # torch's type stubs do not know the form that takes a device and a memory format
    return module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@contextmanager
def repeatable(*, bitwise: bool = False) -> Iterator[None]:
    """cuDNN's algorithms that give the same bits every time, chosen by rule: a resumed run must repeat them.

    With `bitwise`, all operations are such, also those that add in no fixed order on a GPU; one without such a form is
    a TrainingError. The caller's settings are put back.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    memory: Any = torch.utils.deterministic  # torch's type stubs don't know its setting
    strict = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    cudnn.deterministic, cudnn.benchmark = True, False
    if bitwise:
        os.environ.setdefault(_CUBLAS, ":4096:8")  # read when matrices are first multiplied
        torch.use_deterministic_algorithms(True)
        memory.fill_uninitialized_memory = False  # nothing here reads what nobody wrote
    try:
        yield
    except RuntimeError as error:
        if not bitwise or "deterministic" not in str(error):
            raise
        why = str(error).partition(". ")[0]
        raise TrainingError(f"`deterministic: true` can't be kept: {why}", hint="remove `deterministic`") from error
    finally:
        cudnn.deterministic, cudnn.benchmark = before
        torch.use_deterministic_algorithms(strict[0])
        memory.fill_uninitialized_memory = strict[1]
