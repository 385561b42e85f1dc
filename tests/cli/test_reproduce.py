"""Reproducing specs through the command line, on the embedded digits."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROGRAM, ROOT, Run
from tests.reproduction.runs import write_run


@pytest.fixture
def specs(tiny: Path) -> Path:
    """A folder with a spec, a base and a network alone; one epoch is enough here."""
    folder = tiny.parent / "specs"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(tiny.read_text().replace("epochs: 2\n  batch", "epochs: 1\n  batch"))
    (folder / "base.yaml").write_text("train: {epochs: 3}\n")
    (folder / "network.yaml").write_text("specforge: 1\nname: network\nmodel: {input: [4], layers: [{linear: 2}]}\n")
    return folder


def runs(folder: Path, name: str = "tiny") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "specs" / "results.json").read_text())["specs"][name]["runs"]
    return found


def test_seeds_are_run_recorded_and_not_run_again(specforge: Run, specs: Path) -> None:
    done = specforge("reproduce", "specs", "--seeds", "2")
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["tiny seed 0", "tiny seed 1"]
    assert "tiny seed 1 [2/2]: 1,370 trainable parameters" in done.stderr
    assert "epoch 1/1" in done.stderr
    assert "2 of the files have nothing to train" in done.stderr
    first = runs(specs.parent)
    for run in first:
        result = json.loads((specs.parent / f"runs/reproduce/tiny-seed{run['seed']}/result.json").read_text())
        keys = ("test_accuracy", "test_top5_accuracy", "test_loss", "tested_epoch", "seconds", "dataset")
        assert {key: run[key] for key in keys} == {key: result[key] for key in keys}
    assert [run["seed"] for run in first] == [0, 1]
    assert first[0]["test_loss"] != first[1]["test_loss"]

    written = (specs / "results.json").read_bytes()
    (specs / "results.json").unlink()
    again = specforge("reproduce", "specs", "--seeds", "2")
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert "epoch 1/1" not in again.stderr
    assert (specs / "results.json").read_bytes() == written


def test_settings_are_recorded_apart(specforge: Run, specs: Path) -> None:
    done = specforge("reproduce", "specs/tiny.yaml", "--set", "train.batch_size=128", "--seeds", "4,", "--out", "here")
    assert done.returncode == 0, done.stderr
    (run,) = runs(specs.parent)
    assert (run["settings"], run["seed"]) == (["train.batch_size=128"], 4)
    entry = json.loads((specs / "results.json").read_text())["specs"]["tiny"]
    assert run["spec_hash"] != entry["spec_hash"]
    assert done.stdout.startswith("tiny seed 4 with train.batch_size=128: test accuracy ")
    (folder,) = (specs.parent / "here").iterdir()
    assert folder.name.startswith("tiny-seed4-")


def test_a_failing_spec_is_told_of_and_the_others_run(specforge: Run, specs: Path) -> None:
    text = (specs / "tiny.yaml").read_text()
    (specs / "a_broken.yaml").write_text(text.replace("- relu", "- rleu"))
    missing = text.replace("name: tiny", "name: b_missing").replace("dataset: digits", "dataset: {npz: {path: no.npz}}")
    (specs / "b_missing.yaml").write_text(missing)
    done = specforge("reproduce", "specs")
    assert done.returncode == 1
    assert "unknown layer or block `rleu`" in done.stderr
    assert "no.npz" in done.stderr
    assert "2 failed" in done.stderr
    assert "Traceback" not in done.stderr
    assert [run["seed"] for run in runs(specs.parent)] == [0]


def test_a_spec_that_has_changed_is_not_mixed_with_its_old_run(specforge: Run, specs: Path) -> None:
    write_run(specs.parent / "runs" / "reproduce" / "tiny-seed0", specs / "tiny.yaml")
    text = (specs / "tiny.yaml").read_text()
    (specs / "tiny.yaml").write_text(text.replace("dropout: 0.1", "dropout: 0.2"))
    done = specforge("reproduce", "specs/tiny.yaml")
    assert done.returncode == 1
    assert "specforge diff runs/reproduce/tiny-seed0/spec.yaml specs/tiny.yaml" in done.stderr
    assert not (specs / "results.json").exists()


def test_listing_trains_nothing(specforge: Run, specs: Path) -> None:
    folder = specs.parent / "runs" / "reproduce"
    write_run(folder / "tiny-seed0", specs / "tiny.yaml")
    write_run(folder / "tiny-seed1", specs / "tiny.yaml", settings=("train.batch_size=32",))
    write_run(folder / "tiny-seed2", specs / "tiny.yaml", settings=("train.seed=2",), finished=False)
    specforge("reproduce", "--import", "runs/reproduce/tiny-seed0", blocked=True)
    done = specforge("reproduce", "specs", "--seeds", "4", "--list", blocked=True)
    assert done.returncode == 0, done.stderr
    lines = [re.split(r"  +", line.strip()) for line in done.stdout.splitlines()]
    assert lines == [
        ["spec", "seed", "folder", "state", "recorded"],
        ["tiny", "0", "runs/reproduce/tiny-seed0", "finished", "91.25%"],
        ["tiny", "1", "runs/reproduce/tiny-seed1", "another spec"],
        ["tiny", "2", "runs/reproduce/tiny-seed2", "begun"],
        ["tiny", "3", "runs/reproduce/tiny-seed3", "new"],
    ]
    assert not (folder / "tiny-seed3").exists()


def test_earlier_runs_are_imported_without_torch(specforge: Run, specs: Path) -> None:
    write_run(specs.parent / "runs" / "tiny", specs / "tiny.yaml", settings=("train.seed=3",))
    write_run(specs.parent / "runs" / "tiny-2", specs / "tiny.yaml", settings=("train.batch_size=32",))
    (specs / "README.md").write_text("old")
    done = specforge("reproduce", "--import", "runs/tiny", "runs/tiny-2", blocked=True)
    assert done.returncode == 1
    assert "runs/tiny-2 is a run of another spec than specs/tiny.yaml is now" in done.stderr
    assert "1 run recorded in specs/results.json" in done.stderr
    assert "`make docs` shows them in specs/README.md" in done.stderr
    assert [(run["seed"], run["settings"]) for run in runs(specs.parent)] == [(3, [])]
    done = specforge(
        "reproduce", "--import", "runs/tiny-2", "specs/tiny.yaml", "--set", "train.batch_size=32", blocked=True
    )
    assert done.returncode == 0, done.stderr
    assert [(run["seed"], run["settings"]) for run in runs(specs.parent)] == [(3, []), (0, ["train.batch_size=32"])]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(specs: Path, specforge: Run) -> None:
    arguments = ["reproduce", "specs/tiny.yaml", "--seeds", "2", "--set", "train.epochs=15"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=specs.parent,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and not _lines_of_second(specs.parent):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages
    assert "go on with: specforge reproduce specs/tiny.yaml --seeds 2 --set train.epochs=15" in messages
    assert "Traceback" not in messages
    assert [run["seed"] for run in runs(specs.parent)] == [0]
    done = specforge(*arguments)
    assert done.returncode == 0, done.stderr
    assert "resumed after epoch" in done.stderr
    assert [(run["seed"], run["epochs"]) for run in runs(specs.parent)] == [(0, 15), (1, 15)]


def _lines_of_second(folder: Path) -> bool:
    """Whether the second run has finished an epoch."""
    return any(file.read_text() for file in folder.glob("runs/reproduce/tiny-seed1-*/metrics.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a spec"),
        (("nowhere.yaml",), "no such file"),
        (("specs", "--seeds", "0"), "is no number of seeds"),
        (("specs", "--seeds", "x"), "neither a number of seeds"),
        (("specs", "--set", "train.seed=3"), "seeds are given by"),
        (("--import", "specs"), "none of these is a run"),
        (("specs/tiny.yaml", "tiny.yaml"), "are both named"),
    ],
)
def test_usage_errors(specforge: Run, specs: Path, arguments: tuple[str, ...], message: str) -> None:
    done = specforge("reproduce", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_a_named_network_without_a_recipe_is_an_error(specforge: Run, specs: Path) -> None:
    done = specforge("reproduce", "specs/network.yaml")
    assert done.returncode == 1
    assert "SF601" in done.stderr


def test_unreadable_results_are_told_of_before_anything_is_trained(specforge: Run, specs: Path) -> None:
    (specs / "results.json").write_text("{}}")
    done = specforge("reproduce", "specs/tiny.yaml")
    assert done.returncode == 1
    assert "specs/results.json does not hold results: it is not JSON" in done.stderr
    assert not (specs.parent / "runs").exists()


def test_without_torch_it_names_the_command_that_helps_once(specforge: Run, specs: Path) -> None:
    done = specforge("reproduce", "specs", "--seeds", "3", blocked=True)
    assert done.returncode == 1
    assert done.stderr.count("pip install torch") == 1


def test_a_run_is_not_taken_for_a_folder_of_specs(specforge: Run, specs: Path) -> None:
    write_run(specs.parent / "runs" / "tiny", specs / "tiny.yaml")
    done = specforge("reproduce", "runs/tiny")
    assert done.returncode == 2
    assert "--import" in done.stderr
