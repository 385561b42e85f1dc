"""`validate --watch`: again and again, whenever a file that matters is another one.

In: what to validate. Out: the findings, anew after each change to a spec, to a file that one reads or looks for, to the
settings, and when a spec appears or goes. Files are looked at, not subscribed to: that works on every disk.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import typer

from specforge.cli import console
from specforge.cli.choosing import Projects, chosen_files
from specforge.cli.validation import Validated, Wanted
from specforge.git import GitError
from specforge.project import Recorded, Stamp, stamp

INTERVAL = 0.4  # seconds between looks
SHARE = 0.04  # of one processor's time, at most, for looking
SETTLED = 0.1  # seconds without a change, after which an editor is done with saving
MAX_UNSETTLED = 2.0
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"

State = dict[Path, Stamp]
Report = Callable[[list[Validated], Projects], object]


def watch(wanted: Wanted, report: Report) -> None:
    """Until Ctrl-C, which ends it quietly with 130. Raises `GitError` and usage errors of the first round."""
    try:
        _watch(wanted, report)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _watch(wanted: Wanted, report: Report) -> None:
    files = Recorded()
    found = wanted.projects(files)
    report(wanted.validate(found), found)
    while True:
        before = dict(files.asked)  # as they were when they were read: what changed since then is validated again
        count = sum(known is not None for known in before.values())
        _say(f"watching {count} file{'s' * (count != 1)}; Ctrl-C ends")
        changed = _wait(wanted, found, files, before)
        files = Recorded()
        found = wanted.projects(files)
        _begin(changed)
        try:
            report(wanted.validate(found), found)
        except (typer.BadParameter, GitError) as error:  # as long as there is nothing to validate
            console.error(error.message)


def _wait(wanted: Wanted, found: Projects, files: Recorded, before: State) -> list[Path]:
    """The files that changed, once they rest."""
    took = 0.0
    while True:
        time.sleep(max(INTERVAL, took / SHARE))
        began = time.process_time()
        now = _state(wanted, found, files)
        took = time.process_time() - began
        if now != before:
            now = _at_rest(now, lambda: _state(wanted, found, files))
            changed = [path for path in {**before, **now} if before.get(path) != now.get(path)]
            if changed:
                return changed


def _at_rest(now: State, look: Callable[[], State]) -> State:
    end = time.monotonic() + MAX_UNSETTLED
    while time.monotonic() < end:
        time.sleep(SETTLED)
        later = look()
        if later == now:
            break
        now = later
    return now


def _state(wanted: Wanted, found: Projects, files: Recorded) -> State:
    """Of everything that was read or looked for, and of the specs that are there now."""
    try:
        chosen = chosen_files(wanted.paths, found, quiet=True)
    except typer.BadParameter:
        chosen = []
    return {path: stamp(path) for path in {*files.asked, *(Path(name).absolute() for name in chosen)}}


def _begin(changed: list[Path]) -> None:
    names = sorted(path.name for path in changed)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    if sys.stdout.isatty():
        print(_CLEAR, end="", flush=True)
    _say(f"{time.strftime('%H:%M:%S')} {', '.join(names[:3])}{more} changed")


def _say(line: str) -> None:
    sys.stdout.flush()
    console.note((line, "dim"))
    sys.stderr.flush()
