"""Damaged files of a run that is taken up again: what is said, and what is written anew."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from specforge.training import checksums
from specforge.training.errors import TrainingError
from specforge.training.mending import mend, refusals_explained
from specforge.training.run_directory import RunDirectory
from tests.training.experiments import Recorder, run_in, train


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    train(folder)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> RunDirectory:
    return run_in(Path(shutil.copytree(finished, tmp_path / "run")))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "_PAUSE", 0.0)


def never(_: Mapping[str, float]) -> None:
    raise AssertionError("no rate was found")


def mended(run: RunDirectory) -> list[str]:
    return mend(run, checksums.problems(run.path), never)


def test_a_whole_run_needs_nothing(run: RunDirectory) -> None:
    assert mended(run) == []


@pytest.mark.parametrize(("name", "source"), [("metrics.jsonl", "the checkpoint"), ("spec.yaml", "the spec that was")])
def test_what_is_known_elsewhere_is_written_anew(run: RunDirectory, name: str, source: str) -> None:
    path = run.path / name
    content = path.read_bytes()
    for damaged in (b"", content[:-3], None):
        path.unlink() if damaged is None else path.write_bytes(damaged)
        (said,) = mended(run)
        assert said.startswith(f"{path} is ")
        assert f"written anew, from {source}" in said
        assert path.read_bytes() == content
        assert checksums.problems(run.path) == {}


def test_metrics_come_from_the_newest_checkpoint_that_is_whole(run: RunDirectory) -> None:
    names, path = run.checkpoints.names(), run.path / "metrics.jsonl"
    (run.path / "checkpoints" / names[-1] / "progress.json").write_bytes(b"")
    path.write_bytes(path.read_bytes()[:-3])
    assert mended(run) == [f"{path} {checksums.problems(run.path)['metrics.jsonl']}"], (
        "no epoch of a finished run is lost"
    )
    checksums.remove(run.path, "result.json")
    (said,) = mended(run)
    assert said.endswith(f"from the checkpoint {names[-2]}")
    assert path.read_bytes().count(b"\n") == run.checkpoints.progress(names[-2]).epoch


def test_what_the_test_wrote_is_written_by_the_next_one(run: RunDirectory) -> None:
    (run.path / "confusion.json").write_bytes(b"")
    assert mended(run)[0].endswith("; remove result.json and resume, then the test is repeated")
    (run.path / "result.json").unlink()
    told = Recorder()
    train(run.path, resume=True, listener=told)
    assert f"{run.path / 'confusion.json'} is damaged: it is empty; the test writes it anew" in told.messages
    assert f"{run.path / 'result.json'} is missing; the test writes it anew" in told.messages
    assert checksums.problems(run.path) == {}


def test_sweeps_are_set_aside(run: RunDirectory) -> None:
    run.write("lr_find.json", b"[]")
    (run.path / "lr_find.json").write_bytes(b"[")
    assert "set aside as damaged-lr_find.json" in mended(run)[0]
    assert (run.path / "damaged-lr_find.json").read_bytes() == b"["
    assert not (run.path / "lr_find.json").exists()
    assert checksums.problems(run.path) == {}


def test_a_refusal_says_which_files_are_damaged(run: RunDirectory) -> None:
    (run.path / "environment.json").write_bytes(b"")
    told: list[str] = []
    with pytest.raises(TrainingError), refusals_explained(run.path, told.append):
        raise TrainingError("another spec")
    assert told == [f"{run.path / 'environment.json'} is damaged: it is empty"]
    with refusals_explained(run.path, told.append):
        pass
    assert len(told) == 1
