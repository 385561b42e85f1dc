"""The table in a job's summary: Markdown that shows text as it is, and no more than GitHub takes."""

import re
from html import unescape
from pathlib import Path

import pytest

from specforge.cli.formats import job_summary
from specforge.cli.formats.job_summary import append_summary
from specforge.cli.formats.places import Root
from specforge.diagnostics import Severity
from tests.cli.formats.conftest import found

HOSTILE = "a|b <img src=x> `code|<b>` **bold** _it_ [link](http://x) ![i](y) &amp; @team #1 \\ $x$ ~~no~~"


def _rows(file: Path) -> list[list[str]]:
    """The cells of each row, without their markup."""
    rows = [row for row in file.read_text(encoding="utf-8").splitlines() if row.startswith("|")]
    return [[unescape(re.sub("</?code>", "`", cell)).strip() for cell in row.split("|")[1:-1]] for row in rows[2:]]


def test_a_row_says_where_what_and_what_to_do(folder: Path) -> None:
    file = folder / "summary.md"
    assert append_summary(
        file, [found("wrong `x`", hint="write `y`"), found("odd", severity="warning")], Root(folder), 3
    )
    assert file.read_text(encoding="utf-8") == (
        "### specforge: 1 error, 1 warning in 3 files\n\n"
        "| | where | finding | what to do |\n| --- | --- | --- | --- |\n"
        "| ❌ | lab.yaml:3:2 | **XXe** wrong <code>x</code> | write <code>y</code> |\n"
        "| ⚠️ | lab.yaml:3:2 | **XXw** odd |  |\n\n"
    )


def test_nothing_in_a_text_is_markup(folder: Path) -> None:
    file = folder / "summary.md"
    append_summary(file, [found(HOSTILE, hint=HOSTILE)], Root(folder), 1)
    ((_, _, finding, hint),) = _rows(file)
    assert finding == f"**XXe** {HOSTILE}"
    assert hint == HOSTILE
    row = file.read_text(encoding="utf-8").splitlines()[4]
    assert (
        re.findall(r"[<*\[!@~$\\]|_it_", row.replace("<code>", "").replace("</code>", "").replace("**XXe**", "")) == []
    )


def test_every_character_is_escaped_once(folder: Path) -> None:
    file = folder / "summary.md"
    append_summary(file, [found("""can't & "won't" <i>""")], Root(folder), 1)
    assert """**XXe** can't &amp; "won't" &lt;i&gt;""" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("severity", "why"), [("warning", " (fails: --strict)"), ("error", "")])
def test_the_heading_says_why_warnings_fail(folder: Path, severity: Severity, why: str) -> None:
    file = folder / "summary.md"
    append_summary(file, [found("x", severity=severity)], Root(folder), 1, strict=True)
    assert file.read_text(encoding="utf-8").splitlines()[0].endswith(f" in 1 file{why}")


def test_an_odd_backquote_is_text(folder: Path) -> None:
    file = folder / "summary.md"
    append_summary(file, [found("one ` only")], Root(folder), 1)
    assert _rows(file)[0][2] == "**XXe** one ` only"


def test_places_lead_to_the_line_of_the_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SERVER_URL", "https://github.example"), ("REPOSITORY", "ada/nets"), ("SHA", "abc123")):
        monkeypatch.setenv(f"GITHUB_{name}", value)
    file = folder / "summary.md"
    append_summary(file, [found("x", file="my specs/a.yaml"), found("x", file="-")], Root(folder), 1)
    link = "[my specs/a.yaml:3:2](https://github.example/ada/nets/blob/abc123/my%20specs/a.yaml#L3)"
    assert [row[1] for row in _rows(file)] == [link, "-:3:2"]


def test_a_clean_run_says_so(folder: Path) -> None:
    file = folder / "summary.md"
    append_summary(file, [], Root(folder), 51)
    assert file.read_text() == "### specforge: 0 errors, 0 warnings in 51 files\n\n\n"


@pytest.mark.parametrize("written", [0, 700])
def test_never_more_than_github_takes(folder: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    monkeypatch.setattr(job_summary, "MAX_BYTES", 2_000)
    file = folder / "summary.md"
    file.write_text("x" * written)
    assert not append_summary(file, [found(f"wörng {n}" * 3) for n in range(100)], Root(folder), 1)
    assert 1_500 < file.stat().st_size <= 2_000
    more = f"\n{100 - len(_rows(file))} more findings are in the command's output: a summary holds 1 MiB.\n"
    assert more in file.read_text(encoding="utf-8")


def test_a_full_summary_only_says_so(folder: Path) -> None:
    file = folder / "summary.md"
    file.write_bytes(b"x" * (1024 * 1024 - 300))
    assert not append_summary(file, [found("wrong")], Root(folder), 1)
    assert file.stat().st_size <= 1024 * 1024
