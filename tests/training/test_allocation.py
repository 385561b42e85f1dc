"""Freed memory stays with the process while a run lasts, and only then."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from specforge.training.allocation import SWITCH, kept_pages, why_not

CPU = torch.device("cpu")
OF_THE_C_LIBRARY = ("MALLOC_", "GLIBC_TUNABLES", SWITCH)
on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")

# Page faults of steps that allocate and free 120 MB, before a run, in it and after it. Blocks of 40 MB are
# always mapped by a C library that was told nothing.
PROGRAM = """
import torch
from resource import RUSAGE_SELF, getrusage
from specforge.training.allocation import kept_pages

def faults():
    before = getrusage(RUSAGE_SELF).ru_minflt
    for _ in range(5):
        tensors = [torch.ones(10_000_000) for _ in range(3)]
        del tensors
    return getrusage(RUSAGE_SELF).ru_minflt - before

faults()
before = faults()
with kept_pages(torch.device("cpu")):
    faults()
    within = faults()
after = faults()
print(before, within, after)
"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(OF_THE_C_LIBRARY):
            monkeypatch.delenv(name)


def counted() -> list[int]:
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return [int(word) for word in finished.stdout.split()]


@on_glibc
def test_steps_touch_no_new_pages_while_a_run_lasts() -> None:
    before, within, after = counted()
    assert before > 10_000, "without it there is something to save"
    assert within < before / 100
    assert after > before / 10, "afterwards memory goes back to the system"


@on_glibc
def test_the_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    assert why_not(CPU) == f"{SWITCH}=0"
    before, within, _ = counted()
    assert within > before / 2


@pytest.mark.parametrize(("name", "value"), [("MALLOC_MMAP_MAX_", "10"), ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")])
@on_glibc
def test_what_the_user_told_the_c_library_stays(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert why_not(CPU) == f"{name} set the C library already"


def test_other_systems_and_devices_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not(torch.device("cuda")) == "cuda has an allocator of its own"
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert why_not(CPU) == "only the C library of Linux (glibc) can be told to"
    with kept_pages(CPU):
        pass
