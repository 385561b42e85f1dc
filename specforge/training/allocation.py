"""Memory of training on a CPU: what one step gives back, the next one takes, without asking the system in between.

Every step of training allocates and frees the same hundreds of megabytes. The C library of Linux hands large blocks
back to the kernel at once, and the kernel clears each page anew when it is touched again, which takes a fifth of a
step. While a run lasts, `kept_pages` makes it keep them. No result changes, and no environment variable or second
process is needed. Whoever has set the C library's own variables (`MALLOC_…_`, `GLIBC_TUNABLES`) keeps what they say.
"""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

SWITCH = "SPECFORGE_KEEP_PAGES"  # 0 turns it off
# of <malloc.h>, as are the numbers' meanings
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_MIB = 2**20
# never a mapping of its own, never a shorter heap; growing in steps of 64 MiB
_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 * _MIB}
# where the C library's own adaptation ends up; it stops adapting once it was told something
_USUAL = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 32 * _MIB, _TRIM_THRESHOLD: 64 * _MIB, _TOP_PAD: _MIB // 8}


def why_not(device: torch.device) -> str | None:
    """Why pages are not kept; None where they are."""
    if device.type != "cpu":
        return f"{device.type} has an allocator of its own"
    if platform.libc_ver()[0] != "glibc":
        return "only the C library of Linux (glibc) can be told to"
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0"
    own = [name for name in os.environ if name.startswith("MALLOC_") and name.endswith("_")]
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        own.append("GLIBC_TUNABLES")
    return f"{', '.join(sorted(own))} set the C library already" if own else None


@contextmanager
def kept_pages(device: torch.device) -> Iterator[None]:
    """Keep freed memory for the next step; afterwards give it back, and allocate as usual."""
    if why_not(device) is not None:
        yield
        return
    library = ctypes.CDLL(None)
    _tell(library, _KEEP)
    try:
        yield
    finally:
        _tell(library, _USUAL)
        library.malloc_trim(0)


def _tell(library: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        library.mallopt(option, value)
