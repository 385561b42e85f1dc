"""Every file of a run, damaged in every way: each command names it, none ends in a traceback or takes it for right."""

import gc
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import typer

from specforge.cli import COMMANDS, application
from specforge.training import checksums
from tests.damaged_runs import CHECKPOINT, DAMAGES, OWN, finished, harm

LOST = [("environment.json", "nest"), ("environment.json", "remove")]


class Ended(NamedTuple):
    """How a command ended, and all that it said."""

    code: int
    said: str


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("runs")).parent


@pytest.fixture
def run(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template / "run", tmp_path / "run")
    shutil.copy(template / "tiny.yaml", tmp_path)
    shutil.copy(template / "run" / "spec.yaml", tmp_path / "found.yaml")  # the same with its rate
    return tmp_path / "run"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "_PAUSE", 0.0)


@pytest.fixture(scope="module")
def program() -> Iterator[Any]:
    """The command line in this process; what it keeps from being collected may be collected afterwards."""
    yield typer.main.get_command(application(COMMANDS))
    gc.unfreeze()


@pytest.fixture
def specforge(program: Any) -> Any:
    def command(*arguments: str | Path) -> Ended:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as left:
            program([str(word) for word in arguments])
        code = left.value.code
        return Ended(code if isinstance(code, int) else 0, said.getvalue())

    return command


def is_named(file: str, ended: Ended) -> None:
    assert ended.code != 3, ended.said
    assert "internal error" not in ended.said
    assert Path(file).name in ended.said, ended.said


@pytest.mark.parametrize("damage", [*DAMAGES, "remove"])
@pytest.mark.parametrize("file", [*OWN, *CHECKPOINT])
def test_verify_names_it(specforge: Any, run: Path, file: str, damage: str) -> None:
    assert specforge("verify", run).code == 0
    harm(run, file, damage)
    ended = specforge("verify", run)
    if (file, damage) == ("checksums.json", "remove"):  # then it is a run from before there were any
        assert (ended.code, "no checksum recorded" in ended.said) == (0, True)
        return
    is_named(file, ended)
    assert ended.code == 1, ended.said
    (found,) = json.loads(specforge("verify", run, "--format", "json").said)
    assert file in [each["file"] for each in found["files"] if each["state"] == "damaged"]


@pytest.mark.parametrize("file", sorted(checksums.DRAWN))
def test_verify_names_what_was_drawn(specforge: Any, run: Path, tmp_path: Path, file: str) -> None:
    for damage in ("flip", "cut", "empty"):
        shutil.copytree(run, tmp_path / damage)
        harm(tmp_path / damage, file, damage)
        ended = specforge("verify", tmp_path / damage)
        is_named(file, ended)
        assert ended.code == 1
    (run / file).unlink()  # somebody needed the room
    assert specforge("verify", run).code == 0


def test_any_bit_of_any_file(specforge: Any, run: Path, tmp_path: Path) -> None:
    random = Random(0)
    for path in sorted(path for path in run.rglob("*") if path.is_file()):
        content = path.read_bytes()
        changed = bytearray(content)
        changed[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(changed)
        ended = specforge("verify", run)
        is_named(str(path), ended)
        assert ended.code == 1
        path.write_bytes(content)
    assert specforge("verify", run).code == 0


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", OWN)
def test_compare_names_it(specforge: Any, run: Path, template: Path, file: str, damage: str) -> None:
    harm(run, file, damage)
    ended = specforge("compare", template / "run", run)
    is_named(file, ended)
    assert ended.code in (0, 1)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["spec.yaml", "environment.json", "checksums.json", *CHECKPOINT[:1], *CHECKPOINT[2:]])
def test_evaluate_names_it(specforge: Any, run: Path, file: str, damage: str) -> None:
    harm(run, file, damage)
    ended = specforge("evaluate", run)
    is_named(file, ended)
    assert ended.code == 1


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["spec.yaml", "environment.json", "metrics.jsonl", "result.json", "checksums.json"])
def test_reproduce_names_it(specforge: Any, run: Path, tmp_path: Path, file: str, damage: str) -> None:
    harm(run, file, damage)
    results = tmp_path / "results.json"
    ended = specforge("reproduce", "--import", run, tmp_path / "found.yaml", "--results", results)
    is_named(file, ended)
    assert ended.code == 1
    assert not results.exists()


@pytest.mark.parametrize("damage", ["flip", "empty"])
@pytest.mark.parametrize("file", OWN)
def test_resuming_a_finished_run_names_it(specforge: Any, run: Path, tmp_path: Path, file: str, damage: str) -> None:
    content = (run / file).read_bytes()
    harm(run, file, damage)
    ended = specforge("train", tmp_path / "tiny.yaml", "--out", run, "--resume")
    is_named(file, ended)
    if file == "metrics.jsonl":
        assert (run / file).read_bytes() == content, "the checkpoint has all lines"
        assert specforge("verify", run).code == 0


@pytest.mark.parametrize("damage", ["flip", "nest", "remove"])
@pytest.mark.parametrize("file", [*OWN[:4], "checksums.json", *CHECKPOINT])
def test_a_run_goes_on_from_what_is_whole(specforge: Any, run: Path, tmp_path: Path, file: str, damage: str) -> None:
    """Stopped before its test: damaged metrics and checkpoints are made anew, to the same weights."""
    weights = (run / CHECKPOINT[0]).read_bytes()
    for name in ("result.json", "confusion.json", "mistakes.json"):
        checksums.remove(run, name)
    harm(run, file, damage)
    # who has lost the record of the spec knows no more than the spec with the rate that was found
    spec = tmp_path / ("found.yaml" if (file, damage) in LOST else "tiny.yaml")
    ended = specforge("train", spec, "--out", run, "--resume")
    if (file, damage) != ("checksums.json", "remove"):
        is_named(file, ended)
    assert ended.code == 0, ended.said
    assert (run / CHECKPOINT[0]).read_bytes() == weights
    if file in CHECKPOINT:
        assert "going on from the checkpoint before it, epoch-0002" in ended.said


def test_no_whole_checkpoint_is_told(specforge: Any, run: Path, tmp_path: Path) -> None:
    checksums.remove(run, "result.json")
    for path in run.glob("checkpoints/*/weights.safetensors"):
        path.write_bytes(b"")
    ended = specforge("train", tmp_path / "tiny.yaml", "--out", run, "--resume")
    assert ended.code == 1
    assert "no checkpoint in" in ended.said
