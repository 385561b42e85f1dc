"""How fast training is, beside the ways in which people train: images per second, processor time, memory.

    measured = measure(Case("lab2_bn", 128, "flip_crop"), ("specforge", "bare"), seconds=60)
    print(report(measured))         # a line for each way
    comparisons(measured)           # the rows that have targets

All ways of a case are measured in one run, three steps of each a round, in an order that turns round every time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

from benchmarks.cases import Case
from benchmarks.comparison import Comparison, columns
from benchmarks.processes import Turn, Worker, WorkerFailed, workers
from benchmarks.ways import COMPARED, WAYS

CASES = (
    Case("lab2_bn", 64, "flip_crop"),
    Case("lab2_bn", 128, "none"),
    Case("lab2_bn", 128, "flip_crop"),
    Case("lab2_bn", 128, "full"),
    Case("six_conv", 128, "flip_crop"),
    Case("phase3_resnet18", 128, "flip_crop"),
)
QUICK_CASES = (CASES[2], CASES[3], CASES[4])
_WITH_STREAMED = Case("lab2_bn", 128, "flip_crop")
# of a case, the start of its processes included
SECONDS, QUICK_SECONDS = 240.0, 60.0
STEPS, MIN_ROUNDS = 3, 3
# of the rounds that are not kept: code is compiled in them, memory is reserved, and queues of loaded batches fill
WARM_UP, WARM_UP_STEPS = 2, 5
MAX_AUGMENTATION_SHARE, MAX_MEMORY = 0.03, 1.15
MEGABYTE = 1e6
# the data path with and without the augmentation of the case
_DATA_PATH = _BATCHES, _PLAIN_BATCHES = "batches", "plain batches"


@dataclass(frozen=True, slots=True)
class Measured:
    """The turns of each way, in rounds; and why the others have none."""

    case: Case
    turns: dict[str, list[Turn]]
    absent: dict[str, str]

    def compared(self, theirs: str, name: str, figure: Callable[[Turn], float], unit: str) -> Comparison:
        """A figure of specforge beside that of another way, in pairs of the same round."""
        ours = [figure(turn) for turn in self.turns["specforge"]]
        return Comparison(name, ours, [figure(turn) for turn in self.turns[theirs]], unit, better="higher")

    def peak(self, name: str) -> float:
        """The most megabytes that a way held."""
        return max(turn.peak_bytes for turn in self.turns[name]) / MEGABYTE


def compare(*, quick: bool = False) -> list[Comparison]:
    """All cases, each told as soon as it is measured; what has a target is returned."""
    found: list[Comparison] = []
    for case in QUICK_CASES if quick else CASES:
        # where the images are changes nothing but the data path: one case tells
        also = ("streamed",) if case == _WITH_STREAMED else ()
        measured = measure(case, (*COMPARED, *also), seconds=QUICK_SECONDS if quick else SECONDS)
        print(report(measured), end="\n\n", flush=True)
        found += comparisons(measured)
    return found


def measure(case: Case, ways: Sequence[str], *, seconds: float, data_path: bool = True) -> Measured:
    """Start all ways, and rounds until so many seconds are over, three at least.

    `data_path` measures the share of augmentation in specforge's step too.
    """
    until = perf_counter() + seconds
    absent = {name: _not_installed(WAYS[name].missing) for name in ways if WAYS[name].missing}
    wanted = {name: (name, case) for name in ways if name not in absent}
    if data_path and "specforge" in wanted and case.augmentation != "none":
        wanted[_BATCHES] = ("batches", case)
        wanted[_PLAIN_BATCHES] = ("batches", replace(case, augmentation="none"))
    with workers(wanted, lambda name, reason: absent.update({name: f"failed: {reason}"})) as ready:
        turns = _rounds(ready, until, absent)
    return Measured(case, turns, absent)


def _not_installed(packages: Sequence[str]) -> str:
    return f"{' and '.join(packages)} not installed (pip install -e '.[bench]')"


def _rounds(ready: dict[str, Worker], until: float, absent: dict[str, str]) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = {name: [] for name in ready}
    number = 0
    while turns and (number < WARM_UP + MIN_ROUNDS or perf_counter() < until):
        for name in sorted(turns, reverse=bool(number % 2)):
            try:
                turn = ready[name].turn(STEPS if number >= WARM_UP else WARM_UP_STEPS)
            except WorkerFailed as failure:
                absent[name] = f"failed: {failure}"
                del turns[name]
                continue
            if number >= WARM_UP:
                turns[name].append(turn)
        number += 1
    return turns


def report(measured: Measured) -> str:
    """A case as a table: each way's medians, how many times faster specforge is, and its share of processor time."""
    rows: list[tuple[str, ...]] = [
        ("way", "images/s", "faster than", "middle half", "CPU ms/image", "needs of", "peak MB")
    ]
    rows += [_row(measured, name) for name in WAYS if name in measured.turns and name not in _DATA_PATH]
    rounds = max((len(turns) for turns in measured.turns.values()), default=0)
    lines = [f"{measured.case}: medians of {rounds} rounds of {STEPS} steps", columns(rows)]
    lines += [f"{WAYS[name].label if name in WAYS else name}: {reason}" for name, reason in measured.absent.items()]
    return "\n".join(lines)


def _row(measured: Measured, name: str) -> tuple[str, ...]:
    turns = measured.turns[name]
    faster = middle = needs = ""
    if name != "specforge" and "specforge" in measured.turns:
        speed = measured.compared(name, "speed", _speed, "images/s")
        faster, middle = f"{speed.ratio:.2f}×", "{:.2f} to {:.2f}".format(*speed.middle_half)
        needs = f"{measured.compared(name, 'cpu', _cpu, 'ms').ratio:.2f}×"
    return (
        WAYS[name].label,
        f"{median(map(_speed, turns)):.0f}",
        faster,
        middle,
        f"{median(map(_cpu, turns)):.3f}",
        needs,
        f"{measured.peak(name):.0f}",
    )


def _speed(turn: Turn) -> float:
    return turn.images / turn.seconds


def _cpu(turn: Turn) -> float:
    return 1000 * turn.cpu_seconds / turn.images


def comparisons(measured: Measured) -> list[Comparison]:
    """Speed against each way that was measured, specforge's share of augmentation, and memory."""
    if "specforge" not in measured.turns:
        return []
    found: list[Comparison] = []
    for name, target in targets(measured.case).items():
        if name in measured.turns:
            row = measured.compared(name, f"{measured.case}: {WAYS[name].label}", _speed, "images/s")
            found.append(replace(row, target=target))
    if _BATCHES in measured.turns and _PLAIN_BATCHES in measured.turns:
        found.append(_augmentation(measured))
    if "bare" in measured.turns:
        found.append(_memory(measured))
    return found


def targets(case: Case) -> dict[str, float | None]:
    """How many times faster than each way specforge shall be; None where a row is for information."""
    if case.spec != "lab2_bn":
        return dict.fromkeys(COMPARED[1:], 1.0)
    if case.augmentation == "full":
        return {"bare": 1.2, "tutorial": None, "lightning": None, "keras": None, "keras_generator": 2.5}
    if case.augmentation == "flip_crop":
        return {**dict.fromkeys(COMPARED[1:], 1.6), "bare": 1.25, "streamed": None}
    return dict.fromkeys(COMPARED[1:])


def _augmentation(measured: Measured) -> Comparison:
    """What the data path takes more because of the augmentation, beside the whole step."""
    rounds = zip(measured.turns[_BATCHES], measured.turns[_PLAIN_BATCHES], strict=True)
    added = [1000 * (augmented.seconds - plain.seconds) / STEPS for augmented, plain in rounds]
    steps = [1000 * turn.seconds / STEPS for turn in measured.turns["specforge"]]
    return Comparison(f"{measured.case}: augmentation in a step", added, steps, "ms", MAX_AUGMENTATION_SHARE)


def _memory(measured: Measured) -> Comparison:
    """The peak, beside the bare loop's and the bytes of the data set, which that loop does not hold."""
    allowed = measured.peak("bare") + measured.case.data_bytes / MEGABYTE
    return Comparison(f"{measured.case}: peak memory", [measured.peak("specforge")], [allowed], "MB", MAX_MEMORY)
