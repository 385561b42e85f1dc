"""`specforge compare` as users call it, on runs that were trained on the embedded digits."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from specforge.cli import application
from specforge.experiment import train
from tests.cli.conftest import Run


@pytest.fixture
def runs(tiny: Path) -> Path:
    """The working folder, with a run of two epochs and one of three with more channels."""
    for name, settings in (("base", ("train.epochs=2",)), ("wide", ("train.epochs=3", "params.width=12", "expect="))):
        train(tiny, settings=settings, out=tiny.parent / name)
    return tiny.parent


def test_two_trained_runs(specforge: Run, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = specforge("compare", "base", "wide", "--epochs", "2", blocked=True, env={"COLUMNS": "80"})
    assert text.returncode == 0, text.stderr
    assert max(map(len, text.stdout.splitlines())) <= 80
    for heading in ("Results", "After 2 epochs", "Reported and measured", "Data and recipe", "The network of wide"):
        assert heading in text.stdout
    colored = specforge("--color", "always", "compare", "base", "wide", env={"COLUMNS": "200"})
    assert "\x1b[1mResults" in colored.stdout

    monkeypatch.chdir(runs)
    _formats_agree(runs)
    _mistakes_are_told()


def _compare(*arguments: str) -> Any:
    return CliRunner().invoke(application({"compare": "compare", "diff": "diff"}), ["compare", *arguments])


def _formats_agree(runs: Path) -> None:
    data = json.loads(_compare("base", "wide", "--format", "json").stdout)
    result = json.loads((runs / "wide" / "result.json").read_text())
    assert data["runs"][1]["results"]["test_accuracy"] == result["test_accuracy"]
    assert data["runs"][1]["results"]["parameters"] == result["parameters"]
    assert _compare("base", "wide", "--format", "markdown").stdout.startswith("### `wide` compared")
    page = _compare("base", "wide", "--format", "html").stdout
    assert page.startswith("<!doctype html>")

    done = _compare("wide", "base", "--baseline", "base", "--reach", "10%", "--out", "both.html")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "comparison both.html"
    assert "epochs to 10.0% validation" in done.stdout
    assert done.stdout.splitlines()[1].split() == ["base", "wide", "Δ"]
    assert (runs / "both.html").read_text().startswith("<!doctype html>")
    assert _compare("base", "wide", "--out", "both.md").exit_code == 0
    assert (runs / "both.md").read_text() == _compare("base", "wide", "--format", "markdown").stdout


def _mistakes_are_told() -> None:
    for arguments, code, words in [
        (["base"], 2, "base/report.html"),
        (["base", "base/"], 2, "are the same run"),
        (["base", "wide", "--epochs", "3"], 2, "base has 2"),
        (["base", "wide", "--epochs", "0"], 2, "--epochs"),
        (["base", "wide", "--reach", "140%"], 2, "write 0.4 or 40%"),
        (["base", "wide", "--out", "both.pdf"], 2, "end it in .html, .md or .json"),
        (["base", "wide", "--out", "-"], 2, "goes to stdout"),
        (["base", "nowhere"], 1, "there is no such folder"),
        (["base", "tiny.yaml"], 1, "`specforge diff` compares specs"),
        (["base", "wide", "--out", "nowhere/both.html"], 1, "there is no folder nowhere"),
        (["base", "wide", "--out", "base", "--format", "html"], 1, "is a folder"),
    ]:
        done = _compare(*arguments)
        assert (done.exit_code, done.stdout) == (code, ""), arguments
        assert words in done.stderr
        assert not isinstance(done.exception, Exception), done.exception
