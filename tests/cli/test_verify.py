"""`specforge verify`: what it prints and how it exits, also where torch can't be imported."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.damaged_runs import finished, harm


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "run"))


def test_an_intact_run(specforge: Run, run: Path) -> None:
    done = specforge("verify", "run", blocked=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "run: intact, finished, 3 epochs, 23 files intact\n"
    assert done.stderr == ""


def test_a_damaged_run_among_others(specforge: Run, run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "other")
    harm(run, "result.json", "flip")
    harm(run, "checkpoints/epoch-0003/weights.safetensors", "cut")
    done = specforge("verify", "other", "run", blocked=True)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("other: intact")
    assert "  result.json is damaged: its checksum is not the one that was written" in done.stdout
    assert "  checkpoints/epoch-0003/weights.safetensors is damaged: only" in done.stdout
    assert "2 of the files of run are not what was written" in done.stderr
    assert "--resume" in done.stderr


def test_json_has_every_file(specforge: Run, run: Path) -> None:
    harm(run, "mistakes.json", "empty")
    done = specforge("verify", "run", "--format", "json", blocked=True)
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)
    assert (found["run"], found["intact"], found["finished"], found["epochs"]) == ("run", False, True, 3)
    files = {each["file"]: (each["state"], each["problem"]) for each in found["files"]}
    assert files["mistakes.json"] == ("damaged", "is damaged: it is empty")
    assert files["spec.yaml"] == ("intact", None)


def test_a_run_without_checksums_says_so(specforge: Run, run: Path) -> None:
    (run / "checksums.json").unlink()
    done = specforge("verify", "run", blocked=True)
    assert done.returncode == 0
    assert "  no checksum recorded: spec.yaml, environment.json, metrics.jsonl" in done.stdout


@pytest.mark.parametrize("arguments", [["nowhere"], ["tiny.yaml"], ["."], [], ["run", "--format", "xml"]])
def test_usage_exits_2(specforge: Run, run: Path, tiny: Path, arguments: list[str]) -> None:
    done = specforge("verify", *arguments, blocked=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
