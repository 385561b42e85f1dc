"""`specforge track`: exit codes and messages; what is sent is tested in `tests/tracking`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytest.importorskip("tensorboard", reason="the extra `tracking` is not installed")


def _run_in(folder: Path) -> Path:
    folder.mkdir()
    lines = ({"epoch": number, "train_loss": 1.0 / number, "lr": 0.1, "seconds": 2.0} for number in (1, 2))
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def test_runs_are_sent_once(specforge: Run, tmp_path: Path) -> None:
    runs = [_run_in(tmp_path / name) for name in ("one", "two")]
    done = specforge("track", "one", "two", "--to", "tensorboard")
    assert (done.returncode, done.stdout) == (
        0, "one: 2 epochs sent to tensorboard\ntwo: 2 epochs sent to tensorboard\n",
    )  # fmt: skip
    assert all(len(list((run / "tensorboard").iterdir())) == 1 for run in runs)
    done = specforge("track", "one", "--to", "tensorboard")
    assert done.stdout == "one: 0 epochs sent to tensorboard\n"


def test_training_asks_before_it_begins(specforge: Run, tiny: Path) -> None:
    done = specforge("train", tiny, "--track", "wandb")
    assert done.returncode == 2
    assert "`wandb` is no place to track runs" in done.stderr.replace("\n", " ")
    assert not (tiny.parent / "runs").exists()


def test_mistakes_are_told(specforge: Run, tmp_path: Path) -> None:
    _run_in(tmp_path / "one")
    unknown = specforge("track", "one", "--to", "wandb")
    assert (unknown.returncode, unknown.stderr.splitlines()[0]) == (2, "error: `wandb` is no place to track runs")
    _run_in(tmp_path / "two")
    missing = specforge("track", "one", "none", "two", "--to", "tensorboard")
    assert (missing.returncode, missing.stderr.splitlines()[0]) == (
        1, "error: none is not a run: it has no metrics.jsonl",
    )  # fmt: skip
    assert missing.stdout == "one: 2 epochs sent to tensorboard\ntwo: 2 epochs sent to tensorboard\n"
