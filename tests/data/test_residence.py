"""Where images stay: measured when the run starts, or as the spec says."""

from pathlib import Path

import pytest
import torch

from specforge.data import residence as rule
from specforge.data.residence import free_memory, residence

CPU, GIB = torch.device("cpu"), 2**30


@pytest.mark.parametrize(
    ("needed", "is_streamed", "reason"),
    [
        (3 * GIB, False, "they need 3.0 GiB, at most half of the 6.0 GiB that are free on cpu"),
        (3 * GIB + 1, True, "they need 3.0 GiB, more than half of the 6.0 GiB that are free on cpu"),
        (2**20, False, "they need 1.0 MiB, at most half of the 6.0 GiB that are free on cpu"),
    ],
)
def test_half_of_what_is_free(needed: int, is_streamed: bool, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "free_memory", lambda device: 6 * GIB)
    found = residence(needed, "auto", CPU)
    assert (found.is_streamed, found.reason) == (is_streamed, reason)
    assert str(found).startswith("the images are read while training: " if is_streamed else "the images are on the dev")


def test_the_spec_decides_before_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "free_memory", lambda device: 6 * GIB)
    assert not residence(100 * GIB, "resident", CPU).is_streamed
    streamed = residence(1, "streamed", CPU)
    assert str(streamed) == "the images are read while training: `data.memory` is `streamed`"


def test_where_nobody_says_how_much_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "_MEMINFO", tmp_path / "missing")
    monkeypatch.setattr(rule, "_LIMITS", ())
    assert free_memory(CPU) is None
    found = residence(100 * GIB, "auto", CPU)
    assert (found.is_streamed, found.reason) == (False, "how much memory is free on cpu cannot be found out")


def test_a_gpu_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (7 * GIB, 80 * GIB))
    assert free_memory(torch.device("cuda", 1)) == 7 * GIB


@pytest.mark.parametrize(
    ("most", "used", "statistics", "expected"),
    [
        ("max", str(GIB), "", 8 * GIB),
        (str(4 * GIB), str(GIB), "anon 5\ninactive_file 1024\n", 3 * GIB + 1024),
        (str(4 * GIB), str(5 * GIB), "", 0),
        (str(64 * GIB), str(GIB), "", 8 * GIB),
        (None, None, None, 8 * GIB),
    ],
)
def test_within_the_limit_of_the_container(
    most: str | None,
    used: str | None,
    statistics: str | None,
    expected: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = []
    for name, text in (("max", most), ("current", used), ("stat", statistics)):
        files.append(tmp_path / name)
        if text is not None:
            files[-1].write_text(text)
    (tmp_path / "meminfo").write_text(f"MemTotal: 99 kB\nMemFree: 5 kB\nMemAvailable: {8 * 2**20} kB\n")
    monkeypatch.setattr(rule, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(rule, "_LIMITS", (tuple(files),))
    assert free_memory(CPU) == expected


def test_this_machine_says_something() -> None:
    free = free_memory(CPU)
    assert free is None or 0 <= free < 2**50
