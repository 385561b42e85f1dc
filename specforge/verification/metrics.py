"""`metrics.jsonl` and `result.json` -> what in them can't be true.

In: the parsed lines. Out: a sentence without its subject, `line 3 is of epoch 7, not 3`, or None.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from specforge.training.parsing import parsed

Line = Mapping[str, Any]
# all lines of a run have the same keys but for these
_SOMETIMES = frozenset({"skipped"})


def read_lines(content: bytes) -> tuple[list[Line], bool, str | None]:
    """The whole lines, whether one was cut off behind them by a killed process, and what is wrong."""
    whole, _, rest = content.rpartition(b"\n")
    lines: list[Line] = []
    for number, text in enumerate(whole.split(b"\n") if whole else [], start=1):
        try:
            line = parsed(text)
        except ValueError:
            return lines, bool(rest), f"line {number} is not JSON"
        if problem := _problem(line, number, lines[0] if lines else None):
            return lines, bool(rest), problem
        lines.append(line)
    return lines, bool(rest), None


def _problem(line: Any, number: int, first: Line | None) -> str | None:
    if not isinstance(line, dict) or type(line.get("epoch")) is not int:
        return f"line {number} is not that of an epoch"
    if line["epoch"] != number:
        return f"line {number} is of epoch {line['epoch']}, not {number}"
    if first is not None and line.keys() - _SOMETIMES != first.keys() - _SOMETIMES:
        return f"line {number} has other keys than the first one"
    for key, value in line.items():
        numbers = value.values() if isinstance(value, dict) else (value,)
        if not all(_is_number(each) for each in numbers if each is not None):
            return f"`{key}` of epoch {number} is not a finite number"
        if key.endswith("_accuracy") and value is not None and not 0 <= value <= 1.001:
            return f"`{key}` of epoch {number} is {value:g}, not a share of one"
    return None


def _is_number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and isfinite(value)
    except OverflowError:
        return False


def differs(lines: Sequence[Line], history: Sequence[Line]) -> int | None:
    """The first epoch of which a checkpoint remembers something else, None if there is none."""
    pairs = enumerate(zip(lines, history, strict=False), start=1)
    return next((epoch for epoch, (line, known) in pairs if line != known), None)


def contradiction(result: Mapping[str, Any], environment: Mapping[str, Any], epochs: int) -> str | None:
    """What a result says that the rest of its run does not."""
    tested, of_spec = result.get("tested_epoch"), result.get("spec_hash")
    if type(tested) is int and tested > epochs:
        return f"it tested the weights of epoch {tested}, but the metrics end with epoch {epochs}"
    known = [environment[key] for key in ("spec_hash", "found_spec_hash") if key in environment]
    if of_spec is not None and known and of_spec not in known:
        return "it is of another spec than the run"
    return None
