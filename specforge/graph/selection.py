"""A selector -> the parameters of a network that it is about.

    {kind: conv, parameter: weight}  ->  conv_unit_1.conv_1.weight, conv_unit_2.conv_1.weight, …

Every key that is given must match; a path also matches all that lies below it, with or without iteration numbers.
"""

from typing import NamedTuple

from specforge.graph.node import Graph
from specforge.recipe import Selector
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
    names = {parameter}
    part = parameter.rpartition(".")[2]
    if part != "weight" or len(shape) > 1:  # `weight` is no norm's scale inside a layer
        names.add(part)
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
    forms = (path, ".".join(step for step in path.split(".") if not step.isdigit()))
    return any(f"{form}.".startswith(f"{wanted}.") for form in forms)
