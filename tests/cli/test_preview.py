"""`specforge preview` on the embedded digits, and what it says when it can't."""

from pathlib import Path

import pytest
import typer

from specforge.cli.preview import command, preview
from tests.cli.conftest import Run

CROP = ("--set", "data.augment=[{crop: {padding: 1}}]")


def test_writes_a_picture_and_says_so(specforge: Run, tiny: Path) -> None:
    done = specforge("preview", tiny, *CROP, "--set", "data.mix=mixup", "--images", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "3 training images as they are and as epochs 1 to 2 show them: crop, mixup",
        "preview preview.png",
    ]
    assert (tiny.parent / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_repeats_itself_and_shows_other_epochs_otherwise(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)

    def drawn(name: str, *, epoch: int = 1) -> bytes:
        preview(str(tiny), set_=["data.mix=cutmix"], out=Path(name), images=2, epoch=epoch, epochs=1)
        return Path(name).read_bytes()

    first = drawn("a.png")
    assert drawn("sheets/a.png") == first
    assert drawn("b.png", epoch=2) != first


def test_says_that_nothing_changes_images(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tiny.parent)
    preview(str(tiny), images=1)
    assert capsys.readouterr().out.splitlines()[0] == (
        "a training image as it is: the spec has no `augment` and no `mix`, so training changes nothing"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "sheet.jpg"], "the picture is a PNG"),
        (["--out", "folder.png"], "is a folder"),
        (["--epoch", "3"], "the recipe has 2 epochs"),
        (["--epoch", "0"], "--epoch"),
        (["--images", "0"], "--images"),
    ],
)
def test_usage_errors(specforge: Run, tiny: Path, options: list[str], said: str) -> None:
    (tiny.parent / "folder.png").mkdir()
    done = specforge("preview", tiny, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--set", "data.mix=mixdown"], "unknown mix `mixdown`"), (["--set", "data="], "there is nothing to train")],
)
def test_specs_that_are_not_right(specforge: Run, tiny: Path, options: list[str], said: str) -> None:
    done = specforge("preview", tiny, *options)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_is_missing(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        command(str(tiny), set_=["data.dataset={npz: {path: missing.npz}}"])
    assert left.value.exit_code == 1
    assert "missing.npz" in capsys.readouterr().err


def test_a_folder_that_can_not_be_made(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        command(str(tiny), out=tiny / "preview.png")
    assert left.value.exit_code == 1
    assert "tiny.yaml" in capsys.readouterr().err
