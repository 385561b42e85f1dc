"""The pieces of what is said about a difference: values, numbers, layers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from specforge.diff.difference import Place, Setting
from specforge.resolved import flow

MOST_KINDS = 6


def said(setting: Setting) -> str:
    """`train.epochs: 40 -> 50 epochs`."""
    shown = ["none" if value is None else flow(value) for value in (setting.before, setting.after)]
    if setting.unit:
        shown[0 if setting.after is None else 1] += f" {setting.unit}"
    return f"{setting.path}: {' -> '.join(shown)}"


def number(name: str, before: int, after: int) -> str:
    """`parameters: 896 -> 1,792 (+896)`."""
    return f"{name}: {before:,}" if before == after else f"{name}: {before:,} -> {after:,} ({after - before:+,})"


def joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def word(place: Place) -> str:
    """`conv {out_channels: 8, kernel_size: 3}`."""
    return f"{place.kind} {flow(place.arguments)}" if place.arguments else place.kind


def cost(places: Iterable[Place]) -> str:
    found = list(places)
    sums = (("parameters", sum(p.parameters for p in found)), ("MACs", sum(p.macs for p in found)))
    return ", ".join(f"{count:,} {name}" for name, count in sums if count)


def counted(kinds: Sequence[str]) -> Iterator[str]:
    """In their order with runs counted, as `conv, relu ×2`; where that is long, each kind once with its number."""
    runs = [(kind, len(list(run))) for kind, run in groupby(kinds)]
    if len(runs) > MOST_KINDS:
        runs = list(Counter(kinds).items())
    yield from (kind if count == 1 else f"{kind} ×{count}" for kind, count in runs)


def numbered(numbers: Sequence[int]) -> str:
    """`3`, `0 and 2`, `6 to 22`."""
    is_run = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{numbers[0]} to {numbers[-1]}" if is_run else joined(list(map(str, numbers)))


def arrow(before: str, after: str) -> str:
    """`a -> b`, or just `a` where both are the same."""
    return before if before == after else f"{before} -> {after}"
