"""The state of reading a Darknet network: which value each section gives, and what sections refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from specforge.diagnostics import Findings, did_you_mean
from specforge.importing.darknet.text import Section
from specforge.importing.recording import Recorder
from specforge.importing.rules import BAD_REFERENCE, FOREIGN_MISFIT, UNKNOWN_FOREIGN_LAYER

Arguments = Mapping[str, Any]

ACTIVATIONS: dict[str, tuple[tuple[str, Arguments], ...]] = {
    "linear": (),
    "relu": (("relu", {}),),
    "leaky": (("leaky_relu", {"negative_slope": 0.1}),),
    "relie": (("leaky_relu", {"negative_slope": 0.01}),),
    "relu6": (("relu6", {}),),
    "logistic": (("sigmoid", {}),),
    "tanh": (("tanh", {}),),
    "elu": (("elu", {}),),
    "selu": (("selu", {}),),
    "gelu": (("gelu", {"approximate": "tanh"}),),
    "swish": (("silu", {}),),
    "mish": (("mish", {}),),
    "hardtan": (("hardtanh", {}),),
}
# what a section becomes a block of, by its first layer
_UNITS = {"conv": "ConvUnit", "depthwise_conv": "DepthwiseUnit", "linear": "LinearUnit"}


@dataclass(slots=True)
class Reading:
    """The network so far: `values` are what the sections give, in their order, as `route` counts them.

    `heads` are the detection heads: what they read is what leaves the network. `modules` are the sections that became
    several layers, by the name that those have in common: a block each.
    """

    recorder: Recorder
    findings: Findings
    values: list[int] = field(default_factory=list)
    heads: list[Section] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)

    @property
    def previous(self) -> int:
        return self.values[-1] if self.values else 0

    def name_steps(self, section: Section, before: int) -> None:
        """Name what a section became by its number, which is what `route` calls it."""
        steps, number = self.recorder.steps, str(section.index)
        made, own = range(before, len(steps)), f"layer_{number}"
        if len(made) > 1 and steps[before].word in _UNITS:
            self.modules[number] = _UNITS[steps[before].word]
        for place in made:
            # what others read is the last of them: it has the section's number in its id
            part = own if place == made[-1] else steps[place].word
            steps[place] = replace(steps[place], name=f"{number}.{part}" if len(made) > 1 else own)

    def refer(self, section: Section, key: str) -> list[int] | None:
        """The values that `route` or `shortcut` names; None where one of them is none."""
        numbers = section.wholes(key)
        if numbers is None:
            return None
        found = []
        for number, span in numbers:
            index = number if number >= 0 else section.index + number
            if not 0 <= index < len(self.values):
                there = f"layers 0 to {len(self.values) - 1} come before it" if self.values else "it is the first layer"
                message = f"`{key}` of layer {section.index} names layer {index}: {there}"
                self.findings.add(BAD_REFERENCE, span, message, "write `-1` for the layer before")
                return None
            found.append(self.values[index])
        return found

    def activate(self, section: Section, value: int, default: str) -> int:
        """Record the section's activation after a value."""
        name = section.text("activation", default)
        if name == "ramp":  # x for x > 0, and a tenth of x everywhere
            added = self.recorder.add("scale", {"factor": 0.1}, [value], section.span)
            return self.recorder.add(
                "add", {}, [self.recorder.add("relu", {}, [value], section.span), added], section.span
            )
        if name not in ACTIVATIONS:
            hint = did_you_mean(name, ACTIVATIONS)
            message = f"specforge has no activation `{name}` of Darknet's"
            self.findings.add(UNKNOWN_FOREIGN_LAYER, section.at("activation"), message, hint)
            return value
        return self.recorder.chain(value, ACTIVATIONS[name], section.span)


def image_of(reading: Reading, section: Section) -> tuple[int, int, int] | None:
    """The channels, height and width that arrive; None, reported, where features do."""
    shape = reading.recorder.shape(reading.previous)
    if len(shape) == 3:
        return shape
    message = f"[{section.kind}] needs an image, but {shape[0]:,} features arrive"
    reading.findings.add(FOREIGN_MISFIT, section.span, message)
    section.ignore(section.settings)
    return None


def strides_of(section: Section, default: int = 1) -> tuple[int, int]:
    """Down and across."""
    stride = section.whole("stride", default)
    return section.whole("stride_y", stride), section.whole("stride_x", stride)
