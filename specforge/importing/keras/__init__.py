"""A Keras network (the text of `model.to_json()`, of Keras 2 and 3) -> a `Network` in our words.

    {"class_name": "Sequential", "config": {"layers": [             Network("mnist", (1, 28, 28), (
      {"class_name": "Conv2D", "config": {"filters": 32, …}},   ->    Operation("conv", {"out_channels": 32, …}),
      {"class_name": "Dense", "config": {"units": 10, …}}]}}          Operation("relu"), …, Operation("linear", …)))

Images are (H, W, C) in Keras and (C, H, W) here. What belongs to data or recipe, such as augmentations, rescaling and
regularizers, is told of in warnings; a softmax at the end is left to the loss.
"""

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, NoReturn

from specforge.diagnostics import Findings, Span, SpecError
from specforge.importing.keras.graph import MODELS, BrokenModel, model_of
from specforge.importing.keras.initial import Initials
from specforge.importing.keras.reading import Reading
from specforge.importing.keras.units import in_units
from specforge.importing.keras.walking import Walk
from specforge.importing.network import Network
from specforge.importing.polishing import PLUS, absorb_padding, with_hard_gates, without_last_softmax
from specforge.importing.recording import Recorder, Step, operations, plain_text, spec_name
from specforge.importing.rules import BAD_SETTING, NOT_CARRIED, NOT_THIS_FORMAT, UNSUPPORTED_SETTING
from specforge.importing.squeezing import with_squeezes
from specforge.importing.text import decoded
from specforge.shapes import Shape

_HINT = "write the text of `model.to_json()` of a Sequential or functional model into a file"


def read_keras(data: bytes, file: str) -> tuple[Network, Findings]:
    """The network that the JSON describes, and what it leaves out; raises `SpecError` with all errors there are."""
    findings = Findings()
    text = decoded(data, file, findings)
    tree = _tree(text, file, findings) if text is not None else None
    texts = {file: text or ""}
    if text is None or tree is None:
        _refuse(findings, texts)
    places = _Places(text, file)
    try:
        model = model_of(tree, "")
        walk = Walk(places.of)
        shape, first = walk.input_of(model, findings)
        if findings.has_errors:
            _refuse(findings, texts)
        reading = Reading(Recorder(shape, findings), findings, "module" not in tree, first, Initials(findings))
        value = walk.network(model, reading)
        output, steps = _polished(reading, value)
    except BrokenModel as broken:
        findings.add(BAD_SETTING, places.start, f"{broken.path.lstrip('.')}: {broken.message}", _HINT)
    if findings.has_errors:
        _refuse(findings, texts)
    return _network(tree, reading, steps, output, file), findings


def _refuse(findings: Findings, texts: dict[str, str]) -> NoReturn:
    raise SpecError([found for found in findings if found.severity == "error"], texts)


def _tree(text: str, file: str, findings: Findings) -> Mapping[str, Any] | None:
    """The JSON, if it is that of a network with layers."""
    start = Span(file, 1, 1, 1, 1)
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        span = Span(file, error.lineno, error.colno, error.lineno, error.colno + 1)
        findings.add(NOT_THIS_FORMAT, span, f"this is no JSON: {error.msg[:1].lower()}{error.msg[1:]}", _HINT)
        return None
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        findings.add(
            NOT_THIS_FORMAT, start, "this JSON is nested far too deep, or has a number that is far too long", _HINT
        )
        return None
    if isinstance(tree, str):  # the text of to_json(), written as JSON once more
        return _tree(tree, file, findings) if tree.lstrip().startswith("{") else _tree("[]", file, findings)
    if isinstance(tree, dict) and isinstance(tree.get("model_config"), dict):
        tree = tree["model_config"]
    if not isinstance(tree, dict) or not isinstance(tree.get("class_name"), str):
        findings.add(NOT_THIS_FORMAT, start, "this JSON is no Keras network: it has no `class_name`", _HINT)
        return None
    if tree["class_name"] not in MODELS:
        message = f"the JSON of a model of a class of its own, `{tree['class_name'][:60]}`, has no layers"
        findings.add(
            NOT_THIS_FORMAT, start, message, "call its layers on a `keras.Input` and build a `keras.Model` of that"
        )
        return None
    return tree


class _Places:
    """Where the text names a layer: Keras writes all on one line, so that a line alone would say nothing."""

    def __init__(self, text: str, file: str):
        self.start = Span(file, 1, 1, 1, 1)
        self._spans: dict[str, Span] = {}
        line, beginning = 1, 0
        for found in re.finditer(r'\n|"name":\s*"((?:[^"\\\n]|\\.){1,200})"', text):
            if found[1] is None:
                line, beginning = line + 1, found.end()
            else:
                column, end = found.start(1) - beginning + 1, found.end(1) - beginning + 1
                self._spans.setdefault(found[1], Span(file, line, column, line, end))

    def of(self, name: str) -> Span:
        return self._spans.get(name, self.start)


def _polished(reading: Reading, value: int) -> tuple[int, list[Step]]:
    """The output's number and the steps, in fewer words; says what the softmax and the recipe lose."""
    output, steps, softmax = without_last_softmax(reading.recorder.steps, value)
    if softmax is not None:
        message = "the softmax at the end is left out: `cross_entropy`, the loss of the training, holds one"
        reading.findings.add(NOT_CARRIED, softmax.span, message)
    output, steps = absorb_padding(output, steps)
    output, steps = with_squeezes(*with_hard_gates(output, steps))
    for step in steps:
        if step.word == PLUS:
            reading.findings.add(UNSUPPORTED_SETTING, step.span, "specforge has no layer that adds a number")
    reading.initials.tell_decays()
    reading.tell_added()
    return output, steps


def _network(tree: Mapping[str, Any], reading: Reading, steps: list[Step], output: int, file: str) -> Network:
    config, shape = tree.get("config"), reading.recorder.input
    named = config.get("name") if isinstance(config, dict) else None
    keys: dict[str, Any] = {
        "description": _description(named, shape),
        "source": {"document": plain_text(PurePath(file).name)},
    }
    rules = reading.initials.rules({step.word for step in steps})
    if rules:
        keys["init"] = rules
    steps, modules = in_units(output, steps)
    name = spec_name(str(named or PurePath(file).stem))
    return Network(name, shape, operations(shape, steps), output, modules=modules, keys=keys)


def _description(name: Any, input: Shape) -> str:
    size = f"images of {input[1]}×{input[2]} pixels" if len(input) == 3 else f"{' × '.join(map(str, input))} features"
    return f"Imported from Keras{f': {plain_text(name)}' if isinstance(name, str) else ''}, for {size}."
