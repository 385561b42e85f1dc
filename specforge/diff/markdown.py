"""A difference as a comment on a pull request: the verdicts, then the lines, long parts folded.

A comment of GitHub holds 65,536 characters: what is beyond `ROOM` is left out, and that is said.
"""

from collections.abc import Iterable, Sequence
from html import escape

from specforge.diff.changes import Change
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


def changes_to_markdown(found: Sequence[Change], revision: str, total: int) -> str:
    """A table of all specs that differ, and what is said of each behind a `details`; the largest are cut first."""
    title = f"### {len(found)} of {total} specs differ from {code(revision)}"
    if not found:
        return f"{title}\n"
    table = ["| spec | | parameters | MACs |", "| --- | --- | ---: | ---: |", *map(_row, found)]
    told = [change for change in found if change.difference is not None and change.status == "changed"]
    room = ROOM - len(title) - sum(map(len, table))
    parts = []
    for number, change in enumerate(told):
        assert change.difference is not None
        parts.append(_details(change.file, change.difference, room // (len(told) - number)))
        room -= len(parts[-1])
    broken = [_broken(change) for change in found if change.status == "broken"]
    return "\n\n".join([title, "\n".join(table), *broken, *parts]) + "\n"


def _row(change: Change) -> str:
    if change.difference is None or change.status != "changed":
        return f"| {code(change.file)} | {change.told()} | | |"
    sizes = (tuple(totals.total for totals in change.difference.parameters), change.difference.macs)
    cells = (f"{before:,}" if before == after else f"{before:,} → {after:,}" for before, after in sizes)
    return f"| {code(change.file)} | {headline(change.difference)} | {' | '.join(cells)} |"


def _details(file: str, difference: Difference, room: int) -> str:
    found = [_diff_line(line) for line in list(lines(difference))[1:]]
    summary = f"<code>{escape(file)}</code>: {headline(difference)}"
    return folded(summary, _body(found, room - len(summary) - 200))


def _broken(change: Change) -> str:
    found = "\n".join(f"- {code(str(each.span))}: {each.code} {code(each.message)}" for each in change.findings[:10])
    return f"{code(change.file)} is broken:\n\n{found}"


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
