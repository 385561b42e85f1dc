"""From turns to tables: ratios of each round, targets, and ways that are not there."""

from dataclasses import replace

import pytest

from benchmarks import throughput
from benchmarks.cases import Case
from benchmarks.processes import Turn
from benchmarks.throughput import CASES, Measured, comparisons, report, targets
from benchmarks.ways import COMPARED, WAYS

CASE = Case("lab2_bn", 128, "flip_crop")


def turns(*images_per_second: float, cpu: float = 1.0, peak: int = 1_000_000_000) -> list[Turn]:
    return [Turn(384 / speed, cpu, 384, peak) for speed in images_per_second]


@pytest.fixture
def measured() -> Measured:
    """The machine was half as fast in the second round."""
    found = {
        "specforge": turns(2000, 1000, 2000, cpu=0.5, peak=1_150_000_000),
        "bare": turns(1000, 500, 1000),
        "tutorial": turns(1500, 750, 1500),
        "batches": [Turn(0.03, 0.03, 384, 1)] * 3,
        "plain batches": [Turn(0.006, 0.006, 384, 1)] * 3,
    }
    return Measured(CASE, found, {"lightning": "lightning not installed (pip install -e '.[bench]')"})


def test_speeds_are_compared_round_by_round(measured: Measured) -> None:
    rows = {row.name.partition(": ")[2]: row for row in comparisons(measured)}
    assert rows["bare tuned loop"].ratios == pytest.approx([2.0, 2.0, 2.0])
    assert rows["bare tuned loop"].verdict == "met"
    assert rows["tutorial loop, DataLoader"].verdict == "MISSED"


def test_the_share_of_augmentation_is_what_it_adds_to_the_data_path(measured: Measured) -> None:
    row = next(row for row in comparisons(measured) if row.name.endswith("augmentation in a step"))
    assert row.ours == pytest.approx([8.0] * 3)  # milliseconds of a step, of 64, 128 and 64
    assert row.ratio == pytest.approx(0.125)
    assert row.verdict == "MISSED"


def test_memory_is_set_beside_the_bare_loops_and_the_data_set(measured: Measured) -> None:
    row = next(row for row in comparisons(measured) if row.name.endswith("peak memory"))
    assert row.theirs == pytest.approx([1000 + 60_000 * 3072 / 1e6])
    assert row.ratio == pytest.approx(1150 / 1184.32)
    assert row.verdict == "met"


def test_the_table_has_a_line_for_each_way_and_says_what_is_missing(measured: Measured) -> None:
    lines = report(measured).splitlines()
    assert lines[0] == "lab2_bn, batch 128, flip and crop: medians of 3 rounds of 3 steps"
    assert " ".join(lines[1].split()) == "way images/s faster than middle half CPU ms/image needs of peak MB"
    assert " ".join(lines[2].split()) == "specforge train 2000 1.302 1150"
    assert " ".join(lines[3].split()) == "bare tuned loop 1000 2.00× 2.00 to 2.00 2.604 0.50× 1000"
    assert lines[-1] == "Lightning: lightning not installed (pip install -e '.[bench]')"


def test_a_peer_that_is_not_installed_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WAYS, "lightning", replace(WAYS["lightning"], needs=("no_such_package",)))
    found = throughput.measure(CASE, ["lightning"], seconds=0)
    assert found.turns == {}
    assert "no_such_package not installed (pip install -e '.[bench]')" in report(found)
    assert comparisons(found) == []


def test_a_way_that_fails_is_listed_with_its_reason() -> None:
    case = Case("no_such_spec", 8, "none", images=32)
    found = throughput.measure(case, ["bare"], seconds=0)
    assert found.turns == {}
    assert "bare tuned loop: failed: ValueError: no network is written by hand for `no_such_spec`" in report(found)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_way_is_compared_in_every_case(case: Case) -> None:
    assert targets(case).keys() >= set(COMPARED) - {"specforge"}
    assert set(targets(case)) <= WAYS.keys()
