"""`specforge search` as a user meets it: lines while it runs, the result, mistakes."""

import os
import re
import signal
from pathlib import Path

import pytest
import typer

from specforge.cli.search import _resumable as resumable
from specforge.search.errors import Complete
from tests.cli.conftest import ROOT, Run

SPEC = """\
specforge: 1
name: tiny
model: {input: [1, 8, 8], layers: [{max_pool: 2}, flatten, linear: 10]}
data: {dataset: digits, split: {train: 0.2, validation: 0.1}}
accept: {images-left-out: "tests are quick"}
train: {epochs: 1, batch_size: 64, optimizer: adam, loss: cross_entropy}
search: {trials: 2, space: {train.optimizer.lr: {log_uniform: [1e-3, 1e-1]}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_a_search_and_what_it_says(specforge: Run, file: Path, tmp_path: Path) -> None:
    done = specforge("search", file)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "tiny: 2 trials, compared by validation_accuracy (maximize), in searches/tiny"
    assert re.fullmatch(
        r"trial 1/2  (\d+\.\d\d%)  best \1 \(trial 1\)  \d+\.\d s  train\.optimizer\.lr: 0\.\d{3,6}", lines[1]
    )
    assert lines[3] == "2 trials: 2 complete"
    best, value, spec, report = done.stdout.splitlines()
    assert re.fullmatch(r"best validation_accuracy \d+\.\d\d% \(trial \d\), test accuracy \d+\.\d\d%", best)
    assert re.fullmatch(r"  train\.optimizer\.lr: [\d.e-]+", value)
    assert spec == "spec   searches/tiny/best.yaml"
    assert report == "report searches/tiny/report.html"
    assert (tmp_path / "searches" / "tiny" / "report.html").is_file()
    listed = specforge("search", file, "--list")
    assert re.search(r"^\d \*  +complete", listed.stdout, re.MULTILINE)
    assert listed.stderr == "2 of 2 trials have ended\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--timeout", "soon"], 2, "no time such as 90s"),
        (["--timeout", "0"], 2, "no time such as 90s"),
        (["--workers", "0"], 2, "greater than or equal to 1"),
        (["--device", "cuda:0,cuda:1"], 2, "one worker has one device"),
        (["--storage", "lab.db"], 1, "neither a journal nor the URL of a database"),
        (["--list"], 1, "holds no search"),
        (["--list", "--storage", "journal:mine.log"], 1, "mine.log holds no search"),
        (["--list", "--trials", "3"], 2, "has no meaning with `--list`"),
        (["--list", "--timeout", "3m"], 2, "has no meaning with `--list`"),
        (["--list", "--workers", "1"], 2, "has no meaning with `--list`"),
        (["--set", "search.trials=0"], 1, "SF3"),
    ],
)
def test_mistakes(specforge: Run, file: Path, words: list[str], code: int, message: str) -> None:
    done = specforge("search", file, *words)
    assert done.returncode == code
    assert message in re.sub(r"[\s│]+", " ", done.stderr)
    assert "Traceback" not in done.stderr
    assert not (file.parent / "searches").exists()


def test_a_time_that_is_up_and_a_single_trial(specforge: Run, file: Path) -> None:
    late = specforge("search", file, "--timeout", "0.000001s")
    assert late.returncode == 1
    assert "the time was up with 2 of 2 trials left; go on with `--resume`\n" in late.stderr
    done = specforge("search", file, "--resume", "--trials", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("tiny: 1 trial, ")
    assert lines[-1] == "1 trial: 1 complete"


def test_an_interrupt_when_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, resumable():
        raise Complete(signal.SIGINT, run=Path("searches/tiny"), ended=2)
    assert left.value.exit_code == 130
    said = "interrupted: all of its 2 trials had ended; what it found is in searches/tiny\n"
    assert capsys.readouterr().err == said


def test_what_is_missing_is_told_with_one_command(specforge: Run, file: Path) -> None:
    blocked = specforge("search", file, blocked=True)
    assert blocked.returncode == 1
    assert "error: `torch` is not installed" in blocked.stderr
    assert "pip install torch" in blocked.stderr
    hook = "import sys; sys.modules['optuna'] = None"
    (file.parent / "sitecustomize.py").write_text(hook, encoding="utf-8")
    blocked = specforge("search", file, env={"PYTHONPATH": os.pathsep.join([str(file.parent), str(ROOT)])})
    assert blocked.returncode == 1
    assert blocked.stderr == (
        "error: `optuna` is not installed: it draws the values of a search\nhint: pip install optuna\n"
    )
    plain = file.parent / "plain.yaml"
    plain.write_text(SPEC.partition("search:")[0], encoding="utf-8")
    done = specforge("search", plain)
    assert done.returncode == 1
    assert "no `search:` section" in done.stderr
