"""`specforge export --to onnx|torch_export|safetensors`: files, refusals, and what is said."""

import errno
import json
from pathlib import Path
from shutil import copytree

import pytest

from tests.cli.conftest import Inside, Run
from tests.trained_runs import finished, pictures, spec_file


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    pictures(finished(folder, "plain"))
    spec_file(folder, "digits")
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return Path(copytree(template, tmp_path, dirs_exist_ok=True))


def test_a_run_in_every_format_predicts_the_same(inside: Inside, folder: Path) -> None:
    image = "plain-run-images/00002.png"
    expected = inside("predict", "plain-run", image).stdout
    for to, file in (("onnx", "a/m.onnx"), ("torch_export", "m.pt2"), ("safetensors", "m.safetensors")):
        done = inside("export", "plain-run", "--to", to, "--output-file", file)
        assert done.exit_code == 0, done.output
        assert done.stdout == ""
        assert done.stderr == f"wrote {file}: weights of epoch 2, {(folder / file).stat().st_size:,} bytes\n"
        assert inside("predict", file, image).stdout == expected


def test_with_preprocessing(inside: Inside, folder: Path) -> None:
    options = ("--to", "onnx", "--output-file", "m.onnx", "--with-preprocessing")
    assert inside("export", "plain-run", *options).exit_code == 0
    found = inside("predict", "m.onnx", "plain-run-images", "--format", "json")
    expected = json.loads(inside("predict", "plain-run", "plain-run-images", "--format", "json").stdout)
    for mine, other in zip(json.loads(found.stdout), expected, strict=True):
        assert mine["top"][0]["class"] == other["top"][0]["class"]
        assert mine["top"][0]["probability"] == pytest.approx(other["top"][0]["probability"], abs=1e-4)


def test_a_spec_gets_fresh_weights(inside: Inside, folder: Path) -> None:
    options = ("--to", "safetensors", "--seed", "5", "--set", "model.layers.0.conv.out_channels=4")
    for name in ("a.safetensors", "b.safetensors"):
        done = inside("export", "digits.yaml", *options, "--output-file", name)
        assert done.exit_code == 0, done.output
        assert "fresh weights of seed 5" in done.stderr
    assert (folder / "a.safetensors").read_bytes() == (folder / "b.safetensors").read_bytes()
    done = inside("predict", "a.safetensors", "plain-run-images/00000.png")
    assert done.exit_code == 1
    assert "exported from a spec, not from a run" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["plain-run", "--to", "onnx"], 2, "network.onnx"),
        (["plain-run", "--to", "onyx", "--output-file", "x"], 2, "onyx"),
        (["plain-run", "--to", "onnx", "-o", "plain.yaml"], 1, "plain.yaml is already there"),
        (["plain-run", "--to", "onnx", "--output-file", "plain-run"], 1, "is a folder"),
        (["gone", "--to", "onnx", "--output-file", "x"], 1, "gone is not there"),
        (["gone.yaml", "--to", "onnx", "--output-file", "x"], 1, "gone.yaml"),
        (["plain-run", "--to", "onnx", "--output-file", "x", "--seed", "1"], 2, "`--seed` is for a spec"),
        (["plain-run", "--to", "safetensors", "--output-file", "x", "--with-preprocessing"], 1, "is for programs"),
        (["digits.yaml", "--to", "onnx", "--output-file", "x", "--with-preprocessing"], 1, "measured on its training"),
    ],
)
def test_what_cannot_be_exported_is_told(
    inside: Inside, folder: Path, arguments: list[str], code: int, message: str
) -> None:
    before = {path.name for path in folder.iterdir()}
    done = inside("export", *arguments)
    assert done.exit_code == code, done.output
    assert message in done.stderr
    assert {path.name for path in folder.iterdir()} == before


def test_a_full_disk_leaves_what_was_there(inside: Inside, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "m.safetensors").write_text("before")

    def replace(self: Path, _: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    done = inside("export", "plain-run", "--to", "safetensors", "--output-file", "m.safetensors", "--force")
    assert done.exit_code == 1
    assert done.stderr == "error: m.safetensors: No space left on device\nhint: free some space\n"
    assert (folder / "m.safetensors").read_text() == "before"
    assert not list(folder.glob(".*partial"))


def test_as_a_user_does_without_torch(specforge: Run, folder: Path) -> None:
    done = specforge("export", "plain-run", "--to", "onnx", "--output-file", "x", blocked=True)
    assert done.returncode == 1
    assert "hint: pip install torch" in done.stderr
