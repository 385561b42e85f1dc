"""The tutorial, followed as a reader does: its specs become files, its commands print what is shown.

A spec's first line is its file's name. A `diff` block changes a file for the next command, and for no other.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from specforge.analysis import analyse
from specforge.cli import COMMANDS, application
from specforge.diagnostics import Findings
from specforge.formatting import format_text
from tests import test_readme as readme

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
TEXT = TUTORIAL.read_text(encoding="utf-8")
_FENCE = re.compile(r"^```(yaml spec|yaml|console|diff|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADINGS = [section.partition("\n")[0] for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]]


def blocks(heading: str) -> list[tuple[str, str]]:
    """Kind and text of every block below a heading."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [(match[1], match[2]) for match in _FENCE.finditer(section)]


def write(folder: Path, text: str) -> Path:
    """A spec as the file that its first line names."""
    named = re.match(r"# (\w+\.yaml)\n", text)
    assert named, f"a spec starts with its file's name: {text[:40]}"
    file = folder / named[1]
    file.write_text(text, encoding="utf-8")
    return file


def change(folder: Path, text: str) -> None:
    """Apply a `diff` block: lines with `-` give way to the lines with `+` below them."""
    header, *lines = text.splitlines()
    file = folder / header.removeprefix("--- ")
    changed = file.read_text(encoding="utf-8")
    pieces = re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", "\n".join(lines) + "\n", re.MULTILINE)
    assert pieces
    for old, new in pieces:
        before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
        assert changed.count(before) == 1, f"not one place in {file.name}: {before}"
        changed = changed.replace(before, after)
    file.write_text(changed, encoding="utf-8")


def run(command: str, folder: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "specforge"
    done = subprocess.run(
        [sys.executable, "-c", readme.PROGRAM, *words[1:]],
        cwd=folder, env=os.environ | readme._PLAIN, capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def specs() -> dict[str, str]:
    """Every spec of the tutorial, by its file's name."""
    texts = [text for heading in _HEADINGS for kind, text in blocks(heading) if kind.startswith("yaml")]
    return {text.split("\n")[0].removeprefix("# "): text for text in texts}


@pytest.mark.parametrize("heading", _HEADINGS)
def test_commands_print_what_is_shown(heading: str, specs: dict[str, str], tmp_path: Path) -> None:
    changes: list[str] = []
    for kind, text in blocks(heading):
        if kind == "diff":
            changes.append(text)
        elif kind == "console":
            for spec in specs.values():
                write(tmp_path, spec)
            while changes:
                change(tmp_path, changes.pop(0))
            command, _, shown = text.removeprefix("$ ").partition("\n")
            printed = run(command, tmp_path)
            assert matches(shown, printed), f"{command} prints:\n{printed}"


def matches(shown: str, printed: str) -> bool:
    """Line by line; a line `…` stands for any lines that are left out, at the ends too."""
    parts = [re.escape(line) + "\n" if line != "…" else "(?:.*\n)*" for line in shown.strip().split("\n")]
    return re.fullmatch("".join(parts), printed.strip() + "\n") is not None


@pytest.mark.parametrize(
    ("shown", "is_right"),
    [
        ("a.yaml (A) -> b.yaml (B)\nsame recipe\nMACs: 64\n", True),
        ("a.yaml (A) -> b.yaml (B)\n…\nMACs: 64\n", True),
        ("same recipe\nMACs: 64\n", False),  # without the line that is new
        ("a.yaml (A) -> b.yaml (B)\nsame recipe\n", False),
        ("a.yaml (A) -> b.yaml (B)\n…\nMACs: 63\n", False),
        ("a.yaml (A) -> b.yaml (B)\nsame recipe  b.yaml:3\nMACs: 64\n", False),
    ],
)
def test_an_outdated_output_is_told_from_what_is_printed(shown: str, is_right: bool) -> None:
    assert matches(shown, "a.yaml (A) -> b.yaml (B)\nsame recipe\nMACs: 64\n") == is_right


def test_differences_are_shown_whole() -> None:
    """A `…` would hide what `diff` says anew."""
    shown = [text for heading in _HEADINGS for kind, text in blocks(heading) if kind == "console"]
    differences = [text.splitlines() for text in shown if text.startswith("$ specforge diff ")]
    assert len(differences) == 2
    assert not any("…" in lines for lines in differences)


def test_every_spec_is_right_in_its_place(specs: dict[str, str], tmp_path: Path) -> None:
    for text in specs.values():
        write(tmp_path, text)
    for name in specs:
        assert [found.message for found in analyse(tmp_path / name).findings] == []


def test_every_spec_passes_fmt_check(specs: dict[str, str]) -> None:
    assert len(specs) >= 6
    for name, text in specs.items():
        assert format_text(text, name, Findings()) == text, f"`specforge fmt {name}` would change it"


def test_commands_that_are_not_run_could_be(specs: dict[str, str]) -> None:
    program: Any = typer.main.get_command(application(COMMANDS))
    lines = [
        line for heading in _HEADINGS for kind, text in blocks(heading) if kind == "sh" for line in text.splitlines()
    ]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line, comments=True)
        options = {option for parameter in program.commands[words[1]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
        assert words[2] in specs or words[1] == "schema"


def test_it_shows_a_mistake_a_summary_a_difference_and_a_setting() -> None:
    shown = [text.partition("\n")[0] for heading in _HEADINGS for kind, text in blocks(heading) if kind == "console"]
    assert sum("validate" in command for command in shown) >= 5
    assert {command.split()[2] for command in shown} >= {"validate", "summary", "diff"}
    assert any("--set" in command for command in shown)
