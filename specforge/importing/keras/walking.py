"""The calls of a Keras network, those of networks inside it too -> steps."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from specforge.diagnostics import Findings, Span, did_you_mean
from specforge.importing.keras.config import LARGEST, Config
from specforge.importing.keras.graph import MODELS, BrokenModel, Key, LayerCall, LayerEntry, Model, model_of, ordered
from specforge.importing.keras.layers import READERS
from specforge.importing.keras.reading import Call, Reading
from specforge.importing.rules import BAD_REFERENCE, BAD_SETTING, NOT_CARRIED, UNKNOWN_FOREIGN_LAYER
from specforge.shapes import Shape

MAX_DEPTH = 20
ANY_SIZE = 224  # pixels, where a network takes images of any size
MAX_LAYERS = 20_000
# operators of Keras's tensors as the layers that do the same: what Keras 2 calls them, and Keras 3
_OPERATORS = {
    **dict.fromkeys(("tf.__operators__.add", "tf.math.add", "AddV2", "Add"), "Add"),
    **dict.fromkeys(("tf.math.multiply", "Mul", "Multiply"), "Multiply"),
    **dict.fromkeys(("tf.nn.relu", "Relu"), "relu"),
    **dict.fromkeys(("tf.nn.relu6", "Relu6"), "relu6"),
    **dict.fromkeys(("tf.math.sigmoid", "tf.nn.sigmoid", "Sigmoid"), "sigmoid"),
    **dict.fromkeys(("tf.nn.silu", "Silu"), "silu"),
    **dict.fromkeys(("tf.math.tanh", "tf.nn.tanh", "Tanh"), "tanh"),
    **dict.fromkeys(("tf.nn.gelu", "Gelu"), "gelu"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of the networks around a layer, and whether one of them is called more than once."""

    names: tuple[str, ...] = ()
    is_shared: bool = False

    def inside(self, entry: LayerEntry) -> "Scope":
        return Scope((*self.names, entry.name), self.is_shared or len(entry.calls) > 1)

    def weights_of(self, entry: LayerEntry) -> str | None:
        """The name under which calls of a layer share weights, None for a layer that is called once."""
        inner = self.inside(entry)
        return re.sub(r"\W", "_", "_".join(inner.names)) if inner.is_shared else None


@dataclass(slots=True)
class Walk:
    """`place` tells where a layer's name stands in the text."""

    place: Callable[[str], Span]
    count: int = 0
    _models: dict[str, Model] = field(default_factory=dict)

    def input_of(self, model: Model, findings: Findings) -> tuple[Shape, bool]:
        """The shape of one image, channels first, and whether Keras has them first, too."""
        entry = next((entry for entry in model.entries if entry.name == model.inputs[0][0]), None)
        if entry is None or len(model.inputs) > 1:
            what = f"{len(model.inputs)} inputs" if entry is not None else "no input"
            findings.add(BAD_SETTING, self.place(""), f"the network has {what}", "specforge's networks have one input")
            return (1,), False
        while entry.kind in MODELS:  # a Sequential that begins with another network
            inner = self._model(entry)
            entry = next(other for other in inner.entries if other.name == inner.inputs[0][0])
        given = entry.config.get("batch_shape") or entry.config.get("batch_input_shape")
        sizes = given[1:] if isinstance(given, list) else []
        if len(sizes) == 3 and None in sizes and any(isinstance(size, int) for size in sizes):
            sizes = [size or ANY_SIZE for size in sizes]
            message = f"the network takes images of any size; it is imported for {ANY_SIZE}×{ANY_SIZE} pixels"
            findings.add(NOT_CARRIED, self.place(entry.name), message, "write `input: [3, H, W]` for any size")
        if not 1 <= len(sizes) <= 3 or not all(type(size) is int and 1 <= size <= LARGEST for size in sizes):
            message = f"{entry.path.lstrip('.')}: the network's input is {given}, not an image of a known size"
            hint = "build it on `keras.Input((224, 224, 3))`: the size may be changed in the spec"
            findings.add(BAD_SETTING, self.place(entry.name), message, hint)
            return (1,), False
        first = _channels_first(model.entries, 0)
        return (tuple(sizes) if first or len(sizes) < 3 else (sizes[2], *sizes[:2])), first

    def network(self, model: Model, reading: Reading) -> int:
        """Record all calls; gives the output's value."""
        outputs = self._run(model, (0,), reading, Scope())
        if len(outputs) > 1:
            message = f"the network has {len(outputs)} outputs, specforge's have one"
            reading.findings.add(
                BAD_SETTING, self.place(""), message, "import `keras.Model(inputs, one_of_the_outputs)`"
            )
        return outputs[0] if outputs else 0

    def _run(self, model: Model, inputs: tuple[int, ...], reading: Reading, scope: Scope) -> list[int]:
        if len(scope.names) > MAX_DEPTH:
            raise BrokenModel(scope.names[0], f"networks inside networks, more than {MAX_DEPTH} deep")
        values: dict[Key, int] = dict(zip(model.inputs, inputs, strict=False))
        for entry, number, call in ordered(model):
            self.count += 1
            if self.count > MAX_LAYERS:
                raise BrokenModel(entry.path, f"there are more than {MAX_LAYERS:,} layers")
            key = entry.name, number
            if entry.kind == "InputLayer":
                if key not in values:
                    raise BrokenModel(entry.path, "an input that nothing is given to: specforge's networks have one")
                continue
            values[key] = self._call(entry, call, tuple(values[read] for read in call.reads), reading, scope)
        self._report_missing(model, values, reading)
        return [values.get(_nearest_call(end, values), 0) for end in model.outputs]

    def _call(self, entry: LayerEntry, call: LayerCall, reads: tuple[int, ...], reading: Reading, scope: Scope) -> int:
        """Record one call; gives its value."""
        place = self.place(entry.name)
        if not reads:
            config = Config({}, entry.path.lstrip("."), place, reading.findings)
            config.refuse(f"{entry.kind} reads nothing", rule=BAD_REFERENCE)
            return 0
        if entry.kind in MODELS:
            results = self._run(self._model(entry), reads, reading, scope.inside(entry))
            return results[0] if results else reads[0]
        kind, data = _known(entry, call)
        config = Config(data, entry.path.lstrip("."), place, reading.findings)
        reader = READERS.get(kind)
        if reader is None:
            close = did_you_mean(kind, READERS) or "replace it in Keras by layers that specforge has"
            message = f"specforge has no layer for Keras's `{kind[:60]}`"
            config.refuse(message, close, rule=UNKNOWN_FOREIGN_LAYER)
            return reads[0]
        if config.data.get("trainable") is False:
            topic = f"frozen {'/'.join(scope.inside(entry).names)}"
            reading.tell_once(topic, config, "the layer is frozen", "give it `trainable: false`")
        return reader(Call(kind, config, reads, reading, scope.weights_of(entry)))

    def _model(self, entry: LayerEntry) -> Model:
        if entry.path not in self._models:
            self._models[entry.path] = model_of(entry.config, entry.path)
        return self._models[entry.path]

    def _report_missing(self, model: Model, values: Mapping[Key, int], reading: Reading) -> None:
        names = {entry.name for entry in model.entries}
        for entry in model.entries:
            for call in entry.calls:
                for read in call.reads:
                    if read not in values and (read[0] not in names or read[0] == entry.name):
                        message = f"{entry.path.lstrip('.')} reads `{read[0][:60]}`, which no layer before it gives"
                        reading.findings.add(BAD_REFERENCE, self.place(entry.name), message)
        for end in model.outputs:
            if _nearest_call(end, values) not in values:
                message = f"the network's output is `{end[0][:60]}`, which no layer gives"
                reading.findings.add(BAD_REFERENCE, self.place(end[0]), message)


def _nearest_call(end: Key, values: Mapping[Key, int]) -> Key:
    """Keras counts the calls of a layer that it also calls elsewhere; with a single call here, that one is meant."""
    return end if end in values else (end[0], 0)


def _channels_first(entries: tuple[LayerEntry, ...], depth: int) -> bool:
    for entry in entries:
        if entry.config.get("data_format") == "channels_first":
            return True
        if (
            entry.kind in MODELS
            and depth < MAX_DEPTH
            and _channels_first(model_of(entry.config, entry.path).entries, depth + 1)
        ):
            return True
    return False


def _known(entry: LayerEntry, call: LayerCall) -> tuple[str, Mapping[str, Any]]:
    """The layer's class and arguments; an operator of tensors is the layer that does the same."""
    if entry.kind in ("TFOpLambda", "TensorFlowOpLayer"):
        operator = str(entry.config.get("function") or entry.config.get("name") or "")
    elif "ops" in entry.module.split("."):
        operator = entry.kind
    else:
        return entry.kind, entry.config
    known = _OPERATORS.get(operator, "")
    if known in ("Add", "Multiply"):
        alone = len(call.reads) == 1 and bool(call.constants)
        return (f"{known} a number" if alone else known), {
            "name": entry.name,
            "number": call.constants[0] if alone else None,
        }
    if known:
        return "Activation", {"activation": known, "name": entry.name}
    return f"operator {operator}", entry.config
