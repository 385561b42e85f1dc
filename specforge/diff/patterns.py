"""Many paths -> the fewest patterns that mean exactly them.

repeat_1.0.conv_1, repeat_1.0.conv_2, repeat_1.1.conv_1, repeat_1.1.conv_2  ->  repeat_1.{0,1}.conv_{1,2}
stages.0.relu_1, stages.1.relu_1, stages.2.relu_1, head                     ->  stages.{0..2}.relu_1, head
"""

from collections.abc import Iterable, Sequence

MOST = 3

# for each step of a path, the words that may stand there
_Steps = tuple[tuple[str, ...], ...]


def listed(names: Sequence[str], most: int = MOST) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def patterns(paths: Iterable[str]) -> list[str]:
    """In the order of the first path that each stands for."""
    found: list[_Steps] = [tuple((step,) for step in path.split(".")) for path in dict.fromkeys(paths)]
    for step in range(max(map(len, found), default=0) - 1, -1, -1):
        found = _merged(found, step)
    return [".".join(map(_written, steps)) for steps in found]


def _merged(found: list[_Steps], step: int) -> list[_Steps]:
    """Those that differ in one step alone, as one."""
    alike: dict[object, list[_Steps]] = {}
    for steps in found:
        alike.setdefault((steps[:step], steps[step + 1 :], len(steps) > step), []).append(steps)
    merged = []
    for same in alike.values():
        first = same[0]
        words = dict.fromkeys(word for steps in same for word in (steps[step] if len(steps) > step else ()))
        merged.append((*first[:step], tuple(words), *first[step + 1 :]) if words else first)
    return merged


def _written(words: tuple[str, ...]) -> str:
    if len(words) == 1:
        return words[0]
    stems = {word.rstrip("0123456789") for word in words}
    stem = stems.pop() if len(stems) == 1 else ""
    rest = [word.removeprefix(stem) for word in words]
    numbers = [int(word) for word in rest if word.isdecimal()]
    if len(numbers) == len(rest) > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{stem}{{{numbers[0]}..{numbers[-1]}}}"
    return f"{stem}{{{','.join(rest)}}}"
