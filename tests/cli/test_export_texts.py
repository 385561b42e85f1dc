"""`specforge export --to python|mermaid|dot`: where the text goes, what is refused, and that torch is not needed."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from specforge.analysis import analyse
from specforge.torch_backend import build
from tests.cli.conftest import Run
from tests.emit.exported import Exported, same_outputs
from tests.trained_runs import finished, spec_file

FORMATS = {"python": '"""digits', "mermaid": '---\ntitle: "digits"', "dot": 'digraph "digits" {'}


@pytest.mark.parametrize("to", FORMATS)
def test_to_stdout_and_to_a_file(specforge: Run, tmp_path: Path, to: str) -> None:
    spec_file(tmp_path, "digits")
    printed = specforge("export", "digits.yaml", "--to", to, blocked=True)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.startswith(FORMATS[to])
    written = specforge("export", "digits.yaml", "--to", to, "--output-file", "new/file", blocked=True)
    assert (written.returncode, written.stdout) == (0, "")
    assert written.stderr == f"wrote new/file: {len(printed.stdout.splitlines()):,} lines\n"
    assert (tmp_path / "new" / "file").read_text(encoding="utf-8") == printed.stdout


def test_a_file_is_not_replaced_unasked(specforge: Run, tmp_path: Path) -> None:
    spec_file(tmp_path, "digits")
    (tmp_path / "old.py").write_text("mine")
    arguments = ("export", "digits.yaml", "--to", "python", "--output-file", "old.py")
    refused = specforge(*arguments)
    assert refused.returncode == 1
    assert "old.py is already there" in refused.stderr
    assert (tmp_path / "old.py").read_text() == "mine"
    assert specforge(*arguments, "--force").returncode == 0
    assert (tmp_path / "old.py").read_text().startswith('"""digits')


def test_a_spec_from_stdin_with_settings(specforge: Run, tmp_path: Path) -> None:
    text = spec_file(tmp_path, "digits").read_text()
    done = specforge("export", "-", "--to", "python", "--set", "name=other", stdin=text)
    assert done.returncode == 0
    assert "class Other(nn.Module):" in done.stdout


def test_an_invalid_spec(specforge: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(
        "specforge: 1\nname: b\nmodel:\n  input: [3, 8, 8]\n  layers:\n    - covn: 32\n"
    )
    done = specforge("export", "broken.yaml", "--to", "python", "--output-file", "b.py")
    assert done.returncode == 1
    assert "did you mean `conv`?" in done.stderr
    assert not (tmp_path / "b.py").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "pyhton"), "did you mean `python`?"),
        (("--to", "python", "--depth", "2"), "is for mermaid and dot, not for python"),
        (("--to", "dot", "--depth", "0"), "Input should be greater than or equal to 1"),
        (("--to", "dot", "--seed", "2"), "is for formats with weights, which dot is not"),
        (("--to", "python", "--with-preprocessing"), "is for formats with weights, which python is not"),
        ((), "Missing option '--to'"),
    ],
)
def test_usage(specforge: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    spec_file(tmp_path, "digits")
    done = specforge("export", "digits.yaml", *arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [("empty", "empty is not a run: it has no spec.yaml"), ("weights.bin", "weights.bin is not a spec")],
)
def test_what_is_no_spec(specforge: Run, tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "weights.bin").write_bytes(b"\0")
    done = specforge("export", name, "--to", "python")
    assert done.returncode == 1
    assert said in done.stderr


def test_a_run_and_its_weights(specforge: Run, tmp_path: Path) -> None:
    """The file of a run's folder takes the tensors of its checkpoint, and gives what the run's network gives."""
    run = finished(tmp_path, "digits")
    done = specforge("export", run.name, "--to", "python")
    assert done.returncode == 0, done.stderr
    assert "--set" in specforge("export", run.name, "--to", "python", "--set", "name=x").stderr
    names: dict[str, object] = {"__name__": "exported"}
    exec(done.stdout, names)
    theirs = Exported(done.stdout, names).network()
    (weights,) = sorted(run.glob("checkpoints/*/weights.safetensors"))[-1:]
    tensors = safetensors.torch.load_file(weights)
    theirs.load_state_dict(tensors, strict=True)
    _, graph = analyse(run / "spec.yaml").require()
    ours = build(graph, seed=0)
    ours.load_state_dict(tensors, strict=True)
    same_outputs(ours, theirs, graph)
    assert torch.isfinite(theirs.eval()(torch.zeros(1, 1, 8, 8))).all()
