"""A distribution of values that are written out."""

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

from specforge.catalog.distributions.definition import Distribution, Draws, Flaw


class Choice(Distribution):
    """Tries values from a list: numbers, words, or whole subtrees of a spec.

        search:
          space:
            train.batch_size: {choice: [32, 64, 128]}
            train.optimizer: {choice: [adam, {sgd: {momentum: 0.9}}, rmsprop]}

    `values` are what is tried, each as it would be written at the path; `null` removes what stands there.

    Errors: no value, or the same one twice.

    Source: https://optuna.readthedocs.io/en/stable/reference/generated/optuna.distributions.CategoricalDistribution.html
    """

    main: ClassVar[str | None] = "values"
    is_list: ClassVar[bool] = True
    also_known_as: ClassVar[tuple[str, ...]] = ("categorical", "suggest_categorical", "grid")

    values: tuple[Any, ...]

    def ends(self) -> tuple[Any, ...]:
        return self.values

    def draw(self, path: str, draws: Draws) -> Any:
        return self._labels().index(draws.suggest_categorical(path, self._labels()))

    def every(self) -> Sequence[Any] | None:
        return range(len(self.values))

    def token(self, value: Any) -> Any:
        return self._labels()[value]

    def _labels(self) -> list[str]:
        """A text for each value, all of them different: words as they are, unless they look like something else."""
        written = [json.dumps(value, ensure_ascii=False, default=dict) for value in self.values]
        return [
            value if isinstance(value, str) and value not in written else text
            for value, text in zip(self.values, written, strict=True)
        ]

    def flaw(self) -> Flaw | None:
        if not self.values:
            return Flaw("values", "there is nothing to choose from", "list the values: `choice: [32, 64]`")
        found = Counter(map(_key, self.values))
        twice = next((number for number, value in enumerate(self.values) if found[_key(value)] > 1), None)
        if twice is None:
            return None
        places = [str(number) for number, value in enumerate(self.values, 1) if _key(value) == _key(self.values[twice])]
        message = f"values {', '.join(places[:-1])} and {places[-1]} are the same"
        return Flaw("values", message, "list each value once: all of them are tried equally often")


def _key(value: Any) -> Hashable:
    """Equal for equal values. The type is in it: `1` and `true` are equal in Python, `1` and `1.0` are in a spec."""
    if isinstance(value, Mapping):
        return (dict, *sorted((str(name), _key(below)) for name, below in value.items()))
    if isinstance(value, tuple):
        return (tuple, *map(_key, value))
    return (bool if isinstance(value, bool) else float if isinstance(value, int | float) else type(value)), value
