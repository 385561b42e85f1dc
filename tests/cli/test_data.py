"""`specforge data check`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from specforge.cli import application
from tests.catalog.datasets.image_files import Image, write_image
from tests.cli.conftest import Run

SPEC = """
specforge: 1
name: small
model: {input: [3, 12, 16], layers: [flatten, linear: 2]}
data: {dataset: {image_folder: {path: flowers, size: [12, 16]}}}
"""


@pytest.fixture
def flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPECFORGE_DATA", raising=False)
    (tmp_path / "small.yaml").write_text(SPEC)
    for part, first in (("train", 0), ("test", 40)):
        for number, name in enumerate(("cat", "dog")):
            write_image(tmp_path / "data" / "flowers" / part / name / "1.png", first + number)
    return tmp_path / "data" / "flowers"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(application({"data": "data", "list": "list_words"}), ["data", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.usefixtures("flowers")
def test_clean_data() -> None:
    assert run("check", "small.yaml") == (0, "", "0 errors, 0 warnings in 4 images of 2 classes\n")
    assert run("check", "small.yaml", "--format", "json")[:2] == (0, "[]\n")


def test_every_file_with_its_reason_and_what_helps(flowers: Path) -> None:
    (flowers / "train" / "cat" / "1.png").write_bytes(b"")
    (flowers / "test" / "dog" / "1.png").write_text("dog")
    code, out, err = run("check", "small.yaml")
    assert code == 1
    lines = out.splitlines()
    formats = "JPEG, PNG, BMP, GIF, WEBP, TIFF, PPM"
    assert lines[0] == f"data/flowers/test/dog/1.png: error: not an image ({formats})"
    assert lines[1] == "data/flowers/train/cat/1.png: error: 0 bytes"
    assert lines[2].startswith("hint: repair or remove them")
    assert len(lines) == 3
    assert err == "2 errors, 0 warnings\n"


def test_json_for_machines(flowers: Path) -> None:
    (flowers / "train" / "cat" / "1.png").write_bytes(b"")
    code, out, _ = run("check", "small.yaml", "--format", "json")
    (found,) = json.loads(out)
    assert code == 1
    assert found.keys() == {"path", "severity", "reason", "hint"}
    assert (found["path"], found["severity"]) == ("data/flowers/train/cat/1.png", "error")
    assert found["reason"] == "0 bytes"


def test_warnings_exit_0_unless_strict(flowers: Path) -> None:
    Image.open(flowers / "train" / "cat" / "1.png").convert("RGBA").save(flowers / "train" / "cat" / "1.png")
    code, out, err = run("check", "small.yaml")
    assert (code, err) == (0, "0 errors, 1 warning in 4 images of 2 classes\n")
    assert "warning: transparent pixels" in out
    assert run("check", "small.yaml", "--strict")[0] == 1


def test_names_cannot_drive_the_terminal(flowers: Path) -> None:
    (flowers / "train" / "cat" / "\x1b[31mred\u202e.png").write_bytes(b"")
    _, out, _ = run("check", "small.yaml")
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"\x1b[31mred\u202e.png: error: 0 bytes" in out


@pytest.mark.usefixtures("flowers")
def test_usage_and_specs_that_are_not_right() -> None:
    assert run("look", "small.yaml")[0] == 2
    assert run("check")[0] == 2
    assert run("check", "small.yaml", "--format", "xml")[0] == 2
    Path("none.yaml").write_text(SPEC.replace("image_folder", "image_foldr"))
    code, _, err = run("check", "none.yaml")
    assert code == 1
    assert "image_foldr" in err
    Path("bare.yaml").write_text(SPEC[: SPEC.index("data:")])
    code, _, err = run("check", "bare.yaml")
    assert code == 1
    assert "add `data:`" in err


def test_the_folder_of_data_sets_is_an_option(flowers: Path) -> None:
    flowers.parent.rename(flowers.parent.with_name("elsewhere"))
    code, out, _ = run("check", "small.yaml")
    assert code == 1
    assert "`data/flowers` is not there" in out
    assert run("check", "small.yaml", "--data-dir", "elsewhere")[0] == 0


RECIPE = "train: {epochs: 1, batch_size: 2, optimizer: {sgd: {lr: 0.1}}, loss: cross_entropy}\n"


def test_training_says_that_a_cache_was_damaged(flowers: Path, specforge: Run) -> None:
    spec = flowers.parents[1] / "small.yaml"
    spec.write_text(SPEC + RECIPE)
    assert specforge("train", spec, "--device", "cpu").returncode == 0
    (cache,) = (flowers / ".specforge-cache").glob("*.npy")
    whole = cache.read_bytes()
    cache.write_bytes(whole[:300] + bytes([whole[300] ^ 1]) + whole[301:])
    done = specforge("train", spec, "--device", "cpu")
    assert done.returncode == 0
    said = f"the image cache `data/flowers/.specforge-cache/{cache.name}` is damaged: the images are decoded anew"
    assert said in done.stderr
    assert cache.read_bytes() == whole


def test_training_refuses_what_is_called_an_error(flowers: Path, specforge: Run) -> None:
    spec = flowers.parents[1] / "small.yaml"
    spec.write_text(SPEC + RECIPE)
    (flowers / "train" / "cat" / "1.png").write_bytes(b"")
    (flowers / "test" / "dog" / "1.png").write_text("dog")
    done = specforge("train", spec, "--device", "cpu")
    assert done.returncode == 1
    assert "`test/dog/1.png` (not an image" in done.stderr
    assert "`train/cat/1.png` (0 bytes)" in done.stderr
