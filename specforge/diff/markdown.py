"""A difference as a comment on a pull request: the verdicts, then the lines, long parts folded.

A comment of GitHub holds 65,536 characters: what is beyond `ROOM` is left out, and that is said.
"""

from collections.abc import Iterable, Sequence

from specforge.diff.difference import Difference
from specforge.diff.wording import Line, headline, lines

ROOM = 60_000
MOST_LINES = 25
# a fence of ```diff colours lines by their first character
_MARKS = {"heading": "@@ ", "plain": "  ", "note": "# "}


def to_markdown(difference: Difference, *, room: int = ROOM) -> str:
    """A heading, the verdict, and all lines; those after the first 25 behind a `details`."""
    title = f"### {code(difference.before)} → {code(difference.after)}"
    found = [_diff_line(line) for line in list(lines(difference))[1:]]
    verdict = f"**{headline(difference)}**"
    return "\n\n".join([title, verdict, _body(found, room - len(title) - len(verdict) - 200)]) + "\n"


def code(text: str) -> str:
    """Text between backticks that it can't end; `|` is written so that it divides no table."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|").replace("\n", " ")


def folded(summary: str, body: str) -> str:
    """Something that opens at a click; `summary` is Markdown's code or plain words without angle brackets."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _diff_line(line: Line) -> str:
    text = f"! {line.text.removeprefix('~ ')}" if line.text.startswith("~ ") else line.text
    return _MARKS.get(line.style, "") + str(line._replace(text=text))


def _body(found: Sequence[str], room: int) -> str:
    kept = list(_within(found, room))
    if len(kept) < len(found):
        kept.append(f"# {len(found) - len(kept)} lines more than fit here: run specforge diff")
    if len(kept) <= MOST_LINES + 5:
        return _fenced(kept)
    shown, rest = kept[:MOST_LINES], kept[MOST_LINES:]
    return _fenced(shown) + "\n\n" + folded(f"{len(rest)} more lines", _fenced(rest))


def _within(found: Iterable[str], room: int) -> Iterable[str]:
    for line in found:
        room -= len(line) + 1
        if room < 0:
            return
        yield line


def _fenced(found: Iterable[str]) -> str:
    body = "\n".join(found)
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}diff\n{body}\n{fence}"
