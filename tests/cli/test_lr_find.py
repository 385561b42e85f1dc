"""`specforge lr-find` on the embedded digits, and what it says when it can't."""

import json
from pathlib import Path

import pytest
import typer

from specforge.cli.lr_find import Format, command, lr_find
from tests.cli.conftest import Run


def test_chooses_a_rate_and_says_how_to_use_it(specforge: Run, tiny: Path) -> None:
    done = specforge("lr-find", tiny)
    assert done.returncode == 0, done.stderr
    chosen, use, curve = done.stdout.splitlines()
    assert chosen.endswith(" (steepest fall of the loss)")
    rate = chosen.split()[2].rstrip(",")
    assert 1e-4 < float(rate) < 1
    assert use == f"use it  specforge train {tiny} --set train.optimizer.lr={rate}"
    assert curve == "curve   lr_find.png"
    assert done.stderr.splitlines() == ["tiny: 100 steps at rates from 1e-07 to 10"]
    assert (tiny.parent / "lr_find.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tiny.parent.iterdir()} == {"tiny.yaml", "lr_find.png"}


def test_json_has_the_points(tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tiny.parent)
    lr_find(
        str(tiny), set_=["train.batch_size=32"], low=1e-4, high=1.0, steps=40, out=Path("a/b.png"), format_=Format.json
    )
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["stage", "chosen", "how", "path", "start", "rates", "losses", "smoothed", "picture"]
    assert (found["stage"], found["path"], found["picture"]) == (1, "train.optimizer.lr", "a/b.png")
    assert found["rates"][0] == 1e-4
    assert found["rates"][-1] <= 1.0
    assert 10 <= len(found["rates"]) == len(found["losses"]) == len(found["smoothed"]) <= 40
    assert Path("a/b.png").is_file()


def test_settings_are_part_of_how_to_use_it(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tiny.parent)
    lr_find(str(tiny), set_=["train.optimizer={sgd: {lr: 1}}"], low=1e-3, high=10.0, steps=40)
    use = capsys.readouterr().out.splitlines()[1]
    assert use.startswith(f"use it  specforge train {tiny} --set 'train.optimizer={{sgd: {{lr: 1}}}}' --set train.opt")


@pytest.mark.parametrize(
    ("low", "high", "style", "said"),
    [
        (50.0, 500.0, Format.text, ["from 50 to 500 helps: the loss rises at once", "--low"]),
        (50.0, 500.0, Format.json, ["from 50 to 500 helps: the loss rises at once", "--low"]),
        (1e-9, 1e-8, Format.text, ["from 1e-09 to 1e-08 helps: the loss does not move", "--high"]),
    ],
)
def test_a_range_without_a_rate_that_helps(
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    low: float,
    high: float,
    style: Format,
    said: list[str],
) -> None:
    monkeypatch.chdir(tiny.parent)
    with pytest.raises(typer.Exit) as left:
        lr_find(str(tiny), low=low, high=high, format_=style)
    assert left.value.exit_code == 1
    out, err = capsys.readouterr()
    assert all(words in err for words in said)
    assert Path("lr_find.png").is_file()
    assert out == "curve   lr_find.png\n" if style is Format.text else json.loads(out)["chosen"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--low", "0"], "greater than 0"),
        (["--low", "1", "--high", "0.1"], "above the first"),
        (["--steps", "3"], "--steps"),
        (["--out", "curve.jpg"], "the picture is a PNG"),
        (["--out", "folder.png"], "is a folder"),
    ],
)
def test_usage_errors(specforge: Run, tiny: Path, options: list[str], said: str) -> None:
    (tiny.parent / "folder.png").mkdir()
    done = specforge("lr-find", tiny, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--set", "train.loss=mse"], "unknown loss `mse`"), (["--set", "data="], "there is nothing to train")],
)
def test_specs_that_are_not_right(specforge: Run, tiny: Path, options: list[str], said: str) -> None:
    done = specforge("lr-find", tiny, *options)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_is_missing(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        command(str(tiny), set_=["data.dataset={npz: {path: missing.npz}}"])
    assert left.value.exit_code == 1
    assert "missing.npz" in capsys.readouterr().err
