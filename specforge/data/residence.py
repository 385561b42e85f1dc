"""Where a data set's images stay while a run needs them: on the device, or where they are.

In: how many bytes they have, the device and the spec's `data.memory`. Out: a `Residence`, with the reason in words.

`auto` puts them on the device where they take at most half of what is free there when the run starts: the other half is
for the network, its gradients and what it keeps for the backward pass. Free is what the driver says of a GPU's memory,
and what the operating system can give without swapping otherwise, within the limit of the container. Where that cannot
be found out, the images go to the device, and a device that is too small says so.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

Memory = Literal["auto", "resident", "streamed"]

# the part of free memory that images may take
_SHARE = 0.5

_MEMINFO = Path("/proc/meminfo")
# limit and use of the container that the process runs in, by version 2 and 1 of Linux's control groups
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory.stat")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.stat"),
    ),
)


@dataclass(frozen=True, slots=True)
class Residence:
    """Whether the images are read batch by batch (`is_streamed`), and why."""

    is_streamed: bool
    reason: str

    def __str__(self) -> str:
        where = "are read while training" if self.is_streamed else "are on the device"
        return f"the images {where}: {self.reason}"


def residence(needed: int, memory: Memory, device: torch.device) -> Residence:
    """Where images of `needed` bytes stay."""
    if memory != "auto":
        return Residence(memory == "streamed", f"`data.memory` is `{memory}`")
    free = free_memory(device)
    if free is None:
        return Residence(False, f"how much memory is free on {device} cannot be found out")
    fits = needed <= _SHARE * free
    relation = "at most" if fits else "more than"
    return Residence(
        not fits, f"they need {_spelled(needed)}, {relation} half of the {_spelled(free)} that are free on {device}"
    )


def free_memory(device: torch.device) -> int | None:
    """Bytes that can be had on the device now; None where nobody says."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    of_machine = _available()
    of_container = [left for left in (_left(*files) for files in _LIMITS) if left is not None]
    known = [*of_container, *([] if of_machine is None else [of_machine])]
    return min(known, default=None)


def _available() -> int | None:
    """What Linux can give without swapping: free memory and what it keeps of files."""
    for line in _text(_MEMINFO).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(value.split()[0])
    return None


def _left(limit: Path, use: Path, statistics: Path) -> int | None:
    """What a container may still take; what it holds of files is given back when it is needed."""
    most, used = _text(limit).strip(), _text(use).strip()
    if not most.isdigit() or not used.isdigit():  # `max`: no limit
        return None
    names = dict(line.split() for line in _text(statistics).splitlines() if len(line.split()) == 2)
    return max(0, int(most) - int(used) + int(names.get("inactive_file", "0")))


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _spelled(count: int) -> str:
    size = count / 2**30
    return f"{size:.1f} GiB" if size >= 0.1 else f"{count / 2**20:.1f} MiB"
