"""Training, resuming and evaluating through the command line, on the embedded digits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from specforge.cli import train
from tests.cli.conftest import PROGRAM, ROOT, Run

FILES = ("spec.yaml", "environment.json", "metrics.jsonl", "checkpoints", "result.json", "curves.png", "report.html")


def test_train_writes_a_run_and_evaluate_agrees(specforge: Run, tiny: Path) -> None:
    done = specforge("train", tiny)
    assert done.returncode == 0, done.stderr
    run = tiny.parent / "runs" / "tiny"
    assert done.stdout.splitlines()[-1] == "report runs/tiny/report.html"
    assert "epoch 2/2" in done.stderr
    for name in FILES:
        assert (run / name).exists(), name
    result = json.loads((run / "result.json").read_text())
    assert result["parameters"] == 1370
    assert [entry["name"] for entry in result["per_class"]] == [str(digit) for digit in range(10)]
    again = json.loads(specforge("evaluate", "runs/tiny", "--format", "json").stdout)["runs/tiny"]
    assert again["test_accuracy"] == result["test_accuracy"]
    assert abs(again["test_loss"] - result["test_loss"]) < 1e-6


def test_a_second_run_gets_a_folder_of_its_own(specforge: Run, tiny: Path) -> None:
    first, second = (specforge("train", tiny, "--set", "train.epochs=1") for _ in range(2))
    assert first.stdout.splitlines()[-1] == "report runs/tiny/report.html"
    assert second.stdout.splitlines()[-1] == "report runs/tiny-2/report.html"
    assert first.stdout.splitlines()[0] == second.stdout.splitlines()[0]  # the same seed, the same result


def test_an_occupied_folder_is_refused(specforge: Run, tiny: Path) -> None:
    specforge("train", tiny, "--set", "train.epochs=1", "--out", "here")
    done = specforge("train", tiny, "--out", "here")
    assert done.returncode == 1
    assert "--resume" in done.stderr
    changed = specforge("train", tiny, "--out", "here", "--resume")
    assert changed.returncode == 1
    assert "another spec" in changed.stderr


def test_ctrl_c_leaves_a_run_that_resumes_to_the_same_weights(specforge: Run, tiny: Path) -> None:
    long = ("--set", "train.epochs=30")
    whole = specforge("train", tiny, *long, "--out", "whole")
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-c", PROGRAM, "train", str(tiny), *long, "--out", "cut"]
    process = subprocess.Popen(
        command,
        cwd=tiny.parent,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    metrics = tiny.parent / "cut" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (metrics.exists() and metrics.read_text().count("\n") >= 2):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages
    assert "--out cut --resume" in messages
    assert "Traceback" not in messages
    done = specforge("train", tiny, *long, "--out", "cut", "--resume")
    assert done.returncode == 0, done.stderr
    results = [json.loads((tiny.parent / name / "result.json").read_text()) for name in ("whole", "cut")]
    weights = [
        (tiny.parent / name / result["weights"]).read_bytes()
        for name, result in zip(("whole", "cut"), results, strict=True)
    ]
    assert weights[0] == weights[1]
    curves = [(tiny.parent / name / "metrics.jsonl").read_text().splitlines() for name in ("whole", "cut")]
    losses = [[json.loads(line)["train_loss"] for line in lines] for lines in curves]
    assert losses[0] == losses[1]


def test_missing_data_names_the_folder_and_the_option(specforge: Run, tiny: Path) -> None:
    text = tiny.read_text().replace("dataset: digits", "dataset: cifar10").replace("[1, 8, 8]", "[3, 32, 32]")
    tiny.write_text(text.replace("expect: {trainable_parameters: 1370}\n", ""))
    done = specforge("train", tiny, "--data-dir", "nowhere")
    assert done.returncode == 1
    assert "--download" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_spec_without_a_recipe_says_so(specforge: Run, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("specforge: 1\nname: m\nmodel: {input: [4], layers: [{linear: 2}]}\n")
    done = specforge("train", "model.yaml")
    assert done.returncode == 1
    assert "SF601" in done.stderr


def test_the_resume_command_repeats_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["specforge", "train", "a b.yaml", "--data-dir", "d", "--set", "train.epochs=2"])
    assert train._resume_command() == "specforge train 'a b.yaml' --data-dir d --set train.epochs=2 --resume"


def test_a_folder_with_other_files_is_left_alone(specforge: Run, tiny: Path) -> None:
    (tiny.parent / "mine").mkdir()
    (tiny.parent / "mine" / "report.html").write_text("keep")
    done = specforge("train", tiny, "--out", "mine")
    assert done.returncode == 1
    assert "a report.html that the run would replace" in done.stderr
    assert [file.name for file in (tiny.parent / "mine").iterdir()] == ["report.html"]
    assert specforge("train", tiny, "--out", "").returncode == 2  # an unset shell variable


@pytest.mark.parametrize("arguments", [("--out", "x" * 300), ("--data-dir", "x" * 300)])
def test_paths_that_are_too_long_are_no_bugs_of_ours(specforge: Run, tiny: Path, arguments: tuple[str, str]) -> None:
    text = tiny.read_text().replace("dataset: digits", "dataset: cifar10").replace("[1, 8, 8]", "[3, 32, 32]")
    if arguments[0] == "--data-dir":
        tiny.write_text(text.replace("expect: {trainable_parameters: 1370}\n", ""))
    done = specforge("train", tiny, *arguments)
    assert done.returncode == 1
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "x" * 101, ".hidden", '"a\\0b"', "ends."])
def test_a_name_is_the_name_of_a_folder(specforge: Run, tiny: Path, name: str) -> None:
    tiny.write_text(tiny.read_text().replace("name: tiny", f"name: {name or repr(name)}"))
    done = specforge("validate", tiny, "--format", "concise")
    assert done.returncode == 1
    assert ":2:7: error[SF303] `name` must be letters" in done.stdout


def test_a_search_is_not_for_train(specforge: Run, tiny: Path) -> None:
    space = "{train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}}"
    done = specforge("train", tiny, "--set", "train.epochs=1", "--set", f"search={{space: {space}}}")
    assert done.returncode == 0, done.stderr
    assert "`search` is not for `train`: this run trains the spec's own values" in done.stderr.splitlines()
    assert "search" not in (tiny.parent / "runs" / "tiny" / "spec.yaml").read_text()
