"""`specforge predict`, `bundle` and `run`: what they print and how they exit."""

import json
from pathlib import Path
from shutil import copytree

import pytest

from tests.cli.conftest import Inside, Run
from tests.trained_runs import finished, pictures


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, its test images, and its bundle under the name that another test looks at."""
    from specforge.prediction.weights_file import bundle_bytes
    from tests.trained_runs import trained

    folder = tmp_path_factory.mktemp("runs")
    run = finished(folder, "digits")
    pictures(run)
    (folder / "made.specforge").write_bytes(bundle_bytes(trained(run)))
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return Path(copytree(template, tmp_path, dirs_exist_ok=True))


def test_predict_as_a_user_does(specforge: Run, folder: Path) -> None:
    done = specforge("predict", "digits-run", "digits-run-images/00003.png", "gone.png")
    assert done.returncode == 1
    assert done.stdout.startswith("digits-run-images/00003.png: ")
    assert done.stderr == "error: gone.png: is not there\n"


def test_predict_as_text_and_json(inside: Inside, folder: Path) -> None:
    done = inside("predict", "digits-run", "digits-run-images/00003.png", "--top", "2")
    assert done.exit_code == 0, done.stderr
    name, answers = done.stdout.rstrip("\n").split(": ")
    assert name == "digits-run-images/00003.png"
    assert len(answers.split(", ")) == 2
    assert done.stderr == ""

    done = inside("predict", "digits-run", "digits-run-images/00003.png", "--top", "2", "--format", "json")
    (found,) = json.loads(done.stdout)
    assert found["image"] == "digits-run-images/00003.png"
    first, second = found["top"]
    assert first.keys() == {"index", "class", "probability"}
    assert 1 >= first["probability"] >= second["probability"] >= 0
    assert answers == ", ".join(f"{each['class']} {each['probability']:.1%}" for each in (first, second))


def test_a_broken_image_is_named_and_the_rest_go_on(inside: Inside, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    asked = ["digits-run-images/00001.png", "broken.png", "gone.png", "digits-run-images/00002.png"]
    done = inside("predict", "digits-run", *asked)
    assert done.exit_code == 1
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [asked[0], asked[3]]
    assert "error: broken.png: " in done.stderr
    assert "error: gone.png: is not there" in done.stderr

    done = inside("predict", "digits-run", *asked, "--format", "json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert [each["image"] for each in found] == asked
    assert [("top" in each, "error" in each) for each in found] == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["digits.yaml", "x.png"], "is a spec, which has no weights", "specforge train digits.yaml"),
        (["gone", "x.png"], "gone is not there", "give the folder of a run"),
        (["digits-run-images", "x.png"], "is not a run", "--out"),
        (["digits-run/result.json", "x.png"], "is no bundle and no file of weights", "specforge bundle"),
        (["made.onnx", "x.png"], "made.onnx can't be run", "export it again"),
        (["made.pt2", "x.png"], "made.pt2 is damaged", "export it again"),
        (["digits-run", "x.png", "--device", "quantum"], "unknown device `quantum`", "cpu"),
    ],
)
def test_what_is_no_model_is_told(inside: Inside, folder: Path, arguments: list[str], message: str, hint: str) -> None:
    for name in ("made.onnx", "made.pt2"):
        (folder / name).write_bytes(b"no model at all")
    done = inside("predict", *arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["digits-run"], ["digits-run", "x.png", "--top", "0"], ["made.onnx", "x.png", "--device", "cuda"]],
)
def test_usage_exits_2(inside: Inside, folder: Path, arguments: list[str]) -> None:
    (folder / "made.onnx").write_bytes(b"asked by nobody")
    assert inside("predict", *arguments).exit_code == 2


def test_a_bundle_is_made_looked_at_and_run(inside: Inside, folder: Path) -> None:
    done = inside("bundle", "digits-run")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith("wrote digits.specforge: weights of epoch ")
    assert (folder / "digits.specforge").read_bytes() == (folder / "made.specforge").read_bytes()

    shown = inside("run", "digits.specforge")
    result = json.loads((folder / "digits-run" / "result.json").read_text())
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0] == "digits"
    assert f"test accuracy {result['test_accuracy']:.2%}" in shown.stdout
    assert "10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in shown.stdout

    image = "digits-run-images/00003.png"
    assert inside("run", "digits.specforge", image).stdout == inside("predict", "digits-run", image).stdout
    assert inside("run", "digits.specforge", "--spec").stdout == (folder / "digits-run" / "spec.yaml").read_text()


def test_what_is_in_a_bundle_as_json(inside: Inside, folder: Path) -> None:
    found = json.loads(inside("run", "made.specforge", "--format", "json").stdout)
    result = json.loads((folder / "digits-run" / "result.json").read_text())
    assert found["result"]["test_accuracy"] == result["test_accuracy"]
    assert (found["name"], found["image"], found["members"]) == ("digits", [1, 8, 8], 1)
    assert found["spec_hash"] == result["spec_hash"]
    assert found["parameters"] == result["parameters"]
    assert len(found["sha256"]) == 64


def test_a_bundle_is_checked(inside: Inside, folder: Path) -> None:
    done = inside("run", "made.specforge", "--check")
    assert done.exit_code == 0
    assert done.stdout.startswith("made.specforge: intact, ")
    content = bytearray((folder / "made.specforge").read_bytes())
    content[-1] ^= 1
    (folder / "made.specforge").write_bytes(content)
    for options in (["--check"], [], ["digits-run-images/00003.png"]):
        done = inside("run", "made.specforge", *options)
        assert done.exit_code == 1
        assert "made.specforge is damaged: its checksum is not the one that was written" in done.stderr
        assert done.stdout == ""


def test_a_file_that_is_there_is_only_replaced_by_force(inside: Inside, folder: Path) -> None:
    (folder / "mine").write_text("precious")
    done = inside("bundle", "digits-run", "--output-file", "mine")
    assert done.exit_code == 1
    assert "mine is already there" in done.stderr
    assert (folder / "mine").read_text() == "precious"
    assert inside("bundle", "digits-run", "--output-file", "mine", "--force").exit_code == 0
    assert inside("run", "mine", "--check").exit_code == 0
    done = inside("bundle", "digits-run", "--output-file", "digits-run-images", "--force")
    assert done.exit_code == 1
    assert "is a folder" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bundle", "gone"], "gone is not there"),
        (["bundle", "digits.yaml"], "digits.yaml is a file"),
        (["run", "digits-run"], "is a folder, expected a bundle"),
        (["run", "gone"], "gone is not there"),
        (["run", "digits.yaml"], "no bundle"),
    ],
)
def test_what_is_no_run_and_no_bundle_is_told(inside: Inside, folder: Path, arguments: list[str], message: str) -> None:
    done = inside(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr


def test_check_spec_and_images_exclude_each_other(inside: Inside, folder: Path) -> None:
    assert inside("run", "made.specforge", "--check", "--spec").exit_code == 2
    assert inside("run", "made.specforge", "x.png", "--check").exit_code == 2


def test_without_torch_the_one_command_is_told(specforge: Run, folder: Path) -> None:
    for arguments in (["predict", "digits-run", "x.png"], ["bundle", "digits-run"], ["run", "made.specforge"]):
        done = specforge(*arguments, blocked=True)
        assert done.returncode == 1
        assert "hint: pip install torch" in done.stderr
        assert "Traceback" not in done.stderr
