"""Runs as a whole: finished, in progress, stopped, made before there were checksums, and of strangers."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from specforge import experiment
from specforge.training import checksums
from specforge.training.errors import TrainingError
from specforge.training.manifest import manifest
from specforge.verification import NotARun, Verification, verify
from tests.damaged_runs import CHECKPOINT, finished
from tests.training.experiments import Recorder


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "run"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "_PAUSE", 0.0)


def problems(found: Verification) -> dict[str, str]:
    return {each.file: each.problem for each in found.of("damaged")}


def rewrite(run: Path, name: str, content: bytes) -> None:
    """A file that is as it was written, for what only its content can tell."""
    checksums.write(run, name, content)


def rewrite_in_checkpoint(run: Path, file: str, content: bytes) -> None:
    """The same for a file of a checkpoint."""
    path = run / file
    path.write_bytes(content)
    names = [each for each in path.parent.iterdir() if each.name != "manifest.json"]
    (path.parent / "manifest.json").write_bytes(manifest({each.name: each.read_bytes() for each in names}))


def test_a_finished_run_is_intact_in_every_file(run: Path) -> None:
    found = verify(run)
    assert found.is_intact
    assert (found.is_finished, found.epochs) == (True, 3)
    assert {each.state for each in found.findings} == {"intact"}
    files = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    hidden = {file for file in files if file.startswith(".")}
    assert {each.file for each in found.findings} == files - hidden


def test_a_run_from_before_checksums_is_not_damaged(run: Path) -> None:
    for name in ("checksums.json", ".metrics.checksum.json"):
        (run / name).unlink(missing_ok=True)
    for path in run.glob("checkpoints/*/manifest.json"):
        record = json.loads(path.read_bytes())
        path.write_text(json.dumps({"format": 1, "files": record["files"]}))
    found = verify(run)
    assert found.is_intact
    assert {each.file for each in found.of("unrecorded")} >= {"spec.yaml", "metrics.jsonl", "result.json"}
    assert found.of("unrecorded")[0].problem == "no checksum recorded"


def test_without_checksums_metrics_are_held_against_the_checkpoints(run: Path) -> None:
    (run / "checksums.json").unlink()
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    record = json.loads(lines[1])
    lines[1] = json.dumps({**record, "train_loss": record["train_loss"] + 1e-9}) + "\n"
    path.write_text("".join(lines))
    assert problems(verify(run)) == {
        "metrics.jsonl": "is damaged: epoch 2 is not what the checkpoint epoch-0003 remembers"
    }


def test_a_run_in_progress_is_intact_after_every_epoch(template: Path, tmp_path: Path) -> None:
    seen: list[Verification] = []
    steps = [(epoch, step) for epoch in (1, 2, 3) for step in (1, 3)]
    listener = Recorder({position: lambda: seen.append(verify(tmp_path / "run")) for position in steps})
    experiment.train(template.parent / "tiny.yaml", out=tmp_path / "run", listener=listener)
    assert [problems(found) for found in seen] == [{}] * len(steps)
    assert [found.epochs for found in seen] == [0, 0, 1, 1, 2, 2]
    assert not any(found.is_finished for found in seen)


def test_a_run_that_was_killed_is_intact(template: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        experiment.train(template.parent / "tiny.yaml", out=tmp_path / "run", listener=Recorder({(3, 2): kill}))
    with (tmp_path / "run" / "metrics.jsonl").open("ab") as file:
        file.write(b'{"epoch": 3, "train_l')
    (tmp_path / "run" / "checkpoints" / ".epoch-0003.partial").mkdir()
    found = verify(tmp_path / "run")
    assert problems(found) == {}
    assert [each.file for each in found.of("note")] == ["metrics.jsonl"]


def test_a_checkpoint_that_was_set_aside_is_noted(run: Path) -> None:
    (run / "checkpoints" / "epoch-0001").rename(run / "checkpoints" / "damaged-epoch-0001")
    found = verify(run)
    assert found.is_intact
    assert [each.file for each in found.of("note")] == ["checkpoints/damaged-epoch-0001"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("environment.json", b"[]", "is not a JSON object"),
        ("metrics.jsonl", b'{"epoch": 1}\n{"epoch": 500000000000}\n', "line 2 is of epoch 500000000000, not 2"),
        ("metrics.jsonl", b'{"epoch": 1, "train_loss": NaN}\n', "`train_loss` of epoch 1 is not a finite number"),
        ("metrics.jsonl", b'{"epoch": 1}\n', "epoch 1 is not what the checkpoint epoch-0003 remembers"),
        ("result.json", b'{"test_accuracy": 54.0}', "`test_accuracy`"),
        ("result.json", b'{"tested_epoch": 9}', "it tested the weights of epoch 9, but the metrics end with epoch 3"),
        ("result.json", b'{"spec_hash": "0"}', "it is of another spec than the run"),
        ("confusion.json", b'{"classes": ["a"], "matrix": [[-1]]}', "`matrix.0.0`"),
        ("mistakes.json", b'{"mistakes": [{"index": 1}]}', "`mistakes.0.true`"),
        ("lr_find.json", b"[]", "at least 1"),
        ("lr_find.json", b'[{"rates": [0], "losses": [1], "smoothed": [1]}]', "greater than 0"),
    ],
)
def test_what_a_file_says_must_be_possible(run: Path, name: str, content: bytes, problem: str) -> None:
    rewrite(run, name, content)
    found = problems(verify(run))
    assert list(found) == [name]
    assert problem in found[name]


def test_a_spec_that_is_as_written_and_means_something_else_is_noted(run: Path) -> None:
    text = (run / "spec.yaml").read_bytes()
    rewrite(run, "spec.yaml", text.replace(b"batch_size: 8", b"batch_size: 4"))
    found = verify(run)
    assert found.is_intact
    assert "this version of specforge reads it in another way" in found.of("note")[0].problem
    (run / "checksums.json").unlink()
    assert "means something else" in problems(verify(run))["spec.yaml"]
    environment = json.loads((run / "environment.json").read_bytes())
    (run / "environment.json").write_text(json.dumps({**environment, "specforge": "0.0.1"}))
    assert "has no checksum, but this version of specforge" in verify(run).of("note")[0].problem
    (run / "environment.json").write_text(json.dumps(environment))
    (run / "spec.yaml").write_bytes(text.replace(b"flatten", b"flaten"))
    assert "unknown layer or block `flaten`" in problems(verify(run))["spec.yaml"]


def test_weights_of_another_network_are_named(run: Path) -> None:
    import safetensors.torch

    tensors = safetensors.torch.load_file(run / CHECKPOINT[0])
    name = next(name for name in tensors if name.endswith("running_mean"))
    smaller = {**tensors, name: tensors[name][:-1].clone()}
    for changed, problem in [
        (smaller, f"`{name}` is"),
        ({key: value for key, value in tensors.items() if key != name}, f"the network's `{name}` is not in it"),
        ({**tensors, "more": tensors[name].clone()}, "the network has no `more`"),
    ]:
        rewrite_in_checkpoint(run, CHECKPOINT[0], safetensors.torch.save(changed))
        assert problem in problems(verify(run))[CHECKPOINT[0]]
    rewrite_in_checkpoint(run, CHECKPOINT[0], b"\x80\x04pickle")
    assert "not a safetensors file" in problems(verify(run))[CHECKPOINT[0]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"epoch": 2}, "it is of another checkpoint"),
        ({"history": [{"epoch": 1}]}, "it has the metrics of 1 epochs, not 3"),
        ({"history": None}, "it has no history"),
    ],
)
def test_progress_is_that_of_its_checkpoint(run: Path, change: dict[str, Any], problem: str) -> None:
    file = CHECKPOINT[2]
    record = {**json.loads((run / file).read_bytes()), **change}
    rewrite_in_checkpoint(run, file, json.dumps(record).encode())
    assert problem in problems(verify(run))[file]


def test_a_manifest_without_weights_is_damaged(run: Path) -> None:
    (run / CHECKPOINT[3]).write_bytes(manifest({}))
    assert "does not list weights" in problems(verify(run))[CHECKPOINT[3]]


def test_links_and_pipes_are_not_waited_for(run: Path) -> None:
    import os

    for file in (*CHECKPOINT[:1], "metrics.jsonl", "environment.json", "confusion.json"):
        (run / file).unlink()
        os.mkfifo(run / file)
    assert set(problems(verify(run))) == {CHECKPOINT[0], "metrics.jsonl", "environment.json", "confusion.json"}


@pytest.mark.parametrize("file", ["metrics.jsonl", "result.json", "checksums.json", CHECKPOINT[3]])
def test_a_file_that_would_fill_the_memory_is_not_read(run: Path, file: str) -> None:
    with (run / file).open("r+b") as stream:
        stream.truncate(2**40)  # takes no room on the disk
    assert "is larger than 1,073,741,824 bytes" in problems(verify(run))[file]


def test_what_is_no_run_is_a_matter_of_usage(run: Path, tmp_path: Path) -> None:
    for path, message in [
        (tmp_path / "absent", "does not exist"), (run / "spec.yaml", "is a file"), (tmp_path, "is not a run"),
    ]:  # fmt: skip
        with pytest.raises(NotARun, match=message):
            verify(path)


def test_evaluate_refuses_a_damaged_spec(run: Path) -> None:
    path = run / "spec.yaml"
    path.write_text(path.read_text().replace("validation: 0.25", "validation: 0.5"))
    with pytest.raises(TrainingError, match=r"spec\.yaml is damaged"):
        experiment.evaluate(run)
