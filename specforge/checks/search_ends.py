"""The space of a search -> its ends: the values that are proven before anything is trained.

    train.optimizer: {choice: [adam, sgd]}               train.optimizer = adam
    train.optimizer.lr: {log_uniform: [1e-5, 1e-1]}  ->  train.optimizer = sgd
                                                         train.optimizer.lr = 1e-5, with train.optimizer = adam
                                                         … three more of it

Every value of a choice and both bounds of a range, one path at a time, the others as the spec says; what lies below
another path of the space with each value of that one. Then the first values of all paths together, and the last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from specforge.catalog.distributions.definition import Distribution
from specforge.diagnostics import Span
from specforge.expand.variation import Value, counts, in_order, is_below, words_of
from specforge.expand.words import chosen, named
from specforge.source import Node, Scalar
from specforge.source import Sequence as List


@dataclass(frozen=True, slots=True)
class Varied:
    """A path of the space: what it is, where it is written, and the values that are proven, as nodes of the text."""

    path: str
    at: Span
    distribution: Distribution
    node: Node
    ends: tuple[Value, ...]

    @classmethod
    def of(cls, path: str, at: Span, distribution: Distribution, node: Node) -> "Varied":
        nodes = tuple(map(_node, written(distribution, node), distribution.ends()))
        words = words_of(nodes)
        return cls(path, at, distribution, node, tuple(Value(path, at, end, words) for end in nodes))


def written(distribution: Distribution, node: Node, argument: str | None = None) -> tuple[Node, ...]:
    """What stands in the text for an argument of a distribution, by default for its main one; nothing if it is not."""
    choice = chosen(node)
    arguments = None if choice is None else named(choice[1].value, distribution.main)
    given = None if arguments is None else arguments.get(argument or distribution.main or "")
    return given.items if isinstance(given, List) else () if given is None else (given,)


def _node(node: Node, end: Any) -> Node:
    """The value as it would be written at the path: a range of numbers with a point has no whole ones."""
    if not isinstance(node, Scalar) or type(node.value) is type(end):
        return node
    return node._replace(value=end, text=str(end))


@dataclass(frozen=True, slots=True)
class End:
    """Values that are tried together; `value` is the one that it is about, none where it is about all of them."""

    value: Value | None
    values: tuple[Value, ...]

    @property
    def beside(self) -> tuple[Value, ...]:
        return tuple(value for value in self.values if value is not self.value)


def single_ends(varied: Varied, space: Sequence[Varied]) -> Iterator[End]:
    """Every value of a path, with each value of what lies above it in the space."""
    above = max((other for other in space if is_below(varied.path, other.path)), key=_length, default=None)
    contexts: list[tuple[Value, ...]] = [()]
    if above is not None:
        contexts = [end.values for end in single_ends(above, space)]
    for context in contexts:
        for value in varied.ends:
            if counts(value, context):
                yield End(value, (*context, value))


def _length(varied: Varied) -> int:
    return len(varied.path)


def joint_ends(space: Sequence[Varied]) -> Iterator[End]:
    """The first values of all paths together, and the last."""
    for place in (0, -1):
        values = [varied.ends[place] for varied in space]
        yield End(None, tuple(value for value in in_order(values) if counts(value, values)))
