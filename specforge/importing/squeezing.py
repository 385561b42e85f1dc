"""Squeeze and excitation written out -> one layer.

global_avg_pool, conv: 8, silu, conv: 32, sigmoid, multiply by what was pooled
->  squeeze_excite: {channels: 8, activation: silu}
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from specforge.importing.polishing import without
from specforge.importing.recording import Step

_GATES, _ACTIVATIONS = ("sigmoid", "hardsigmoid"), ("relu", "silu")


def with_squeezes(output: int, steps: list[Step]) -> tuple[int, list[Step]]:
    """The output's number and the steps, with every such branch and its product as one step."""
    reads = Counter([output, *(read for step in steps for read in step.reads)])
    new, gone = list(steps), set[int]()
    for number, step in enumerate(steps, 1):
        if step.word != "multiply" or len(step.reads) != 2 or len(step.shape) != 3:
            continue
        for value, gate in (step.reads, step.reads[::-1]):
            branch = _branch(gate, value, steps, reads)
            if branch is not None:
                new[number - 1] = replace(step, word="squeeze_excite", arguments=_said(branch, steps), reads=(value,))
                gone.update(branch)
                break
    return without(new, gone, output) if gone else (output, new)


def _branch(gate: int, value: int, steps: list[Step], reads: Counter[int]) -> list[int] | None:
    """The numbers of the branch's steps, from the gate back to the pooling of a value; None where it is none."""
    found: list[int] = []
    while gate and gate != value and reads[gate] == 1 and len(steps[gate - 1].reads) == 1:
        found.append(gate)
        gate = steps[gate - 1].reads[0]
    inside = [steps[number - 1] for number in found if steps[number - 1].word != "reshape"]
    if gate != value or len(inside) != 5 or steps[found[-1] - 1].word == "reshape":
        return None
    last, second, activation, first, pool = inside
    fits = (
        last.word in _GATES
        and activation.word in _ACTIVATIONS
        and pool.word in ("global_avg_pool", "adaptive_avg_pool")
        and pool.arguments in ({}, {"output_size": 1})
        and _width(first) is not None
        and _width(second) == pool.shape[0]
    )
    return found if fits else None


def _width(step: Step) -> int | None:
    """How many channels leave a layer that could be one of the two; None where it is another one."""
    rest: dict[str, Any] = dict(step.arguments)
    if step.shared is not None:
        return None
    if step.word == "conv" and rest.pop("kernel_size") == 1:
        width = rest.pop("out_channels")
    elif step.word == "linear":
        width = rest.pop("out_features")
    else:
        return None
    return None if rest or not isinstance(width, int) else width


def _said(branch: list[int], steps: list[Step]) -> dict[str, Any]:
    last, _, activation, first, _ = (steps[number - 1] for number in branch if steps[number - 1].word != "reshape")
    said = {"channels": _width(first), "activation": activation.word, "gate": last.word}
    return {key: value for key, value in said.items() if value not in ("relu", "sigmoid")}
