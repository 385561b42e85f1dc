"""A network -> the same network in the words that say most: what several foreign operations do together, as one layer.

    adaptive_avg_pool 1, flatten               ->  global_avg_pool
    conv of kernel = stride, reshape, permute  ->  patch_embedding
    reshape, permute, reshape back             ->  channel_shuffle
    concat (a, b), concat (a, b, c)            ->  concat (a, b) as d, concat (d, c)

Each rewrite leaves every value that is still read as it was, to the last bit. What nothing reads is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from specforge.catalog.layers.scaling import SqueezeExcite
from specforge.importing.network import Network, Operation
from specforge.shapes import Shape

Chain = tuple[Operation, ...]
Rewrite = Callable[[Chain, Shape], tuple[str, Mapping[str, Any]] | None]


def simplified(network: Network) -> Network:
    network = _with_growing_concats(_without_idle(_flattened_early(network)))
    for words, rewrite in REWRITES:
        network = _rewritten(network, words, rewrite)
    return _with_squeeze_ratios(_without_unread(network))


def _renumbered(network: Network, operations: list[Operation], numbers: dict[int, int]) -> Network:
    """The network of these operations, whose inputs are new numbers already; `numbers` leads from old ones to them."""
    sides = {numbers[value]: weight for value, weight in network.side_outputs.items()}
    return replace(network, operations=tuple(operations), output=numbers[network.output], side_outputs=sides)


def _flattened_early(network: Network) -> Network:
    """Dropout behind a flatten, where it stood between a pooling to one pixel and that; it sees the same values."""
    operations = list(network.operations)
    uses = network.uses()
    for number, flatten in enumerate(operations, 1):
        drop = operations[flatten.inputs[0] - 1] if flatten.inputs[0] else flatten
        if flatten.word == "flatten" and drop.word == "dropout" and drop.shape[1:] == (1, 1) and uses[number - 1] == 1:
            operations[number - 2] = replace(flatten, inputs=drop.inputs)
            operations[number - 1] = replace(drop, inputs=(number - 1,), shape=flatten.shape)
    return replace(network, operations=tuple(operations))


def _without_idle(network: Network) -> Network:
    """Without identities and concats of a single value."""
    kept: list[Operation] = []
    numbers = {0: 0}
    for number, operation in enumerate(network.operations, 1):
        inputs = tuple(numbers[value] for value in operation.inputs)
        if operation.word == "identity" or (operation.word == "concat" and len(inputs) == 1):
            numbers[number] = inputs[0]
            continue
        kept.append(replace(operation, inputs=inputs))
        numbers[number] = len(kept)
    return _renumbered(network, kept, numbers)


def _without_unread(network: Network) -> Network:
    needed = {network.output, *network.side_outputs}
    for number in range(len(network.operations), 0, -1):
        if number in needed:
            needed.update(network.made_by(number).inputs)
    kept: list[Operation] = []
    numbers = {0: 0}
    for number, operation in enumerate(network.operations, 1):
        if number in needed:
            kept.append(replace(operation, inputs=tuple(numbers[value] for value in operation.inputs)))
            numbers[number] = len(kept)
    return _renumbered(network, kept, numbers)


def _with_growing_concats(network: Network) -> Network:
    """Concats that begin with the values of an earlier one read that one instead, as DenseNet's layers do."""
    known: dict[tuple[int, tuple[int, ...]], int] = {}
    operations = []
    for number, operation in enumerate(network.operations, 1):
        if operation.word == "concat":
            dim, inputs = operation.arguments.get("dim", 1), operation.inputs
            length = next((n for n in range(len(inputs) - 1, 1, -1) if (dim, inputs[:n]) in known), 0)
            known[dim, inputs] = number
            if length:
                operation = replace(operation, inputs=(known[dim, inputs[:length]], *inputs[length:]))
        operations.append(operation)
    return replace(network, operations=tuple(operations))


def _rewritten(network: Network, words: tuple[str, ...], rewrite: Rewrite) -> Network:
    """Chains of these words, of which only the last is read elsewhere, as one operation where `rewrite` says which."""
    uses = network.uses()
    operations = list(network.operations)
    numbers = {number: number for number in range(len(operations) + 1)}
    for number, operation in enumerate(operations, 1):
        chain = [operation] if operation.word == words[-1] else []
        while chain and len(chain) < len(words):
            value = chain[0].inputs[0]
            before = operations[value - 1] if value else None
            fits = before is not None and uses[value] == 1 and before.word == words[-len(chain) - 1]
            chain = [before, *chain] if fits and before is not None else []
        found = rewrite(tuple(chain), network.shape_of(chain[0].inputs[0])) if chain else None
        if found is None:
            continue
        word, arguments = found
        weights = tuple(name for each in chain for name in each.weights)
        named = next((each for each in chain if each.weights), chain[0])
        # what lay between is read by nothing any more
        operations[number - 1] = Operation(
            word, arguments, chain[0].inputs, named.place, weights, operation.shape, named.shared
        )
        uses.subtract(each.inputs[0] for each in chain[1:])
    return _without_unread(_renumbered(network, operations, numbers))


def _global_pool(chain: Chain, input: Shape) -> tuple[str, Mapping[str, Any]] | None:
    pool, flatten = chain
    fits = pool.arguments == {"output_size": 1} and not flatten.arguments and len(pool.shape) > 1
    return (f"global_{pool.word.split('_')[1]}_pool", {}) if fits else None


def _patch_embedding(chain: Chain, input: Shape) -> tuple[str, Mapping[str, Any]] | None:
    conv, reshape, permute = chain
    given = dict(conv.arguments)
    size, channels = given.pop("kernel_size"), given.pop("out_channels")
    if given.pop("stride", 1) != size or set(given) - {"bias"} or len(reshape.shape) != 2:
        return None
    if permute.arguments["dims"] != [2, 1] or reshape.shape[0] != channels:
        return None
    if any(length % each for length, each in zip(input[1:], _each(size, len(input) - 1), strict=True)):
        return None
    return "patch_embedding", {"patch_size": size, "out_channels": channels, **given}


def _each(size: Any, axes: int) -> list[int]:
    return list(size) if isinstance(size, list) else [size] * axes


def _channel_shuffle(chain: Chain, input: Shape) -> tuple[str, Mapping[str, Any]] | None:
    apart, swapped, together = chain
    groups, rest = apart.shape[0], apart.shape[1:]
    swaps = swapped.arguments["dims"] == [2, 1, *range(3, len(apart.shape) + 1)]
    fits = len(rest) == len(input) > 1 and swaps and together.shape == input and rest[1:] == input[1:]
    return ("channel_shuffle", {"groups": groups}) if fits else None


def _mean(chain: Chain, input: Shape) -> tuple[str, Mapping[str, Any]] | None:
    fits = chain[0].arguments["dims"] == [3, 1, 2]
    return ("mean", {"dim": [1, 2]}) if fits else None


def _flatten(chain: Chain, input: Shape) -> tuple[str, Mapping[str, Any]] | None:
    return ("flatten", {}) if len(chain[0].shape) == 1 < len(input) else None


def _flattened_tokens(chain: Chain, input: Shape) -> tuple[str, Mapping[str, Any]] | None:
    shape = chain[0].shape
    fits = len(input) == 3 and shape == (input[0], input[1] * input[2])
    return ("flatten", {"start_dim": 2}) if fits else None


REWRITES: tuple[tuple[tuple[str, ...], Rewrite], ...] = (
    (("conv", "reshape", "permute"), _patch_embedding),
    (("reshape", "permute", "reshape"), _channel_shuffle),
    (("reshape",), _flatten),
    (("reshape",), _flattened_tokens),
    (("adaptive_avg_pool", "flatten"), _global_pool),
    (("adaptive_max_pool", "flatten"), _global_pool),
    (("permute", "global_avg_pool"), _mean),
)


def _with_squeeze_ratios(network: Network) -> Network:
    """Squeeze and excitation as a share of what arrives, where one rule gives all widths of the network."""
    found = [each for each in network.operations if each.word == "squeeze_excite" and "channels" in each.arguments]
    rules: tuple[dict[str, Any], ...] = ({}, {"divisor": 8}, *({"ratio": 1 / n} for n in (2, 8, 16)))
    for rule in rules if found else ():
        if all(SqueezeExcite(**rule).squeezed(each.shape[0]) == each.arguments["channels"] for each in found):
            break
    else:
        return network
    operations = tuple(
        replace(each, arguments={**rule, **{k: v for k, v in each.arguments.items() if k != "channels"}})
        if each in found
        else each
        for each in network.operations
    )
    return replace(network, operations=operations)
