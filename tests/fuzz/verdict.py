"""A spec in the working folder -> what analysing it took and which promise it broke, if any.

Time is the processor's and memory what the process grew by at its largest, so that a busy machine fails no case.
"""

import gc
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from types import FrameType
from typing import Literal

from specforge.analysis import Analysis, analyse
from tests.fuzz.cases import MAIN
from tests.fuzz.promises import broken

MAX_SECONDS = 2.0
MAX_MEGABYTES = 400.0
SMALL = 1_000_000

Failing = Literal[
    *("", "exception", "slow", "memory", "silent", "misplaced", "config", "diff", "fmt", "schema", "rate"),
    *("crash", "cli", "build"),
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went. `failing` names the broken promise, `place` and `detail` say where and how."""

    failing: Failing = ""
    place: str = ""
    detail: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    has_findings: bool = False
    has_graph: bool = False
    is_small: bool = False


class TooSlow(BaseException):
    """Raised inside an analysis that takes too long; no `except Exception` catches it."""


def judge(settings: tuple[str, ...] = (), *, thorough: bool = False) -> Verdict:
    """Analyse `spec.yaml`; a `thorough` judge also does with the result what other commands do."""
    before = _memory(reset=True)
    began = process_time()
    signal.signal(signal.SIGPROF, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    analysis, failing, place, detail = None, "", "", ""
    try:
        analysis = analyse(MAIN, settings)
        seconds = process_time() - began
        signal.setitimer(signal.ITIMER_PROF, 0)
        failing, place, detail = broken(analysis, settings, thorough=thorough)
    except TooSlow as slow:
        failing, place, detail = "slow", _place(slow), f"more than {MAX_SECONDS:g} s"
    except MemoryError as error:
        failing, place, detail = "memory", _place(error), "the limit of the process"
    except Exception as error:  # noqa: BLE001  any of them is a failure
        failing, place = "exception", f"{type(error).__name__} {_place(error)}"
        detail = "".join(traceback.format_exception(error))[-3_000:]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = process_time() - began if analysis is None else seconds
    grown = _memory() - before
    if not failing and grown > MAX_MEGABYTES:
        failing, detail = "memory", f"{grown:.0f} MB"
    return Verdict(
        failing,  # type: ignore[arg-type]  # one of the literals above
        place,
        detail,
        seconds,
        grown,
        analysis is not None and len(analysis.findings) > 0,
        analysis is not None and analysis.graph is not None,
        _is_small(analysis),
    )


def _is_small(analysis: Analysis | None) -> bool:
    if analysis is None or analysis.graph is None or analysis.findings.has_errors:
        return False
    return analysis.graph.total_parameters < SMALL and analysis.graph.macs < 100 * SMALL


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def _place(error: BaseException) -> str:
    """The innermost function of specforge, which tells one bug from another."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "specforge/" in frame.filename.replace("\\", "/")]
    return f"{Path(own[-1].filename).name}:{own[-1].name}" if own else "outside"


def _memory(*, reset: bool = False) -> float:
    """Megabytes at the peak since the last reset, where the kernel counts them, else since the process began."""
    status = Path("/proc/self/status")
    if reset:
        gc.collect(0)
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        except OSError:
            reset = False
    try:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if line.startswith("Vm"))
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(lines["VmHWM"].split()[0]) / 1024
