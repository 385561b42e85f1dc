"""The file of results: canonical, whole, and never written over when it is something else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from specforge.reproduction.errors import ReproductionError
from specforge.reproduction.results import Results, record, save
from specforge.training.lock import locked
from tests.reproduction.runs import measurement

NOW, BEFORE, OTHER = "a" * 64, "b" * 64, "c" * 64


def test_the_file_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    runs = [
        ("two", NOW, measurement(seed=1, spec_hash=NOW)),
        ("one", OTHER, measurement(seed=10, spec_hash=OTHER)),
        ("one", OTHER, measurement(seed=9, spec_hash=OTHER)),
        ("two", NOW, measurement(spec_hash=BEFORE, settings=("train.epochs=5",))),
        ("two", NOW, measurement(spec_hash=NOW)),
    ]
    for number, order in enumerate((runs, runs[::-1])):
        for name, spec_hash, run in order:
            record(tmp_path / f"{number}.json", name, spec_hash, run)
    first, second = ((tmp_path / f"{number}.json").read_bytes() for number in range(2))
    assert first == second
    specs = json.loads(first)["specs"]
    assert list(specs) == ["one", "two"]
    assert [run["seed"] for run in specs["one"]["runs"]] == [9, 10]
    assert [(run["settings"], run["seed"]) for run in specs["two"]["runs"]] == [
        ([], 0),
        ([], 1),
        (["train.epochs=5"], 0),
    ]


def test_reading_and_saving_changes_no_byte(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    record(file, "one", NOW, measurement(spec_hash=NOW, test_loss=0.1 + 0.2))
    written = file.read_bytes()
    save(file, Results.read(file))
    assert file.read_bytes() == written
    assert b"0.30000000000000004" in written


def test_a_run_of_the_same_experiment_is_replaced_and_told_of(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    old, new = measurement(spec_hash=NOW), measurement(spec_hash=NOW, test_accuracy=0.8)
    assert record(file, "one", NOW, old).replaced is None
    assert record(file, "one", NOW, old).replaced is None
    assert record(file, "one", NOW, new).replaced == old
    assert Results.read(file).of("one") == (new,)


def test_a_run_of_what_the_spec_was_before_stays(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    record(file, "one", BEFORE, measurement(spec_hash=BEFORE))
    record(file, "one", NOW, measurement(spec_hash=NOW))
    assert {run.spec_hash for run in Results.read(file).of("one")} == {NOW, BEFORE}
    assert Results.read(file).specs["one"].spec_hash == NOW


def test_a_missing_file_is_empty_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "results.json"
    assert Results.read(file).of("one") == ()
    record(file, "one", NOW, measurement(spec_hash=NOW))
    assert [path.name for path in file.parent.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "valid dict"),
        ('{"format": 2, "specs": {}}', "at `format`"),
        ('{"specs": {"one": {"spec_hash": "", "runs": [{"seed": 0}]}}}', "at `specs.one.runs.0.spec_hash`"),
        ('{"specs": {}, "more": 1}', "at `more`"),
    ],
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(content)
    with pytest.raises(ReproductionError, match="does not hold results") as raised:
        record(file, "one", NOW, measurement())
    assert reason in raised.value.message
    assert "--results" in (raised.value.hint or "")
    assert file.read_text() == content


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReproductionError, match="cannot write"):
        save(tmp_path / "file" / "results.json", Results())


_RECORDER = """
import sys
from pathlib import Path
from specforge.reproduction.results import record
from tests.reproduction.runs import measurement
for seed in range(20):
    spec_hash = sys.argv[2] * 64
    record(Path(sys.argv[1]), f"spec {sys.argv[2]}", spec_hash, measurement(seed=seed, spec_hash=spec_hash))
"""


def test_processes_that_record_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    file = tmp_path / "results.json"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _RECORDER, str(file), name], env={**os.environ, "PYTHONPATH": str(root)}
        )
        for name in "abcd"
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0, 0]
    found = Results.read(file)
    assert {name: len(found.of(name)) for name in found.specs} == {f"spec {name}": 20 for name in "abcd"}
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_who_does_not_let_go_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specforge.reproduction.results._PATIENCE", 0.1)
    file = tmp_path / "results.json"
    with locked(tmp_path / ".results.json.lock"), pytest.raises(ReproductionError) as raised:
        record(file, "one", NOW, measurement(spec_hash=NOW))
    assert f"process {os.getpid()} on " in raised.value.message
    assert "--import" in (raised.value.hint or "")
    assert not file.exists()


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReproductionError, match="cannot write"):
        record(tmp_path / "file" / "results.json", "one", NOW, measurement(spec_hash=NOW))


def test_a_linked_file_is_the_file_that_it_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specforge.reproduction.results._PATIENCE", 0.1)
    (tmp_path / "shared").mkdir()
    target, link = tmp_path / "shared" / "all.json", tmp_path / "results.json"
    record(target, "one", NOW, measurement(spec_hash=NOW))
    link.symlink_to(target)
    record(link, "one", NOW, measurement(seed=1, spec_hash=NOW))
    assert link.is_symlink()
    assert len(Results.read(target).of("one")) == 2
    with locked(tmp_path / "shared" / ".all.json.lock"), pytest.raises(ReproductionError, match="does not let go"):
        record(link, "one", NOW, measurement(seed=2, spec_hash=NOW))
