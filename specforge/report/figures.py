"""How numbers are written for people: `12_345_678 -> 12.3M`, `0.541 -> 54.1%`. Absent values are an en dash."""

import math
from collections.abc import Sequence

ABSENT = "–"
_MINUS = "−"
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def compact(count: float | None) -> str:
    """Three significant digits with a decimal unit: `950`, `2.22M`, `12.3M`, `556k`."""
    if count is None or not math.isfinite(count):
        return number(count)
    for unit, letter in _UNITS:
        # 999,950 has six digits but rounds up into the next unit
        if abs(count) >= unit * 0.9995:
            scaled = count / unit
            decimals = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
            return _signed(f"{scaled:.{decimals}f}{letter}")
    return number(count, digits=3)


def whole(count: int | None) -> str:
    """All digits, in groups of three: `2,215,940`."""
    return ABSENT if count is None else _signed(f"{count:,}")


def percent(share: float | None, *, decimals: int = 1) -> str:
    """A share of one: `0.541 -> 54.1%`."""
    if share is None or not math.isfinite(share):
        return number(share)
    return _signed(f"{share * 100:.{decimals}f}%")


def tick_percent(share: float, ticks: Sequence[float]) -> str:
    """A share beside one of an axis's ticks, with the decimals that round none: of 2.5 points one, of 5 none."""
    step = 100 * (ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    most = 4
    decimals = next((count for count in range(most) if abs(step - round(step, count)) < 1e-6), most)
    return percent(share, decimals=decimals)


def exact_percent(share: float) -> str:
    """As many digits as were written, none added and none lost: `0.54 -> 54%`, `0.5412 -> 54.12%`."""
    return _signed(f"{share * 100:.12g}%")


def points(difference: float) -> str:
    """A difference between two shares, in percentage points: `0.0013 -> +0.13 pp`."""
    return _signed(f"{difference * 100:+.2f} pp")


def difference(value: float) -> str:
    """A difference between two plain numbers: `+0.0123`."""
    return _signed(f"{value:+.4f}")


def number(value: float | None, *, digits: int = 4, padded: bool = False) -> str:
    """Up to so many significant digits: `1.234`, `0.1`, `1e-05`, `NaN`; padded for columns, `0.1000`."""
    if value is None:
        return ABSENT
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    return _signed(f"{value:{'#' if padded else ''}.{digits}g}")


def duration(seconds: float | None) -> str:
    """`8.25 -> 8.2 s`, `62 -> 1 min 02 s`, `7322 -> 2 h 02 min`."""
    if seconds is None or not math.isfinite(seconds):
        return number(seconds)
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"


def shape(sizes: tuple[int, ...] | list[int]) -> str:
    """`[32, 8, 8] -> 32 × 8 × 8`."""
    return " × ".join(str(size) for size in sizes)


def _signed(text: str) -> str:
    return text.replace("-", _MINUS) if text.startswith("-") else text
