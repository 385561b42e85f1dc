"""What reaches a terminal: texts, never commands to it."""

import io
import sys

import pytest

from specforge.cli import console
from specforge.diagnostics import printable

HOSTILE = "cat\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202e\u2028dog\ud800"
SHOWN = r"cat\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202e\u2028dog\ud800"


@pytest.fixture(params=["never", "always"])
def _mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_mode", request.param)


def test_lines_and_ordinary_letters_stay() -> None:
    for text in ("", "a\tb\nc", "Größe 実験 naïve −0.13 × ∞ …\u00a0%", "🙂"):
        assert printable(text) == text
    assert printable(HOSTILE) == SHOWN


@pytest.mark.usefixtures("_mode")
def test_control_characters_are_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    console.write(HOSTILE, (HOSTILE, "bold red"))
    console.table(("name", "n"), [(HOSTILE, "1")], numbers=frozenset({1}))
    console.error(HOSTILE, HOSTILE)
    out, err = capsys.readouterr()
    assert out.count(r"\x1b]0;owned\x07") == 3
    assert err.count(r"\x1b]0;owned\x07") == 2
    for letter in ("\x07", "\r", "\x9b", "\u202e", "\u2028", "\ud800"):
        assert letter not in out + err


def test_a_bar_shows_messages_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from specforge.cli.progress import Bar

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = Bar()
    try:
        bar.on_message(f"stage 2, [/red] {HOSTILE}: 9 epochs")
        shown = bar.bar.console.file
    finally:
        bar.stop()
    assert isinstance(sys.stderr, io.StringIO)
    assert shown is not None
    assert f"stage 2, [/red] {SHOWN}: 9 epochs" in sys.stderr.getvalue().replace("\n", "")
