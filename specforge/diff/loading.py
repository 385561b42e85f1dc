"""What becomes of the first network's weights in the second, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from specforge.shapes import Shape

Loading = Literal["all", "renamed", "some", "none"]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Loading weights of the first network into the second, by the names and shapes of the state_dict.

    By name alone `missing` are wanted and not there, `unexpected` there and not wanted. By the layers that belong
    together, `sources` say for the second network's tensors which of the first they continue, `reshaped` are those of
    one layer whose shapes differ (both names, both shapes), `gone` and `new` those of one network alone.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, Shape, Shape], ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    reshaped: tuple[tuple[str, str, Shape, Shape], ...] = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def compatible(self) -> bool:
        """Whether they load by name; where `renamed` is not empty, some into another layer than their own."""
        return not (self.missing or self.unexpected or self.mismatched)

    @property
    def renamed(self) -> dict[str, str]:
        """The tensors that are the same in both networks under different names: before -> after."""
        return {source: name for name, source in self.sources.items() if source != name}

    @property
    def verdict(self) -> Loading:
        """`renamed`: all of them, but under other names. `some`: all but those that are listed."""
        if not (self.reshaped or self.gone or self.new):
            return "renamed" if self.renamed else "all"
        return "some" if self.sources else "none"

    def to_dict(self) -> dict[str, Any]:
        return {
            "compatible": self.compatible,
            "verdict": self.verdict,
            "missing": list(self.missing),
            "unexpected": list(self.unexpected),
            "mismatched": [
                {"name": name, "before": list(before), "after": list(after)} for name, before, after in self.mismatched
            ],
            "renamed": self.renamed,
        }
