"""README: commands in `console` blocks print what is shown, those in `sh` blocks have real options and right specs."""

import inspect
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer

from specforge.analysis import analyse
from specforge.cli import COMMANDS, application

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "language.md"]
PROGRAM = "import sys; from specforge.cli import main; sys.argv[0] = 'specforge'; main()"
_PLAIN = {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


def _blocks(kind: str, text: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _shown() -> list[tuple[str, str]]:
    """(command, output) of every prompt in a console block."""
    pieces = [piece for block in _blocks("console", README) for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)]
    return [(command, output) for command, _, output in (piece.partition("\n") for piece in pieces) if command]


def _unrun() -> list[list[str]]:
    """The words of every `specforge` command in shell blocks, without comments and variables before it."""
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    lines = [line for text in texts for block in _blocks("sh", text) for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if "specforge " in line]
    return [words[words.index("specforge") :] for words in commands if "specforge" in words]


@pytest.mark.parametrize(("command", "output"), _shown(), ids=[command for command, _ in _shown()])
def test_output_is_what_is_shown(command: str, output: str) -> None:
    words = shlex.split(command)
    assert words[0] == "specforge"
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words[1:]],
        cwd=ROOT, env=os.environ | _PLAIN, capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert _matches(output, run.stdout + run.stderr), f"{command} prints:\n{run.stdout}{run.stderr}"


def _matches(shown: str, printed: str) -> bool:
    """Line by line; a line `…` stands for any lines that are left out."""
    pattern = re.escape(shown.strip()).replace(re.escape("\n…\n"), r"\n(?:.*\n)*")
    return re.fullmatch(pattern, printed.strip()) is not None


def test_outputs_are_shown() -> None:
    assert {command.split()[1] for command, _ in _shown()} >= {"validate", "summary", "diff", "explain"}
    assert all(output.strip() for _, output in _shown())


@pytest.mark.parametrize("words", _unrun(), ids=shlex.join)
def test_commands_that_are_not_run_could_be(words: list[str]) -> None:
    program: Any = typer.main.get_command(application(COMMANDS))
    command = program.commands[words[1]]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    settings = tuple(value for word, value in pairwise(words) if word == "--set")
    assert not analyse(ROOT / words[2], settings).findings.has_errors


def test_table_names_every_command() -> None:
    assert set(re.findall(r"^\| `specforge ([\w-]+)", README, re.MULTILINE)) == set(COMMANDS)


def test_python_lines_work(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import specforge
    from specforge.experiment import Run, train

    (lines,) = _blocks("python", README)

    class _Finished:
        """Stands for a run: training itself is tested with examples/python_api.py."""

        def __init__(self, *given: Any, **named: Any) -> None:
            inspect.signature(train).bind(*given, **named)
            self.result = type("Result", (), {"test_accuracy": 0.5})

    monkeypatch.setattr(specforge, "train", _Finished, raising=False)
    monkeypatch.chdir(ROOT)
    exec(lines, {})
    assert capsys.readouterr().out.split() == ["0.5", "False"]
    assert {"path", "result", "report"} <= set(Run.__dataclass_fields__)
