"""Every command that needs no torch, where torch can't be imported."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

COMMANDS = {
    "validate": ["validate", "tiny.yaml"],
    "summary": ["summary", "tiny.yaml"],
    "config": ["config", "tiny.yaml"],
    "hash": ["config", "--hash", "tiny.yaml"],
    "diff": ["diff", "tiny.yaml", "tiny.yaml"],
    "list": ["list"],
    "explain": ["explain", "conv"],
    "version": ["--version"],
    "help": ["--help"],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_runs_without_torch(specforge: Run, tiny: Path, arguments: list[str]) -> None:
    done = specforge(*arguments, blocked=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_train_names_the_command_that_helps(specforge: Run, tiny: Path) -> None:
    done = specforge("train", tiny, blocked=True)
    assert done.returncode == 1
    assert "pip install torch torchvision numpy safetensors matplotlib" in done.stderr
    assert "Traceback" not in done.stderr


def test_validate_json(specforge: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("specforge: 1\nname: broken\nmodel:\n  input: [3, 32, 32]\n  layers:\n    - covn: 32\n")
    done = specforge("validate", "broken.yaml", "--format", "json", blocked=True)
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)
    assert found == {
        "file": "broken.yaml",
        "line": 6,
        "column": 7,
        "end_line": 6,
        "end_column": 11,
        "code": "SF304",
        "severity": "error",
        "message": "unknown layer or block `covn`",
        "hint": "did you mean `conv`?",
    }


def test_validate_concise_and_text(specforge: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(
        "specforge: 1\nname: broken\nmodel:\n  input: [3, 32, 32]\n  layers:\n    - covn: 32\n"
    )
    concise = specforge("validate", "broken.yaml", "--format", "concise")
    assert concise.stdout == "broken.yaml:6:7: error[SF304] unknown layer or block `covn`; did you mean `conv`?\n"
    assert concise.stderr == "1 file: 1 error, 0 warnings\n"
    text = specforge("validate", "broken.yaml")
    assert text.stdout.splitlines()[1:] == ["  6 |     - covn: 32", "    |       ^^^^", "  hint: did you mean `conv`?"]


def test_validate_stdin_folder_and_glob(specforge: Run, tiny: Path) -> None:
    assert specforge("validate", "-", stdin=tiny.read_text()).returncode == 0
    (tiny.parent / "more").mkdir()
    (tiny.parent / "more" / "other.yml").write_text(tiny.read_text())
    assert specforge("validate", ".").stderr == "2 files: no findings\n"
    assert specforge("validate", "more/*.yml").stderr == "1 file: no findings\n"


def test_usage_errors_exit_2(specforge: Run, tiny: Path) -> None:
    assert specforge("validate", "nowhere.yaml").returncode == 2
    assert specforge("validate", tiny, "--format", "xml").returncode == 2
    assert specforge("validate").returncode == 2
    assert specforge("nothing").returncode == 2
    assert specforge("explain", "cnov").returncode == 2
    assert specforge("--color", "pink", "list").returncode == 2


def test_strict_makes_warnings_count(specforge: Run, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("    - linear: 10\n", "    - linear: 10\n    - softmax\n"))
    relaxed, strict = specforge("validate", tiny), specforge("validate", tiny, "--strict")
    assert (relaxed.returncode, strict.returncode) == (0, 1)
    assert "SF509" in relaxed.stdout
    tiny.write_text(tiny.read_text() + "accept: {SF509: the paper does it}\n")
    accepted = specforge("validate", tiny, "--strict")
    assert accepted.returncode == 0
    assert "the paper does it" in accepted.stdout


def test_set_is_located(specforge: Run, tiny: Path) -> None:
    done = specforge("validate", tiny, "--set", "train.epohcs=5", "--format", "concise")
    assert done.returncode == 1
    assert done.stdout.startswith("--set:1:7: error[SF301]")
    assert "did you mean `epochs`?" in done.stdout


def test_output_file(specforge: Run, tiny: Path) -> None:
    assert specforge("validate", tiny, "--format", "json", "--output-file", "out.json").returncode == 0
    assert json.loads((tiny.parent / "out.json").read_text()) == []
    assert specforge("validate", tiny, "--output-file", "no/such/folder.json").returncode == 2


def test_summary_of_a_broken_spec_exits_1(specforge: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    done = specforge("summary", "empty.yaml")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "SF103" in done.stderr


def test_colour_only_when_asked(specforge: Run, tiny: Path) -> None:
    assert "\x1b[" not in specforge("summary", tiny).stdout
    assert "\x1b[" in specforge("--color", "always", "summary", tiny).stdout
    assert "\x1b[" not in specforge("--color", "never", "summary", tiny).stdout


def test_diff_exit_codes(specforge: Run, tiny: Path) -> None:
    other = tiny.with_name("other.yaml")
    other.write_text(tiny.read_text().replace("epochs: 2\n  batch", "epochs: 3\n  batch"))
    assert specforge("diff", tiny, tiny, blocked=True).returncode == 0
    assert specforge("diff", tiny, other, blocked=True).returncode == 1
    other.write_text("nonsense")
    assert specforge("diff", tiny, other, blocked=True).returncode == 2
    assert specforge("diff", tiny, "missing.yaml", blocked=True).returncode == 2
