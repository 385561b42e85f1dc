"""The fuzzer itself: a short run of it over this tree, and that it sees what it is there to see."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from specforge.analysis import Analysis, analyse
from tests.fuzz import verdict
from tests.fuzz.campaign import Workers
from tests.fuzz.cases import Case, make_case
from tests.fuzz.minimise import minimised
from tests.fuzz.samples import compiled, on_the_command_line
from tests.fuzz.session import Session

ROOT = Path(__file__).parents[2]
CASES = 2_000
GOOD = b"specforge: 1\nname: good\nmodel: {input: [3], layers: [linear: 3]}\n"


def test_two_thousand_specs_break_no_promise(tmp_path: Path) -> None:
    session = Session(0, tmp_path, samples=False)
    session.run(range(CASES), workers=2)
    told = [f"{key}: {again.detail}\n{case.spec!r}" for key, (_, case, again) in session.failures.items()]
    assert not told, "\n".join(told)
    assert session.cases == CASES
    assert session.with_graph > CASES / 10, "the cases must reach what lies behind the checks"


def test_a_case_is_the_same_every_time() -> None:
    assert [make_case(3, number) for number in range(40)] == [make_case(3, number) for number in range(40)]
    assert len({make_case(seed, 1).spec for seed in range(20)}) > 15


def raising(path: str, settings: tuple[str, ...] = ()) -> Analysis:
    raise KeyError(path)


def endless(path: str, settings: tuple[str, ...] = ()) -> Analysis:
    while True:
        pass


def silent(path: str, settings: tuple[str, ...] = ()) -> Analysis:
    analysis = analyse(path)
    analysis.graph = None
    return analysis


@pytest.mark.parametrize(("broken", "failing"), [(raising, "exception"), (endless, "slow"), (silent, "silent")])
def test_a_broken_promise_is_seen(
    broken: Callable[..., Analysis], failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_bytes(GOOD)
    monkeypatch.setattr(verdict, "MAX_SECONDS", 0.2)
    assert verdict.judge().failing == ""
    monkeypatch.setattr(verdict, "analyse", broken)
    assert verdict.judge().failing == failing


def test_memory_is_measured_at_its_peak() -> None:
    """In a process of its own: what other tests leave to the allocator would hide what this one takes."""
    program = """
from tests.fuzz.verdict import _memory
before = _memory(reset=True)
assert b"1" * (200 * 1024 * 1024)
print(_memory() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert 190 < float(done.stdout) < 230


def test_too_much_memory_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_bytes(GOOD)
    measured = iter([50.0, 500.0])
    monkeypatch.setattr(verdict, "_memory", lambda **_: next(measured))
    assert verdict.judge().failing == "memory"


def test_a_process_that_dies_is_a_failure() -> None:
    with Workers(1) as pool:
        pool.workers[0].process.kill()
        assert pool.judge(Case("", GOOD, b"")).failing == "crash"
        assert pool.judge(Case("", GOOD, b"")).failing == "", "the next case has a new process"


def test_what_fails_is_made_small() -> None:
    data = b"a\nb\nc: {x: 1, y: 2}\nd\n" * 5
    assert minimised(data, lambda left: b"y" in left) == b"y"


def test_the_samples_see_failures(tmp_path: Path) -> None:
    assert on_the_command_line(Case("", GOOD, b""), 0, tmp_path / "cli").failing == ""
    good, wrong = compiled([Case("", GOOD, b""), Case("", b"specforge: 1\nname: none\n", b"")], tmp_path)
    assert (good.failing, wrong.failing, wrong.place) == ("", "build", "SpecError")
