"""What a distribution is: the values that a search may try at one path of a spec."""

from typing import Any, ClassVar, NamedTuple

from specforge.catalog.definition import Definition


class Flaw(NamedTuple):
    """What is wrong with a distribution, and what to write instead. `argument` is the one that it is about."""

    argument: str
    message: str
    hint: str


class Distribution(Definition):
    """The values that a search may try at one path. Its main argument is a list: the bounds, or the values."""

    family: ClassVar[str] = "distributions"

    def ends(self) -> tuple[Any, ...]:
        """The values that are proven before anything is trained, one for each entry of the main argument's list."""
        raise NotImplementedError

    def flaw(self) -> Flaw | None:
        """Why nothing can be drawn from it; None where something can."""
        return None


def disorder(low: float, high: float) -> Flaw | None:
    """What is wrong with bounds that do not ascend."""
    if low < high:
        return None
    if low == high:
        return Flaw("bounds", f"both bounds are {low:g}", "a single value belongs at its path, not into the space")
    return Flaw("bounds", f"the bounds descend from {low:g} to {high:g}", f"write `[{high:g}, {low:g}]`")
