"""Training, resuming and evaluating through the command line, on the embedded digits."""

import json
import sys
from pathlib import Path

import pytest

from specforge.cli import train
from tests.cli.conftest import Run

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
    typed = "specforge train 'a b.yaml' --data-dir d --set train.epochs=2"
    assert train._resume_command(Path("runs/a-2")) == f"{typed} --out runs/a-2 --resume"
    monkeypatch.setattr(sys, "argv", ["specforge", "train", "a.yaml", "--out=here", "--resume"])
    assert train._resume_command(Path("here")) == "specforge train a.yaml --out=here --resume"


def test_a_folder_with_other_files_is_left_alone(specforge: Run, tiny: Path) -> None:
    (tiny.parent / "mine").mkdir()
    (tiny.parent / "mine" / "report.html").write_text("keep")
    done = specforge("train", tiny, "--out", "mine")
    assert done.returncode == 1
    assert "mine holds report.html, but no run" in done.stderr
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
