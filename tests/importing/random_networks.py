"""Networks drawn at random, as readers give them, and the same as a spec that only lists and wires their layers."""

import random
from dataclasses import dataclass, field
from typing import Any

from specforge.importing.network import Network, Operation
from specforge.resolved import flow
from specforge.shapes import Shape

TENSORS = {
    "conv": ("weight", "bias"),
    "linear": ("weight", "bias"),
    "batch_norm": ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
}
ACTIVATIONS = ("relu", "silu", "hardswish")


@dataclass
class Drawing:
    """A network in the making: images of 6×6 pixels, whose size nothing changes."""

    chance: random.Random
    operations: list[Operation] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    input: Shape = (3, 6, 6)

    def shape(self, value: int) -> Shape:
        return self.operations[value - 1].shape if value else self.input

    def add(self, word: str, inputs: tuple[int, ...], place: str, shape: Shape, **arguments: Any) -> int:
        number = len(self.operations) + 1
        names = [name for name in TENSORS.get(word, ()) if name != "bias" or arguments.get("bias", True)]
        tensors = tuple(f"v{number}.{name}" for name in names)
        self.operations.append(Operation(word, arguments, inputs, place, tensors, shape))
        return number

    def conv(self, value: int, channels: int, kernel: int, place: str) -> int:
        arguments = {
            "out_channels": channels,
            "kernel_size": kernel,
            **({"padding": kernel // 2} if kernel > 1 else {}),
        }
        return self.add("conv", (value,), place, (channels, 6, 6), **arguments)

    def layer(self, word: str, value: int, place: str) -> int:
        return self.add(word, (value,), place, self.shape(value))

    def unit(self, value: int, channels: int, kernel: int, place: str, activation: str = "relu") -> int:
        """Convolution, norm, activation: a module of its own."""
        self.modules[place] = "ConvUnit"
        value = self.conv(value, channels, kernel, f"{place}.conv")
        return self.layer(activation, self.layer("batch_norm", value, f"{place}.norm"), f"{place}.act")

    def residual(self, value: int, channels: int, place: str, style: str, activation: str) -> int:
        """A block with a shortcut, and what its style has where channels change."""
        self.modules[place] = "Block"
        body = value
        if style != "optional" or self.chance.random() < 0.5:
            body = self.unit(body, channels // 2, 1, f"{place}.unit1", activation)
        body = self.conv(body, channels, 3, f"{place}.conv2")
        if style == "attentive" and self.chance.random() < 0.7:
            body = self.layer("tanh", body, f"{place}.gate")
        body = self.layer("batch_norm", body, f"{place}.norm2")
        around = value
        if self.shape(value) != self.shape(body):
            if style == "bare":
                return body
            around = self.down(value, channels, place, style)
        total = self.add("add", (body, around), place, self.shape(body))
        return total if style == "bare" else self.layer(activation, total, f"{place}.act2")

    def down(self, value: int, channels: int, place: str, style: str) -> int:
        """The shortcut of a block that changes channels: a projection, or something like it."""
        if style == "convolving":
            return self.conv(value, channels, 1, f"{place}.down")
        arguments = {"out_channels": channels, "kernel_size": 1, "bias": False}
        value = self.add("conv", (value,), f"{place}.down.0", (channels, 6, 6), **arguments)
        self.modules[f"{place}.down"] = "Sequential"
        return self.layer("batch_norm", value, f"{place}.down.1")

    def branched(self, value: int, channels: int, place: str, word: str) -> int:
        """Paths side by side, one of which may be empty."""
        self.modules[place] = "Branched"
        paths = [self.unit(value, channels, kernel, f"{place}.path{kernel}") for kernel in (1, 3)]
        if word == "concat":
            paths += [value] * self.chance.randint(0, 1)
            shape = (sum(self.shape(path)[0] for path in paths), 6, 6)
        else:
            shape = (channels, 6, 6)
        return self.add(word, tuple(paths), place, shape)

    def dense(self, value: int, growth: int, count: int, place: str) -> int:
        """Layers that read all before them."""
        self.modules[place] = "Dense"
        values = [value]
        for number in range(count):
            if len(values) > 1:
                shape = (sum(self.shape(each)[0] for each in values), 6, 6)
                value = self.add("concat", tuple(values), f"{place}.layer{number}", shape)
            values.append(self.unit(value, growth, 3, f"{place}.layer{number}"))
        return self.add("concat", tuple(values), place, (sum(self.shape(each)[0] for each in values), 6, 6))

    def crossed(self, value: int, channels: int, place: str) -> int:
        """Two paths that read each other: no residual and no branches can say it."""
        left = self.conv(value, channels, 1, f"{place}_left")
        right = self.conv(value, channels, 3, f"{place}_right")
        both = self.add("add", (left, right), f"{place}_both", (channels, 6, 6))
        product = self.add("multiply", (left, both), f"{place}_product", (channels, 6, 6))
        return self.add("concat", (right, product), f"{place}_joined", (2 * channels, 6, 6))


def drawn(seed: int) -> Network:
    """A network of a few stages of blocks that are alike, and some that are not; without modules for odd seeds."""
    chance = random.Random(seed)
    drawing = Drawing(chance)
    value = 0
    for number in range(chance.randint(1, 5)):
        channels, place = chance.choice((4, 6, 8)), f"stage{number}"
        kind = chance.choice(("units", "residuals", "residuals", "residuals", "branches", "dense", "crossed"))
        if kind == "dense":
            value = drawing.dense(value, 2, chance.randint(1, 4), place)
        elif kind == "crossed":
            value = drawing.crossed(value, channels, place)
        else:
            drawing.modules[place] = "Sequential"
            activation, word = chance.choice(ACTIVATIONS), chance.choice(("concat", "add", "multiply"))
            style = chance.choice(("convolving", "projecting", "bare", "optional", "attentive"))
            for index in range(chance.randint(1, 4)):
                inner = f"{place}.{index}"
                if kind == "units":
                    value = drawing.unit(value, channels, chance.choice((1, 3)), inner, activation)
                elif kind == "residuals":
                    value = drawing.residual(value, channels, inner, style, activation)
                else:
                    value = drawing.branched(value, channels, inner, word)
    value = drawing.add("global_avg_pool", (value,), "pool", drawing.shape(value)[:1])
    value = drawing.add("linear", (value,), "fc", (5,), out_features=5)
    tensors = {name: () for operation in drawing.operations for name in operation.weights}
    modules = drawing.modules if seed % 2 == 0 else {}
    return Network("drawn", drawing.input, tuple(drawing.operations), value, modules, tensors)


def wired_text(network: Network) -> str:
    """The network layer by layer: every layer has an id and says what it reads."""
    lines = ["specforge: 1", "name: drawn", "model:", f"  input: {flow(list(network.input))}", "  layers:"]
    for number, operation in enumerate(network.operations, 1):
        read = [f"v{value}" if value else "input" for value in operation.inputs]
        item = {
            "id": f"v{number}",
            "from": read if len(read) > 1 else read[0],
            operation.word: dict(operation.arguments),
        }
        lines.append(f"    - {flow(item)}")
    return "\n".join(lines) + "\n"
