"""What this process and the ones that it started have used: processor time, and the most memory they held.

Linux tells all of it in `/proc`; elsewhere only this process is counted.
"""

import multiprocessing
import os
import resource
import sys
from pathlib import Path
from time import process_time

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """Of all threads of this process and of its children, such as the workers of a DataLoader."""
    return process_time() + sum(_cpu_seconds(child) for child in _children())


def peak_bytes() -> int:
    """The most that this process ever held, and what its children hold now that they do not share with others."""
    return _peak_bytes() + sum(_private_bytes(child) for child in _children())


def _children() -> list[int]:
    return [process.pid for process in multiprocessing.active_children() if process.pid is not None]


def _cpu_seconds(process: int) -> float:
    """In nanoseconds where the kernel tells, else in its ticks of a hundredth of a second."""
    folder = Path(f"/proc/{process}")
    try:
        files = list((folder / "task").glob("*/schedstat"))
        if files:
            return sum(int(file.read_text(encoding="ascii").split()[0]) for file in files) / 1e9
        fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    except OSError:  # it has just ended
        return 0.0


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():  # `getrusage` counts what the parent held when it started this process
        return _kilobytes(status, "VmHWM:")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _private_bytes(process: int) -> int:
    try:
        return _kilobytes(Path(f"/proc/{process}/smaps_rollup"), "Private_Clean:", "Private_Dirty:")
    except OSError:
        return 0


def _kilobytes(file: Path, *names: str) -> int:
    lines = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return 1024 * sum(int(words[1]) for words in lines if words and words[0] in names)
