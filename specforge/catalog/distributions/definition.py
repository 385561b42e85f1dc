"""What a distribution is: the values that a search may try at one path of a spec."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from specforge.catalog.definition import Definition


class Flaw(NamedTuple):
    """What is wrong with a distribution, and what to write instead. `argument` is the one that it is about."""

    argument: str
    message: str
    hint: str


class Draws(Protocol):
    """Who draws, as Optuna's trials do: a number between bounds, or one of some texts."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> str: ...


class Distribution(Definition):
    """The values that a search may try at one path.

    Its main argument is a list: the bounds, or the values (`is_list`).
    """

    family: ClassVar[str] = "distributions"
    is_list: ClassVar[bool] = False

    def ends(self) -> tuple[Any, ...]:
        """The values that are proven before anything is trained, one for each entry of the main argument's list."""
        raise NotImplementedError

    def draw(self, path: str, draws: Draws) -> Any:
        """One value; of values that are written out, which one, counted from 0."""
        raise NotImplementedError

    def every(self) -> Sequence[Any] | None:
        """All that `draw` can give, in order; None where there are too many to count."""
        return None

    @property
    def is_logarithmic(self) -> bool:
        """Whether every order of magnitude is drawn as often."""
        return False

    def token(self, value: Any) -> Any:
        """What `draws` calls a value that `draw` gives."""
        return value

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
