"""What comes after the last pooling over the whole image -> layers of features, as people write a classifier.

    adaptive_avg_pool: 1, conv: {out_channels: 10, kernel_size: 1}    ->    global_avg_pool, linear: 10

Darknet keeps a width and a height of 1, so that its classifiers are 1×1 convolutions of one pixel. A linear layer
computes the same, from weights in the same order. The network then gives features, as a classifier must.
"""

from collections import Counter
from dataclasses import replace

from specforge.importing.recording import Recorder, Step

_KEEPS_FEATURES = frozenset(
    ("batch_norm", "dropout", "relu", "leaky_relu", "relu6", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "mish")
)


def flat_tail(recorder: Recorder, output: int) -> tuple[int, list[Step]]:
    """The number of the output's value and the steps, with features from the pooling on, or flattened at the end."""
    pooling = _pooling_before(recorder, output)
    if pooling is not None:
        return _as_features(recorder.steps, pooling, output)
    shape = recorder.shape(output)
    if len(shape) == 3 and shape[1:] == (1, 1):
        output = recorder.add("flatten", {}, [output], recorder.steps[-1].span)
    return output, list(recorder.steps)


def _pooling_before(recorder: Recorder, output: int) -> int | None:
    """The pooling to one pixel from which nothing leads but a chain of layers that can work on features."""
    read = Counter(number for step in recorder.steps for number in step.reads)
    value = output
    while value and read[value] == (value != output):
        step = recorder.steps[value - 1]
        if step.word == "adaptive_avg_pool":
            return value
        if not _can_be_flat(step):
            return None
        value = step.reads[0]
    return None


def _can_be_flat(step: Step) -> bool:
    pixelwise = (
        step.word == "conv" and step.arguments["kernel_size"] == 1 and not {"groups", "padding"} & set(step.arguments)
    )
    return pixelwise or step.word in _KEEPS_FEATURES or step.word in ("flatten", "linear")


def _as_features(steps: list[Step], pooling: int, output: int) -> tuple[int, list[Step]]:
    """The steps with those after the pooling rewritten; `flatten` goes, so that later values get other numbers."""
    chain = {pooling}
    for number, step in enumerate(steps, 1):
        if chain & set(step.reads):
            chain.add(number)
    renumbered, kept = {0: 0}, list[Step]()
    for number, step in enumerate(steps, 1):
        if number in chain and step.word == "flatten":
            renumbered[number] = renumbered[step.reads[0]]
            continue
        new = _flat(step) if number in chain else step
        kept.append(replace(new, reads=tuple(renumbered[read] for read in step.reads)))
        renumbered[number] = len(kept)
    return renumbered[output], kept


def _flat(step: Step) -> Step:
    shape = step.shape[:1]
    if step.word == "adaptive_avg_pool":
        return replace(step, word="global_avg_pool", arguments={}, shape=shape)
    if step.word == "conv":
        bias = {} if step.arguments.get("bias", True) else {"bias": False}
        return replace(
            step, word="linear", arguments={"out_features": step.arguments["out_channels"], **bias}, shape=shape
        )
    return replace(step, shape=shape)
