"""A difference as a comment on a pull request: the verdicts, then the lines, long parts folded.

A comment of GitHub holds 65,536 characters: what is beyond `ROOM` is left out, and that is said.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from specforge.diagnostics import printable
from specforge.diff.changes import Change
from specforge.diff.difference import Difference
from specforge.diff.wording import Line, headline, lines

ROOM = 60_000
LEAST = 1_000  # characters that are worth a part of its own
MOST_LINES = 25
# a fence of ```diff colours lines by their first character
_MARKS = {"heading": "@@ ", "plain": "  ", "note": "# "}


def to_markdown(difference: Difference, *, room: int = ROOM) -> str:
    """A heading, the verdict, and all lines; those after the first 25 behind a `details`."""
    title = f"### {code(difference.before)} (A) → {code(difference.after)} (B)"
    found = [_diff_line(line) for line in list(lines(difference))[1:]]
    verdict = f"**{headline(difference)}**"
    return "\n\n".join([title, verdict, _body(found, room - len(title) - len(verdict) - 200)]) + "\n"


def changes_to_markdown(found: Sequence[Change], revision: str, total: int) -> str:
    """A table of all specs that differ, and what is said of each behind a `details`; the largest are cut first."""
    differing = sum(change.means_else for change in found)
    title = f"### {differing} of {total} specs differ from {code(revision)}"
    if not found:
        return f"{title}\n"
    rows = list(_within(map(_row, found), ROOM // 2))
    table = "\n".join(["| spec | | parameters | MACs |", "| --- | --- | ---: | ---: |", *rows])
    told = [change for change in found if change.status in ("changed", "broken")]
    parts = list(_parts(told, ROOM - len(title) - len(table)))
    left = max(len(found) - len(rows), len(told) - len(parts))
    more = [f"{left} specs more than fit here: run specforge diff"] if left else []
    legend = [f"A is what was at {code(revision)}, B what is there now."] if parts else []
    return "\n\n".join([title, table, *legend, *parts, *more]) + "\n"


def _parts(told: Sequence[Change], room: int) -> Iterator[str]:
    """What is said of each, as far as there is room."""
    for number, change in enumerate(told):
        share = max(room // (len(told) - number), LEAST)
        part = _broken(change, share) if change.difference is None else _details(change.file, change.difference, share)
        room -= len(part) + 2
        if room < 0:
            return
        yield part


def _row(change: Change) -> str:
    if change.difference is None or change.status != "changed":
        return f"| {code(change.file)} | {change.told()} | | |"
    sizes = (tuple(totals.total for totals in change.difference.parameters), change.difference.macs)
    cells = (f"{before:,}" if before == after else f"{before:,} → {after:,}" for before, after in sizes)
    return f"| {code(change.file)} | {headline(change.difference)} | {' | '.join(cells)} |"


def _details(file: str, difference: Difference, room: int) -> str:
    found = [_diff_line(line) for line in list(lines(difference))[1:]]
    name = printable(file).replace("\n", "\\n")
    summary = f"<code>{escape(name)}</code>: {headline(difference)}"
    return folded(summary, _body(found, room - len(summary) - 200))


def _broken(change: Change, room: int) -> str:
    said = [f"- {code(str(each.span))}: {each.code} {code(each.message)}" for each in change.findings]
    found = list(_within(said, room - len(change.file) - 100))
    more = [f"- and {len(said) - len(found)} more"] if len(found) < len(said) else []
    return "\n".join([f"{code(change.file)} is broken:\n", *found, *more])


def code(text: str) -> str:
    """Text between backticks that it can't end; `|` is written so that it divides no table."""
    text = printable(text).replace("\n", "\\n")
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def folded(summary: str, body: str) -> str:
    """Something that opens at a click; `summary` is Markdown's code or plain words without angle brackets."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _diff_line(line: Line) -> str:
    text = f"! {line.text.removeprefix('~ ')}" if line.text.startswith("~ ") else line.text
    return _MARKS.get(line.style, "") + printable(str(line._replace(text=text))).replace("\n", "\\n")


def _body(found: Sequence[str], room: int) -> str:
    kept = list(_within(found, room))
    if len(kept) < len(found):
        kept.append(f"# {len(found) - len(kept)} lines more than fit here: run specforge diff")
    if len(kept) <= MOST_LINES + 5:
        return _fenced(kept)
    shown, rest = kept[:MOST_LINES], kept[MOST_LINES:]
    return _fenced(shown) + "\n\n" + folded(f"{len(rest)} more lines", _fenced(rest))


def _within(found: Iterable[str], room: int) -> Iterator[str]:
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
