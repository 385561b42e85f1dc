"""A selector -> the parameters of a network that it is about.

    {kind: conv, parameter: weight}  ->  conv_unit_1.conv_1.weight, conv_unit_2.conv_1.weight, …

Every key that is given must match; a path also matches all that lies below it, with or without iteration numbers.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import NamedTuple

from specforge.graph.node import Graph
from specforge.recipe import Group, Selector
from specforge.shapes import Shape


class Weight(NamedTuple):
    """A parameter in place: `name` is its state_dict key, `parameter` its name within the layer of this path and kind.

    `trainable` says whether the spec lets it be trained at all. A layer that has running statistics alone stands still
    with those: they are here too, as an `is_statistic` that no optimizer moves.
    """

    name: str
    path: str
    kind: str
    parameter: str
    shape: Shape
    trainable: bool
    is_statistic: bool = False


def weights_of(graph: Graph) -> tuple[Weight, ...]:
    """All parameters of a network, in state_dict order, shared ones once; of layers without, their statistics."""
    found: list[Weight] = []
    for node in graph.leaves():
        parameters = [tensor for tensor in node.parameters if tensor.role == "parameter"]
        for tensor in parameters or [tensor for tensor in node.parameters if tensor.role == "statistic"]:
            key = f"{node.path}.{tensor.name}"
            found.append(Weight(key, node.path, node.kind, tensor.name, tensor.shape, node.trainable, not parameters))
    return tuple(found)


def selects(select: Selector, weight: Weight) -> bool:
    return matching(select, weight.path, weight.kind, weight.parameter, weight.shape) is not None


def spelled(selector: Selector) -> str:
    return ", ".join(f"{key} {' | '.join(words)}" for key, words in words_of(selector).items())


def words_of(select: Selector) -> dict[str, tuple[str, ...]]:
    """The words of every key that is given."""
    given = {"path": select.path, "kind": select.kind, "parameter": select.parameter}
    return {k: words if isinstance(words, tuple) else (words,) for k, words in given.items() if words is not None}


def matching(select: Selector, path: str, kind: str, parameter: str, shape: Shape) -> list[tuple[str, str]] | None:
    """The words of a rule that a parameter matches, None where it does not match all keys."""
    names = _spellings(parameter, shape)
    matched: list[tuple[str, str]] = []
    for key, words in words_of(select).items():
        if key == "path":
            found = [(key, word) for word in words if lies_in(path, word)]
        else:
            found = [(key, word) for word in words if word in (names if key == "parameter" else {kind})]
        if not found:
            return None
        matched += found
    return matched


def lies_in(path: str, wanted: str) -> bool:
    """Whether a path is the wanted one or below it, with or without the numbers of iterations."""
    return any(f"{form}.".startswith(f"{wanted}.") for form in _forms(path))


def _forms(path: str) -> tuple[str, str]:
    """A path with and without the numbers of iterations."""
    return path, ".".join(step for step in path.split(".") if not step.isdigit())


def addresses(path: str) -> set[str]:
    """Every path that something lies in."""
    steps = [form.split(".") for form in _forms(path)]
    return {".".join(parts[:depth]) for parts in steps for depth in range(1, len(parts) + 1)}


def _spellings(parameter: str, shape: Shape) -> set[str]:
    """What a parameter is called: by its name in the layer, and by the last part of that."""
    part = parameter.rpartition(".")[2]
    # `weight` is no norm's scale inside a layer
    return {parameter, part} if part != "weight" or len(shape) > 1 else {parameter}


def _words_for(weight: Weight) -> Iterator[tuple[str, str]]:
    """Every word that selects a parameter, with its key."""
    yield "kind", weight.kind
    for name in _spellings(weight.parameter, weight.shape):
        yield "parameter", name
    yield from (("path", address) for address in addresses(weight.path))


class Index:
    """The parameters of a network by the words that select them: what `selects` says, without asking each of them.

    Thousands of groups over thousands of parameters are told from each other in milliseconds.
    """

    def __init__(self, weights: Iterable[Weight]):
        self.weights = tuple(weights)
        self._selected: dict[Hashable, AbstractSet[str]] = {}
        self._owners: dict[Hashable, dict[str, int]] = {}

    @cached_property
    def all(self) -> AbstractSet[str]:
        """Every name."""
        return frozenset(weight.name for weight in self.weights)

    @cached_property
    def _by_word(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for weight in self.weights:
            for key in _words_for(weight):
                found.setdefault(key, set()).add(weight.name)
        return found

    def with_word(self, key: str, word: str) -> AbstractSet[str]:
        """The names of those that one word of a selector matches."""
        return self._by_word.get((key, word), frozenset())

    def selected(self, select: Selector) -> AbstractSet[str]:
        """The names of those that a selector matches."""
        words = words_of(select)
        known = tuple(words.items())
        if known not in self._selected:
            found = self.all
            for key, given in words.items():
                matching = [self.with_word(key, word) for word in given]
                found = found & (matching[0] if len(matching) == 1 else set().union(*matching))
            self._selected[known] = found
        return self._selected[known]

    def owners(self, groups: Sequence[Group]) -> dict[str, int]:
        """The number of the first group that selects a parameter, by its name; without those that none selects."""
        known = tuple(tuple(words_of(group.select).items()) for group in groups)
        if known not in self._owners:
            free, owners = set(self.all) if groups else set(), dict[str, int]()
            for number, group in enumerate(groups):
                mine = free & self.selected(group.select)
                owners.update(dict.fromkeys(mine, number))
                free -= mine
            self._owners[known] = owners
        return self._owners[known]
