"""Steps as they were read -> steps as people write them: what computes the same in fewer layers.

pad: 3, conv: {out_channels: 64, kernel_size: 7}   ->   conv: {out_channels: 64, kernel_size: 7, padding: 3}
"""

from collections import Counter
from dataclasses import replace

from specforge.importing.recording import Step

PLUS = "+"  # a step that adds a number: no word of the catalogue, and gone when all is read


def without(steps: list[Step], gone: set[int], output: int) -> tuple[int, list[Step]]:
    """The output's number and the steps without some, whose readers read what those read."""
    numbers, kept = {0: 0}, list[Step]()
    for number, step in enumerate(steps, 1):
        if number in gone:
            numbers[number] = numbers[step.reads[0]]
            continue
        kept.append(replace(step, reads=tuple(numbers[read] for read in step.reads)))
        numbers[number] = len(kept)
    return numbers[output], kept


def without_last_softmax(steps: list[Step], output: int) -> tuple[int, list[Step], Step | None]:
    """The steps without a softmax that gives the output, and that softmax."""
    last = steps[output - 1] if output else None
    if last is None or last.word != "softmax" or any(output in step.reads for step in steps):
        return output, steps, None
    number, kept = without(steps, {output}, output)
    return number, kept, last


def absorb_padding(output: int, steps: list[Step]) -> tuple[int, list[Step]]:
    """A border of zeros that a convolution alone reads becomes its padding, where both ends get as much."""
    reads = Counter(read for step in steps for read in step.reads)
    gone: set[int] = set()
    new = list(steps)
    for number, step in enumerate(steps, 1):
        before = step.reads[0] if step.reads else 0
        if step.word not in ("conv", "depthwise_conv", "separable_conv") or before == 0 or "padding" in step.arguments:
            continue
        border = steps[before - 1]
        width = border.arguments.get("padding")
        even = all(isinstance(side, int) for side in (width if isinstance(width, list) else [width]))
        if (
            border.word == "pad"
            and set(border.arguments) == {"padding"}
            and even
            and reads[before] == 1
            and before != output
        ):
            new[number - 1] = replace(step, arguments=_padded(dict(step.arguments), width))
            gone.add(before)
    return without(new, gone, output) if gone else (output, new)


def _padded(arguments: dict[str, object], width: object) -> dict[str, object]:
    """With the padding where people write it: behind kernel and stride."""
    leading = ("out_channels", "kernel_size", "stride")
    given = {**arguments, "padding": width}
    order = [key for key in (*leading, "padding", *arguments) if key in given]
    return {key: given[key] for key in order}


def with_hard_gates(output: int, steps: list[Step]) -> tuple[int, list[Step]]:
    """`relu6(x + 3) / 6` written out becomes `hardsigmoid`, and `x · hardsigmoid(x)` becomes `hardswish`."""
    reads = Counter(read for step in steps for read in step.reads)
    new, gone = list(steps), set[int]()
    for number, step in enumerate(steps, 1):
        if step.word == "scale" and abs(step.arguments["factor"] * 6 - 1) < 1e-6:
            middle = step.reads[0]
            before = steps[middle - 1].reads[0] if middle and steps[middle - 1].word == "relu6" else 0
            plus = steps[before - 1] if before else None
            alone = reads[middle] == 1 and reads[before] == 1
            if plus is not None and plus.word == PLUS and plus.arguments["number"] == 3 and alone:
                new[number - 1] = replace(step, word="hardsigmoid", arguments={}, reads=plus.reads)
                gone |= {middle, before}
        elif step.word == "multiply" and len(step.reads) == 2:
            for value, gate in (step.reads, step.reads[::-1]):
                hard = new[gate - 1] if gate else None
                if hard is not None and hard.word == "hardsigmoid" and hard.reads == (value,) and reads[gate] == 1:
                    new[number - 1] = replace(step, word="hardswish", reads=(value,))
                    gone.add(gate)
    return without(new, gone, output) if gone else (output, new)
