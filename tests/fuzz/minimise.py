"""A failing input -> a smaller one that fails in the same way: chunks of lines, then of characters, are left out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Sequence[object])
Fails = Callable[[bytes], bool]


def minimised(data: bytes, fails: Fails, *, tries: int = 400) -> bytes:
    """`fails` says whether an input still fails; it is asked at most `tries` times."""
    left = [tries]

    def still(candidate: bytes) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(candidate)

    lines = data.splitlines(keepends=True)
    data = b"".join(_reduced(lines, lambda kept: still(b"".join(kept))))
    if len(data) > 4_000:  # a flood needs its size
        return data
    return bytes(_reduced(data, lambda kept: still(bytes(kept))))


def _reduced(items: T, still: Callable[[T], bool]) -> T:
    """Delta debugging: leave out halves, quarters, …, single items, as long as what is left fails."""
    size = max(len(items) // 2, 1)
    while items:
        start, before = 0, len(items)
        while start < len(items):
            kept = items[:start] + items[start + size :]  # type: ignore[operator]  # lists and bytes
            if still(kept):
                items = kept
            else:
                start += size
        if size == 1 and len(items) == before:
            break
        size = max(size // 2, 1)
    return items
