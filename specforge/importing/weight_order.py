"""The names of a spec's tensors and their foreign twins -> what `weights:` must say, so that both find each other.

    ours    conv_1.weight, layer_scale_1.weight       theirs  block.layer_scale, block.0.weight
    ->  {keys: {"layer_scale_1.weight": "block.layer_scale"}}

Tensors are matched in order. Those that stand elsewhere are named, with `*` where one pattern finds them all.
"""

import fnmatch
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any


def weight_keys(names: Mapping[str, str], theirs: Sequence[str]) -> dict[str, Any]:
    """`keys` and `unused` of `weights`, without those that are empty. `names` leads from ours to theirs."""
    wanted = set(names.values())
    unused = _unused([name for name in theirs if name not in wanted], wanted)
    rest = [name for name in theirs if name in wanted]
    left, others, keys = dict(names), rest, dict[str, str]()
    while matched(left, others, {}) != left:
        pattern, other = _widest(left, others)
        keys[pattern] = other
        group = set(fnmatch.filter(left, pattern))
        others = [name for name in others if name not in {left[ours] for ours in group}]
        left = {ours: name for ours, name in left.items() if ours not in group}
    assert matched(names, rest, keys) == names
    found: dict[str, Any] = {"keys": keys} if keys else {}
    return found | ({"unused": unused} if unused else {})


def matched(names: Mapping[str, str], theirs: Sequence[str], keys: Mapping[str, str]) -> dict[str, str] | None:
    """Which of theirs each of ours gets by these keys; None where the numbers differ."""
    rest, others, found = list(names), list(theirs), dict[str, str]()
    for pattern, other in keys.items():
        group, counterparts = fnmatch.filter(rest, pattern), fnmatch.filter(others, other)
        if len(group) != len(counterparts):
            return None
        found |= dict(zip(group, counterparts, strict=True))
        rest = [name for name in rest if name not in found]
        others = [name for name in others if name not in set(counterparts)]
    if len(rest) != len(others):
        return None
    found |= dict(zip(rest, others, strict=True))
    return {name: found[name] for name in names}


def _moved(names: Mapping[str, str], theirs: Sequence[str]) -> list[str]:
    """The fewest of our names whose removal leaves both in one order: all but a longest rising sequence."""
    place = {name: number for number, name in enumerate(theirs)}
    tails: list[int] = []
    chains: list[list[str]] = []
    for ours, other in names.items():
        at = bisect_left(tails, place[other])
        chain = [*(chains[at - 1] if at else []), ours]
        tails[at : at + 1], chains[at : at + 1] = [place[other]], [chain]
    kept = set(chains[-1]) if chains else set()
    return [name for name in names if name not in kept]


def _widest(names: Mapping[str, str], theirs: Sequence[str]) -> tuple[str, str]:
    """The pair of patterns that finds most tensors, with one that stands elsewhere among them, and pairs them right."""
    first = _moved(names, theirs)[0]
    best, most = (first, names[first]), 1
    for ours in _patterns(first):
        group = fnmatch.filter(names, ours)
        for other in _patterns(names[first]):
            if len(group) > most and fnmatch.filter(theirs, other) == [names[name] for name in group]:
                best, most = (ours, other), len(group)
    return best


def _patterns(name: str) -> list[str]:
    parts = name.split(".")
    return [name, *(f"*.{'.'.join(parts[at:])}" for at in range(1, len(parts))),
            *(f"*.{part}.*" for part in parts[1:-1]),
            *(f"{'.'.join(parts[:at])}.*" for at in range(1, len(parts)))]  # fmt: skip


def _unused(names: Sequence[str], wanted: set[str]) -> list[str]:
    """The outermost modules that hold nothing that is wanted."""
    found: list[str] = []
    for name in names:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            module = ".".join(parts[:length])
            if not any(each == module or each.startswith(f"{module}.") for each in wanted):
                found += [module] if module not in found else []
                break
    return found
