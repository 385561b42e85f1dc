"""The arguments of one Keras layer, read with their types; what is wrong is reported with its path in the JSON.

Config({"filters": 32, "strides": [2, 2]}, "config.layers[3].config", …).pair("strides")    # (2, 2)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specforge.diagnostics import Findings, Rule, Span
from specforge.importing.rules import BAD_SETTING, UNSUPPORTED_SETTING

LARGEST = 1_000_000  # pixels, channels and neurons: what is larger is no network but a mistake


@dataclass(frozen=True, slots=True)
class Config:
    """A mapping of the JSON. `span` is where the layer's name stands, since Keras writes all on one line."""

    data: Mapping[str, Any]
    path: str
    span: Span
    findings: Findings

    def whole(self, key: str, default: int | None = None, *, low: int = 1) -> int:
        """A whole number from `low` on; a missing one is an error if there is no default."""
        value = self.data.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= LARGEST:
            return value
        self._wrong(key, value, f"a whole number from {low} to {LARGEST}")
        return max(low, 1)

    def pair(self, key: str, default: int | None = None, *, low: int = 1) -> tuple[int, int]:
        """One whole number for both axes, or one for each."""
        value = self.data.get(key, default)
        numbers = value if isinstance(value, list) else [value, value]
        if len(numbers) == 2 and all(type(number) is int and low <= number <= LARGEST for number in numbers):
            return numbers[0], numbers[1]
        self._wrong(key, value, "two whole numbers")
        return max(low, 1), max(low, 1)

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.data.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        if isinstance(value, dict) and isinstance(value.get("config"), dict):  # Keras 3 wraps numpy's numbers
            return Config(value["config"], f"{self.path}.{key}", self.span, self.findings).number("value")
        self._wrong(key, value, "a number")
        return 0.0

    def flag(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if isinstance(value, bool):
            return value
        self._wrong(key, value, "true or false")
        return default

    def choice(self, key: str, default: str, *choices: str) -> str:
        """One of a few words."""
        value = self.data.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self._wrong(key, value, " or ".join(f"`{choice}`" for choice in choices))
        return default

    def given(self, key: str) -> Any:
        """A value as the JSON has it, None where there is none."""
        return self.data.get(key)

    def refuse(self, why: str, hint: str | None = None, *, rule: Rule = UNSUPPORTED_SETTING) -> None:
        """Report what specforge has no word for."""
        self.findings.add(rule, self.span, f"{self.path}: {why}", hint)

    def _wrong(self, key: str, value: Any, expected: str) -> None:
        found = "nothing" if value is None else f"`{str(value)[:60]}`"
        self.findings.add(BAD_SETTING, self.span, f"{self.path}.{key}: expected {expected}, found {found}")
