"""Values of a search space, one for each path -> a spec's tree with them, as if they were written there.

    train: {optimizer: adam, batch_size: 64}           train:
    train.optimizer.sgd.momentum = 0.8            ->     optimizer: {sgd: {momentum: 0.8}}
    train.optimizer = sgd, train.batch_size = 32         batch_size: 32

The shortest path comes first, so that a word is there before its arguments. A path that names a word which another one
chooses counts where that word is chosen: with `train.optimizer = adam`, the momentum above is nowhere.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from specforge.diagnostics import Findings, Span
from specforge.expand.overrides import apply_value, steps_of
from specforge.expand.words import Choices, chosen
from specforge.source import Mapping, Node

# where a path of a search may start: what a run is made of
VARIABLE = ("params", "blocks", "model", "data", "train")


class Value(NamedTuple):
    """One value for the path that is written at `at`. `words` are those that the path's other values choose, too."""

    path: str
    at: Span
    node: Node
    words: frozenset[str] = frozenset()

    @property
    def steps(self) -> tuple[str, ...]:
        return steps_of(self.path)


def is_below(path: str, other: str) -> bool:
    """Whether a path leads on from another one."""
    return path.startswith(f"{other}.")


def in_order(values: Iterable[Value]) -> list[Value]:
    """As they are applied: the shortest path first, then as written."""
    return sorted(values, key=lambda value: len(value.steps))


def counts(value: Value, among: Iterable[Value]) -> bool:
    """Whether no word that its path names was passed over by one of the others."""
    for other in among:
        if is_below(value.path, other.path):
            named, choice = value.steps[len(other.steps)], chosen(other.node)
            if named in other.words and (choice is None or choice[0] != named):
                return False
    return True


def vary(root: Mapping, values: Sequence[Value], choices: Choices, findings: Findings) -> Mapping:
    """The tree with all values that count."""
    for value in in_order(values):
        if counts(value, values):
            root = apply_value(root, value.path, value.node, value.at, choices, findings)
    return root


def words_of(nodes: Iterable[Node]) -> frozenset[str]:
    """The words of values that choose one: `adam` and `{sgd: {lr: 0.1}}`."""
    found = (chosen(node) for node in nodes)
    return frozenset(choice[0] for choice in found if choice is not None)


def is_evaluated_later(path: str) -> bool:
    """Whether the values for a path stay as written until they stand there: they may use names known there alone."""
    return steps_of(path)[0] in ("blocks", "model")
