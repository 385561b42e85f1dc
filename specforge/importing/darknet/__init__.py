"""A Darknet network (`.cfg`) -> a `Network` in our words, with what is left out as warnings.

    [net]                         Network("tiny", (3, 32, 32), (
    width=32, height=32             Operation("conv", {"out_channels": 16, …}), Operation("batch_norm"),
    [convolutional]         ->      Operation("leaky_relu", {"negative_slope": 0.1}), …), output=…)
    filters=16, size=3 …

Twice the MACs of the imported network are what `darknet … ops` counts: 2 · filters · size² · channels / groups · width
· height of a convolution's output, and 2 · inputs · outputs of a connected layer. Over convolutions alone, that is the
sum of the `BFLOPs` that Darknet prints for each. AlexeyAB's `Total BFLOPS` counts no connected layers, but size² ·
channels · width · height of each max pooling's output, and the values that a shortcut adds.
"""

from collections.abc import Iterable
from pathlib import PurePath
from typing import NoReturn

from specforge.diagnostics import Findings, SpecError
from specforge.importing.darknet.layers import read_layer
from specforge.importing.darknet.reading import Reading
from specforge.importing.darknet.tail import flat_tail
from specforge.importing.darknet.text import Section, sections
from specforge.importing.network import Network
from specforge.importing.recording import Recorder, Step, operations, plain_text, spec_name
from specforge.importing.rules import BAD_SETTING, NOT_CARRIED
from specforge.importing.squeezing import with_squeezes
from specforge.importing.text import decoded

# of [net]: how images are made and weights are changed. Darknet has no epochs, so none of it makes a recipe
_RECIPE = (
    *("batch", "subdivisions", "learning_rate", "momentum", "decay", "adam", "policy", "steps", "scales", "power"),
    *("gamma", "step", "scale", "burn_in", "max_batches", "B1", "B2", "eps", "learning_rate_min", "sgdr_cycle"),
    *("sgdr_mult", "seq_scales", "label_smooth_eps", "mixup", "cutmix", "mosaic", "flip", "angle", "aspect", "hue"),
    *("saturation", "exposure", "blur", "gaussian_noise", "max_crop", "min_crop", "center", "min_ratio", "max_ratio"),
)
# of [net]: how the program runs
_PROGRAM = (
    *("time_steps", "track", "augment_speed", "sequential_subdivisions", "try_fix_nan", "weights_reject_freq"),
    *("equidistant_point", "badlabels_rejection_percentage", "num_sigmas_reject_badlabels", "ema_alpha", "clip"),
    *("use_cuda_graph", "loss_scale", "dynamic_minibatch", "optimized_memory", "workspace_size_limit_MB", "notruth"),
    *("letter_box", "mosaic_bound", "contrastive", "contrastive_jit_flip", "contrastive_color", "unsupervised"),
    *("resize_step", "attention", "adversarial_lr", "max_chart_loss", "init_delay", "random", "hierarchy", "inputs"),
    *("show_receptive_field", "opencv", "seq", "max_delta", "stopbackward"),
)


def read_darknet(data: bytes, file: str) -> tuple[Network, Findings]:
    """The network that a `.cfg` describes, and what it leaves out; raises `SpecError` with all errors there are."""
    findings = Findings()
    text = decoded(data, file, findings)
    found = sections(text, file, findings) if text is not None else []
    texts = {file: text or ""}
    if not found or findings.has_errors:
        _refuse(findings, texts)
    recorder = Recorder(_input(found[0], findings), findings)
    reading = Reading(recorder, findings)
    for section in found[1:]:
        read_layer(reading, section)
    if not recorder.steps:
        findings.add(BAD_SETTING, found[0].span, "there is no layer after [net]")
    if findings.has_errors:
        _refuse(findings, texts)
    return _network(reading, file), findings


def _refuse(findings: Findings, texts: dict[str, str]) -> NoReturn:
    raise SpecError([found for found in findings if found.severity == "error"], texts)


def _input(net: Section, findings: Findings) -> tuple[int, int, int]:
    """The image's shape, which Darknet's first section says."""
    missing = [key for key in ("channels", "height", "width") if key not in net.settings]
    if missing:
        message = f"[net] does not say {', '.join(f'`{key}`' for key in missing)}"
        findings.add(BAD_SETTING, net.span, message, "networks without images, of text or moves, are not imported")
    shape = (net.whole("channels", 3), net.whole("height", 1), net.whole("width", 1))
    said = [key for key in net.settings if key in _RECIPE and key not in ("batch", "subdivisions")]
    if said:
        message = f"the recipe is left out: {_listed(said)}"
        findings.add(NOT_CARRIED, net.span, message, "Darknet counts batches of any data set: write `data` and `train`")
    net.ignore((*_RECIPE, *_PROGRAM))
    net.report_unread()
    return shape


def _listed(words: Iterable[str], shown: int = 6) -> str:
    names = [f"`{word}`" for word in words]
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def _network(reading: Reading, file: str) -> Network:
    recorder, name = reading.recorder, spec_name(PurePath(file).stem)
    sides = _side_heads(reading)
    output, steps = (reading.previous, recorder.steps) if sides else flat_tail(recorder, reading.previous)
    if not sides:
        output, steps = with_squeezes(output, steps)
    keys = {"description": _description(steps, recorder), "source": {"document": plain_text(PurePath(file).name)}}
    return Network(
        name,
        recorder.input,
        operations(recorder.input, steps),
        output,
        modules=reading.modules,
        side_outputs=dict.fromkeys(sides, 1.0),
        keys=keys,
    )


def _side_heads(reading: Reading) -> list[int]:
    """The values that detection heads read which are not the network's output; says what is left out of each head."""
    sides: list[int] = []
    for head in reading.heads:
        read = reading.values[head.index]
        last = read == reading.previous
        shape = "×".join(map(str, reading.recorder.shape(read)))
        end = "is the network's output" if last else "is that of an `auxiliary` branch, for specforge has one output"
        findings, hint = reading.findings, "boxes and their loss are no part of specforge"
        findings.add(NOT_CARRIED, head.span, f"[{head.kind}] is left out: what it reads, {shape}, {end}", hint)
        if not last and read not in sides:
            sides.append(read)
    return sides


def _description(steps: list[Step], recorder: Recorder) -> str:
    convolutions = sum(step.word in ("conv", "depthwise_conv") for step in steps)
    linear = sum(step.word == "linear" for step in steps)
    _, height, width = recorder.input
    parts = [
        f"{number} {word}{'s' * (number != 1)}"
        for number, word in ((convolutions, "convolution"), (linear, "linear layer"))
        if number
    ]
    return f"Imported from Darknet: {' and '.join(parts) or 'no weights'}, for images of {height}×{width} pixels."
