"""Annotations: what the runner reads, within what GitHub shows."""

import os
import re
from pathlib import Path

import pytest

from specforge.cli.formats.github import command, show_github
from specforge.cli.formats.places import Root, root
from specforge.diagnostics import Diagnostic, Span, Use
from tests.cli.formats.conftest import Validate, found, one_file

COMMAND = re.compile(r"::(error|warning) ((?:\w+=[^,:]*)(?:,\w+=[^,:]*)*)::(.*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command as GitHub's runner takes it apart."""
    match = COMMAND.fullmatch(line)
    assert match, line
    properties = dict(part.split("=", 1) for part in match[2].split(","))
    escapes = {"%3A": ":", "%2C": ",", "%0D": "\r", "%0A": "\n", "%25": "%"}

    def plain(text: str) -> str:
        return re.sub("%(?:3A|2C|0D|0A|25)", lambda escape: escapes[escape[0]], text)

    return match[1], {name: plain(value) for name, value in properties.items()}, plain(match[3])


def test_a_mistake_in_a_line(validate: Validate, capsys: pytest.CaptureFixture[str]) -> None:
    show_github(validate(lab="    - covn: 32\n"))
    assert capsys.readouterr().out == (
        "::error file=lab.yaml,line=6,col=7,endLine=6,endColumn=11,title=SF304::"
        "unknown layer or block `covn`%0Ahint: did you mean `conv`?\n"
    )


def test_a_mistake_of_several_lines_has_no_columns() -> None:
    wrong = found("too long")
    wide = command(type(wrong)(wrong.rule, Span("lab.yaml", 3, 2, 5, 1), "too long"), root())
    assert read(wide)[1] == {"file": "lab.yaml", "line": "3", "endLine": "5", "title": "XXe"}


@pytest.mark.parametrize("text", ["100%, a:b", "%0A is no line", "a\nb\r\nc", "%25", "::error::", "a,b=c:d"])
def test_any_text_arrives_as_it_is(folder: Path, text: str) -> None:
    line = command(found(text, file=f"odd {text.splitlines()[0]}.yaml", hint=text), root())
    assert len(line.splitlines()) == 1
    severity, properties, data = read(line)
    assert (severity, data) == ("error", f"{text}\nhint: {text}")
    assert properties["file"] == f"odd {text.splitlines()[0]}.yaml"


def test_paths_start_where_github_checked_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")
    assert read(command(found("x", file="a.yaml"), root()))[1]["file"] == "deep/a.yaml"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder / "deep"))
    assert read(command(found("x", file="a.yaml"), root()))[1]["file"] == "a.yaml"
    assert read(command(found("x", file=str(folder / "deep" / "b.yaml")), root()))[1]["file"] == "b.yaml"


@pytest.mark.parametrize("place", ["-", "--set", "/elsewhere/a.yaml", "git:main:a.yaml"])
def test_what_is_not_in_the_repository_is_named_in_the_text(folder: Path, place: str) -> None:
    _, properties, data = read(command(found("wrong", file=place), Root(folder)))
    assert properties == {"title": "XXe"}
    assert data == f"{place}:3:2: wrong"


def test_where_a_block_is_used_is_said(folder: Path) -> None:
    wrong = found("wrong")
    used = type(wrong)(wrong.rule, wrong.span._replace(used_by=Use("unit", Span("b.yaml", 9, 1, 9, 2))), "wrong")
    assert read(command(used, root()))[2] == "wrong (used by block `unit` at b.yaml:9:1)"


def test_a_warning_that_fails_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_github(one_file(found("x"), found("y", severity="warning")), strict=True)
    titles = [read(line)[1]["title"] for line in capsys.readouterr().out.splitlines()]
    assert titles == ["XXe", "XXw (fails: --strict)"]


def test_errors_come_first_each_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = [found("first", line=1, severity="warning"), found("second", line=2), found("third", line=3)]
    show_github([*one_file(*both), *one_file(both[1])])
    said = [read(line) for line in capsys.readouterr().out.splitlines()]
    assert [(severity, data) for severity, _, data in said] == [
        ("error", "second"), ("error", "third"), ("warning", "first"),
    ]  # fmt: skip


def _many(errors: int, warnings: int) -> list[Diagnostic]:
    return [
        *[found(f"error {n}", line=n + 1) for n in range(errors)],
        *[found(f"warning {n}", line=n + 1, severity="warning") for n in range(warnings)],
    ]


def test_what_github_would_drop_is_in_the_summary(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = folder / "summary.md"
    summary.write_text("of an earlier command\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    show_github(one_file(*_many(12, 11)))
    said = capsys.readouterr()
    assert [read(line)[2] for line in said.out.splitlines()] == [
        *[f"error {n}" for n in range(10)],
        *[f"warning {n}" for n in range(10)],
    ]
    assert said.err == (
        "GitHub shows 10 errors and 10 warnings of a step; 3 more findings are in the summary of the job\n"
    )
    text = summary.read_text()
    assert text.startswith("of an earlier command\n### specforge: 12 errors, 11 warnings in 0 files\n")
    assert "error 11" in text
    assert "warning 10" in text


def test_without_a_summary_the_rest_is_in_the_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_github(one_file(*_many(11, 0)))
    said = capsys.readouterr()
    assert said.out.splitlines()[10:] == ["- lab.yaml:11:2: error[XXe] error 10"]
    assert said.err == "GitHub shows no more as annotations; 1 more finding is in the lines after them\n"


def test_a_summary_that_can_not_be_written_stops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "no" / "such.md"))
    show_github(one_file(*_many(1, 0)))
    said = capsys.readouterr()
    assert said.out.startswith("::error ")
    assert said.err == f"can't write the summary {folder}{os.sep}no{os.sep}such.md: No such file or directory\n"


def test_what_is_accepted_is_no_annotation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    show_github(one_file(replace(found("fine", severity="warning"), accepted="because")))
    assert capsys.readouterr().out == ""


def test_nothing_in_the_log_is_a_command_of_somebody_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = found("::add-mask::x ##[add-matcher]y", file="::stop-commands::z", line=12)
    show_github(one_file(*_many(10, 0), hostile))
    (line,) = capsys.readouterr().out.splitlines()[10:]
    assert line == "- ::stop-commands::z:12:2: error[XXe] ::add-mask::x ## [add-matcher]y"
