"""Where runs are tracked, and a run that is sent there.

    tracked = opened("tensorboard", Path("runs/lab2"))
    tracked.catch_up()     # what the folder has and the tool has not

In: a wish such as `mlflow:http://localhost:5000`, and the folder of a run. Out: the run in that tool. An epoch that is
there is never sent again, so that a run which was resumed, or is sent twice, has each of them once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from time import time
from typing import Protocol

from specforge.diagnostics import one_line
from specforge.tracking import content
from specforge.tracking.content import Epoch, Setting
from specforge.training.errors import TrainingError

_LONGEST = 300
# how the clients of servers say, somewhere in a long text, that there is none
_UNREACHABLE = ("connection refused", "name or service not known", "no route to host", "network is unreachable")


class Tracker(Protocol):
    """A run in another tool."""

    def epochs(self) -> set[int]:
        """Those that are there."""

    def is_ended(self) -> bool:
        """Whether the final test is there."""

    def begin(self, settings: Mapping[str, Setting], facts: Mapping[str, str]) -> None:
        """Say what the run is about, if the tool does not know it yet; it is in progress from now on."""

    def add(self, epoch: Epoch) -> None: ...

    def end(self, outcome: Mapping[str, float]) -> None:
        """Send the final test."""

    def close(self, *, finished: bool) -> None:
        """Let go of files and connections; a run that is not `finished` may go on later."""


@dataclass(frozen=True, slots=True)
class Target:
    """A tool, by its name, and a place in its own words: a folder or an address."""

    tool: str
    place: str | None

    def __str__(self) -> str:
        return self.tool if self.place is None else f"{self.tool}:{self.place}"


class Tracked:
    """A run's folder and the tracker that it is sent to."""

    def __init__(self, folder: Path, tracker: Tracker):
        self._folder, self._tracker = folder, tracker
        self._sent: set[int] | None = None

    def catch_up(self) -> int:
        """Send what the folder has and the tool has not; how many epochs that was."""
        if self._sent is None:
            self._sent = self._tracker.epochs()
            self._tracker.begin(content.settings(self._folder), content.facts(self._folder))
        # times are told by the folder for a run as a whole, and by the clock for what is added to one
        is_whole = not self._sent
        return sum(self.add(epoch if is_whole else replace(epoch, at=time())) for epoch in content.epochs(self._folder))

    def add(self, epoch: Epoch) -> bool:
        """Whether it was new."""
        assert self._sent is not None, "it has caught up before"
        if epoch.number in self._sent:
            return False
        self._tracker.add(epoch)
        self._sent.add(epoch.number)
        return True

    def close(self) -> None:
        """With the final test, if there was one."""
        outcome = content.outcome(self._folder)
        if outcome and not self._tracker.is_ended():
            self._tracker.end(outcome)
        self._tracker.close(finished=bool(outcome))


def target_of(text: str) -> Target:
    """`tensorboard` or `mlflow`, with a place behind a colon; TrainingError for another word or a missing package."""
    tool, _, place = text.partition(":")
    if tool not in _OPENED:
        raise TrainingError(f"`{text}` is no place to track runs", hint=f"write one of {', '.join(sorted(_OPENED))}")
    if find_spec(tool) is None:
        package = "mlflow-skinny" if tool == "mlflow" else tool
        raise TrainingError(
            f"`{package}` is not installed: nothing can be tracked there", hint=f"pip install {package}"
        )
    return Target(tool, place or None)


def reason_of(error: Exception) -> str:
    """Why another program's client has failed, in a line; the connection's own where there is none."""
    text = str(error)
    known = next((phrase for phrase in _UNREACHABLE if phrase in text.lower()), None)
    if known is not None:
        return known
    if isinstance(error, OSError) and error.filename:
        return one_line(f"{error.filename}: {error.strerror}")
    return one_line((text.splitlines() or [""])[0])[:_LONGEST] or type(error).__name__


def opened(target: Target, folder: Path) -> Tracked:
    """Tools are imported here."""
    return Tracked(folder, _OPENED[target.tool](target.place, folder))


def _tensorboard(place: str | None, folder: Path) -> Tracker:
    from specforge.tracking.tensorboard_events import Events

    return Events(folder / "tensorboard" if place is None else Path(place) / folder.resolve().name)


def _mlflow(place: str | None, folder: Path) -> Tracker:
    from specforge.tracking.mlflow_runs import MlflowRun

    return MlflowRun(place, folder)


_OPENED: dict[str, Callable[[str | None, Path], Tracker]] = {"tensorboard": _tensorboard, "mlflow": _mlflow}
