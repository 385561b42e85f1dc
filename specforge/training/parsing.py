"""JSON that may have been damaged, or come from a stranger -> plain values, or a `ValueError` that says why not.

What is nested deeper than any file of ours is refused: going through it would end in Python's own limit.
"""

import json
from typing import Any

DEEPEST = 32
LARGEST = 2**30  # bytes of a file of a run, checkpoints aside: the memory of a machine is not for what was never ours


def parsed(text: str | bytes) -> Any:
    """The value; `json.JSONDecodeError`, a ValueError, knows the place of what is no JSON."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("brackets that are nested without end") from None
    if _depth(value) > DEEPEST:
        raise ValueError(f"brackets that are nested deeper than {DEEPEST}")
    return value


def _depth(value: Any) -> int:
    """How many lists and mappings are inside each other."""
    level, depth = [value], 0
    while level := [below for above in level for below in _containers(above)]:
        depth += 1
        if depth > DEEPEST:
            break
    return depth + isinstance(value, dict | list)


def _containers(value: Any) -> list[Any]:
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in held if isinstance(each, dict | list)]
