"""Trials that ended -> a line each, as they do."""

from collections.abc import Callable, Iterable

from specforge.search.chains import Chain, outcome_of
from specforge.search.ranking import best_of, settled, value_of
from specforge.search.result import amount, brief
from specforge.search_space import Search


class News:
    """Tells of every trial once, also of those of other machines."""

    def __init__(self, search: Search, budget: int, tell: Callable[[str], None]):
        self._search, self._budget, self.tell = search, budget, tell
        self._told: set[int] = set()

    def skip(self, known: Iterable[Chain]) -> None:
        """What ended before is no news."""
        self._told |= {chain.place for chain in settled(known)}

    def __call__(self, known: list[Chain]) -> None:
        fresh = [chain for chain in settled(known) if chain.place not in self._told]
        for chain in fresh:
            self._told.add(chain.place)
            others = [other for other in known if other.place in self._told]
            self.tell(self._line(chain, best_of(others, self._search)))

    def _line(self, chain: Chain, ranked: list[Chain]) -> str:
        width = len(str(self._budget))
        parts = [f"trial {chain.place + 1:>{width}}/{self._budget}", self._reached(chain)]
        if ranked:
            best = ranked[0]
            parts.append(f"best {self._amount(best)} (trial {best.place + 1})")
        outcome = outcome_of(chain.one)
        if "seconds" in outcome:
            parts.append(f"{outcome['seconds']:.1f} s")
        drawn = chain.one.user_attrs.get("drawn")
        if isinstance(drawn, dict):
            parts.append(", ".join(f"{path}: {brief(value)}" for path, value in drawn.items()))
        return "  ".join(parts)

    def _reached(self, chain: Chain) -> str:
        outcome = outcome_of(chain.one)
        if chain.state == "complete":
            return self._amount(chain)
        if chain.state == "pruned":
            return f"{self._amount(chain)} pruned after epoch {outcome.get('epochs', '?')}"
        return f"{chain.state}: {outcome.get('reason', '')}"

    def _amount(self, chain: Chain) -> str:
        return amount(value_of(chain), self._search.metric)
