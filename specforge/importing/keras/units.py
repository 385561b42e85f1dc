"""Runs of convolution, batch norm and activation -> modules, of which folding makes blocks where they come again.

conv, batch_norm, relu, conv, batch_norm, relu   ->   unit_1 (ConvUnit), unit_4 (ConvUnit)
"""

from collections import Counter
from dataclasses import replace

from specforge.importing.recording import Step

_CLASSES = {"conv": "ConvUnit", "depthwise_conv": "DepthwiseUnit", "separable_conv": "SeparableUnit"}
_ACTIVATIONS = frozenset(
    (
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "hardswish",
        "hardsigmoid",
        "sigmoid",
        "tanh",
    )
)


def in_units(output: int, steps: list[Step]) -> tuple[list[Step], dict[str, str]]:
    """The steps with their units' names before their own, and the class of each unit."""
    reads = Counter([output, *(read for step in steps for read in step.reads)])
    readers = {read: number for number, step in enumerate(steps, 1) for read in step.reads}
    named, modules = list(steps), dict[str, str]()
    for number, step in enumerate(steps, 1):
        unit = _unit(number, steps, reads, readers) if step.word in _CLASSES and step.shared is None else []
        if len(unit) > 1:
            modules[str(number)] = _CLASSES[step.word]
            for part in unit:
                own = steps[part - 1].name or steps[part - 1].word
                named[part - 1] = replace(steps[part - 1], name=f"{number}.{own}")
    return named, modules


def _unit(number: int, steps: list[Step], reads: Counter[int], readers: dict[int, int]) -> list[int]:
    """The convolution, its batch norm, and the activation behind it, as far as nothing else reads what is between."""
    unit = [number]
    for wanted in (frozenset(("batch_norm",)), _ACTIVATIONS):
        following = readers.get(unit[-1])
        if reads[unit[-1]] != 1 or following is None or steps[following - 1].word not in wanted:
            break
        unit.append(following)
    return unit
