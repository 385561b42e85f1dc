"""What is said of the files of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# `note` is something that a reader may want to know and that is no damage
State = Literal["intact", "unrecorded", "note", "damaged"]
UNRECORDED = "no checksum recorded"


@dataclass(frozen=True, slots=True)
class Finding:
    """One file, by its path in the run's folder; `problem` completes the sentence that begins with the file."""

    file: str
    state: State
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """All that was found out about a run. `epochs` are those that its metrics have."""

    folder: Path
    is_finished: bool
    epochs: int
    findings: tuple[Finding, ...]

    @property
    def is_intact(self) -> bool:
        return not self.of("damaged")

    def of(self, state: State) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.state == state)
