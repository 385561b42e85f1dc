"""What every catalogue entry is: one Pydantic class per word of the language.

An entry's fields are the word's arguments, its docstring is its documentation (`explain`, the JSON Schema and
the reference read it), and it lowers to a `Call`, the constructor expression that the torch backend evaluates
against a closed table and the source emitter prints. Nothing here imports torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf

from specforge.diagnostics import Span
from specforge.shapes import Shape

Layout = Literal["positions", "features", "unknown"]
Literals = bool | int | float | str | None | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A constructor expression: `Call("torch.nn.ReLU")` is `torch.nn.ReLU()`. Arguments are literals or Calls."""

    target: str
    arguments: Mapping[str, "Literals | Call"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tensor of a layer's state: its name below the layer's path and its shape.

    A `parameter` is trained, a `statistic` (running mean) is not, a `counter` is state but counted nowhere.
    """

    name: str
    shape: Shape
    role: Literal["parameter", "statistic", "counter"] = "parameter"


@dataclass(frozen=True, slots=True)
class Window:
    """What a layer slides along one spatial axis: `kernel` positions, `dilation` apart, moved by `stride` at a time.

    `padding` is the border in front of the first position; a `blank` one holds nothing of the image.
    """

    kernel: int
    stride: int
    padding: int = 0
    dilation: int = 1
    blank: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """What autograd keeps of a layer from the forward to the backward pass: its input, its output, and more.

    `extra` are bytes besides them for one image (a mask, indices, results inside the layer), in float32 training.
    """

    input: bool = False
    output: bool = False
    extra: int = 0


class Value(NamedTuple):
    """What flows between layers: its shape, and the number of what made it, in execution order.

    0 is the network's input. A value that a composite joins from several is made from `joins`; its number is given
    when the composite is done.
    """

    shape: Shape
    number: int = -1
    joins: "tuple[Value, ...]" = ()


class Section(BaseModel):
    """A part of a spec with fixed keys: strict, frozen, no unknown keys, finite numbers only.

    `advice` says what to do about keys that people look for here and that it does not have.
    """

    advice: ClassVar[Mapping[str, str]] = {}
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True, arbitrary_types_allowed=True
    )


class Definition(Section):
    """A word of the catalogue.

    `family` is the kind of word, `main` the argument of the short form `word: value`, `also_known_as` what other
    frameworks call it (in lower case): using one of those is an error whose hint names the word. `units` are arguments
    of which one is given, where a bare number could mean any of them.
    """

    family: ClassVar[str] = ""
    main: ClassVar[str | None] = None
    also_known_as: ClassVar[tuple[str, ...]] = ()
    units: ClassVar[tuple[str, ...]] = ()


class Layer(Definition):
    """An operation of the network: shape rule, cost rule and constructor. Shapes are without the batch axis.

    `is_view`: the output shares the input's memory, as in `flatten`. `bias_axis` is the axis of the output whose
    entries get a number of `bias` each, `centred_axis` the one whose entries have their mean removed, so that such a
    bias before it is lost; `passes_shift` layers between them give on what is added to an entry of the first axis.

    `clamps`: the output is the input cut off at two ends, either of which may be infinite, and no gradient passes where
    it is cut. `takes_maximum`: every output is one of the inputs, the largest of a window.

    `last_axis` is what the last axis of an output of three axes or more holds: positions in an image, features, or what
    can't be said; None for what it held before. `needs_features`: the layer works on the last axis, which is a mistake
    where that is a row of an image; `image_hint` says what serves there. `needs_positions`: it works on channels that
    come first, which is a mistake where they are last.
    """

    family: ClassVar[str] = "layers"
    is_view: ClassVar[bool] = False
    clamps: ClassVar[bool] = False
    takes_maximum: ClassVar[bool] = False
    last_axis: ClassVar[Layout | None] = None
    needs_features: ClassVar[bool] = False
    image_hint: ClassVar[str | None] = None
    needs_positions: ClassVar[bool] = False
    bias_axis: ClassVar[int | None] = None
    centred_axis: ClassVar[int | None] = None
    passes_shift: ClassVar[bool] = False

    def output_shape(self, input: Shape) -> Shape:
        """The shape that leaves; raises `Misfit` for a shape that the layer cannot take."""
        raise NotImplementedError

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        """The layer's tensors, in state_dict order."""
        return ()

    def strides(self, axes: int) -> tuple[int | Fraction, ...]:
        """By how much each of `axes` spatial axes is thinned out: 2 halves it, Fraction(1, 2) doubles it."""
        return (1,) * axes

    def reach(self, axes: int) -> tuple[int, ...] | None:
        """How many positions of each spatial axis one output position sees, dilation included; None for all."""
        return (1,) * axes

    def windows(self, axes: int) -> tuple[Window, ...]:
        """What slides along each of `axes` spatial axes; nothing where no window does."""
        return ()

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """Between which numbers the output lies when the input lies between `low` and `high`, in training too."""
        return -inf, inf

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        """Why it gives back what arrives, values between `low` and `high`; None where it may change something.

        None also where it is there for other inputs, as adaptive pooling is in networks for images of any size.
        """
        return None

    def needs_several_images(self, input: Shape) -> bool:
        """Whether training fails on a batch of a single image, as a batch norm does that has one value a channel."""
        return False

    def macs(self, input: Shape, output: Shape) -> int:
        """Multiply-accumulates for one image, of convolutions and matrix products only."""
        return 0

    def kept(self, input: Shape, output: Shape) -> Kept:
        """What training keeps in memory of one image until the backward pass."""
        return Kept(input=True)

    def lower(self, input: Shape) -> Call:
        """The constructor expression of the module that does it."""
        raise NotImplementedError

    def lower_for(self, input: Shape, device: str) -> Call | None:
        """The expression of a module with the same tensors that trains faster on a kind of device, such as `cpu`."""
        return None


class Merge(Layer):
    """An operation of several values, which the item's `from` names: `{from: [previous, stem], concat: }`."""

    def merged_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The shape that leaves; raises `Misfit` for shapes that don't go together."""
        raise NotImplementedError

    def merged_macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiply-accumulates for one image, of matrix products only."""
        return 0

    def output_shape(self, input: Shape) -> Shape:
        return self.merged_shape((input,))

    def kept(self, input: Shape, output: Shape) -> Kept:
        """Here `input` stands for all inputs."""
        return Kept()


class LowerRegion(Protocol):
    """Lowers a named region of items from a value and gives what comes out, None after an error inside it.

    `made_for` names the argument that asks for items which nobody wrote: they stand where it does.
    """

    def __call__(self, name: str, items: "Items", value: Value, *, made_for: str | None = None) -> Value | None: ...


class Composite(Layer):
    """A layer made of layers. Its module takes its children, in order, as one OrderedDict.

    The value of an `is_side_branch` does not go on to the next layer: it leaves the network in training, where its
    loss counts `loss_weight` times beside the output's. What `has_own_defaults` is not touched by `model.defaults`.
    """

    is_side_branch: ClassVar[bool] = False
    has_own_defaults: ClassVar[bool] = False

    @property
    def loss_weight(self) -> float:
        return 1.0

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        """Lower every region; region "" registers its items directly under this layer's path.

        Gives a region's value, or a new one that joins several: `Value(shape, joins=(body, shortcut))`.
        """
        raise NotImplementedError

    def join(self) -> Merge:
        """The operation that makes one value of those that are joined, in their order."""
        raise NotImplementedError

    def assemble(self, input: Shape, output: Shape) -> Call:
        """The constructor of the module that takes the children."""
        return Call("torch.nn.Sequential")


class Initializer(Definition):
    """How a parameter starts. Lowers to a call that takes the tensor as its first argument.

    `fewest_axes` is what the tensor must have: one whose spread follows from inputs and outputs needs both axes.
    """

    family: ClassVar[str] = "initializers"
    fewest_axes: ClassVar[int] = 0

    @property
    def sample(self) -> int:
        """How many training images it is computed from; 0 where it needs none.

        One that needs some is for layers that take the network's input. Its call takes batches of normalised images
        after the tensor, and is made when training begins: until then the tensor is as torch made it.
        """
        return 0

    def check(self, layer: Layer, input: Shape, parameter: Shape) -> None:
        """Raises `Misfit` where it can't fill a parameter of this shape, of a layer that takes such an input."""

    def lower(self) -> Call:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Item:
    """One bound entry of a `layers:` list. `id` is its path segment; spans lead back to the text.

    `reads` are the addresses of its `from`, none where it reads the running value; `shared` names its weights.
    """

    id: str
    kind: str
    layer: Layer
    span: Span = field(compare=False)
    argument_spans: Mapping[str, Span] = field(compare=False)
    initializers: Mapping[str, Initializer]
    trainable: bool = True
    reads: tuple[str, ...] = ()
    shared: str | None = None


Items = tuple[InstanceOf[Item], ...]


class Weights(Section):
    """Published weights for the network, and how their file names its tensors.

    Tensors are matched in order. `url` is the file's address. `sha256` is its checksum, or the first of its digits.
    `keys` gives the tensors that stand elsewhere (ours: theirs, `*` for any text). `unused` are the modules of the file
    that this network does not have.
    """

    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")] | None = None
    keys: dict[str, str] = Field(default_factory=dict)
    unused: tuple[str, ...] = ()


def _positive_or_find(value: object) -> object:
    if value != "find" and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
        raise ValueError("a number greater than 0, or `find`")
    return value


# A rate per optimizer step, or `find`: the learning-rate finder then chooses it when training begins.
LearningRate = Annotated[Annotated[float, Field(gt=0)] | Literal["find"], BeforeValidator(_positive_or_find)]


class Optimizer(Definition):
    """How gradients change weights. Lowers to the optimizer's call without its parameter list.

    `fewest_axes` is what a parameter must have: one that orthogonalises needs a matrix.
    """

    family: ClassVar[str] = "optimizers"
    fewest_axes: ClassVar[int] = 0
    lr: LearningRate

    def remembered(self, shape: Shape) -> int:
        """How many numbers it remembers from step to step of a tensor of this shape."""
        raise NotImplementedError

    def working(self, shape: Shape) -> int:
        """How many numbers the step of such a tensor needs for a moment: none where torch does all of it in place."""
        return 0

    def lower(self) -> Call:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a run of `epochs` epochs stands: `step` optimizer steps, `epoch` whole epochs and `share` of the next done.

    `share` is at least 0 and below 1.
    """

    step: int
    epoch: int
    share: float
    epochs: int

    @classmethod
    def at(cls, step: int, *, steps_per_epoch: int, epochs: int) -> "Clock":
        """After so many steps, of epochs that are equally long."""
        epoch, within = divmod(step, steps_per_epoch)
        return cls(step, epoch, within / steps_per_epoch, epochs)

    @property
    def time(self) -> float:
        """In epochs."""
        return self.epoch + self.share


class Schedule(Definition):
    """How the learning rate moves: a pure function of the clock, durations in epochs."""

    family: ClassVar[str] = "schedules"

    @property
    def meant_to_fall(self) -> bool:
        """Whether it is chosen for its fall, so that a rate that comes back up is worth a warning."""
        return False

    def rate(self, base: float, clock: Clock) -> float:
        """The learning rate of the next step, for an optimizer whose own rate is `base`."""
        raise NotImplementedError

    def momentum(self, clock: Clock) -> float | None:
        """The momentum of the next step, Adam's first `beta` likewise; None leaves the optimizer's own."""
        return None


class Loss(Definition):
    """What is minimised. Lowers to a module that takes logits (N, classes) and class indices (N,)."""

    family: ClassVar[str] = "losses"

    def lower(self, class_counts: tuple[int, ...] | None = None) -> Call:
        """The loss of training, given how many training images each class has; without them, that of evaluation."""
        raise NotImplementedError


def _one_or_list(value: object) -> object:
    numbers = value if isinstance(value, tuple) else (value,)
    if not numbers or any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise ValueError("a whole number, or a list of one for each spatial axis")
    return value


def _at_least(low: int) -> Callable[[int | tuple[int, ...]], int | tuple[int, ...]]:
    def check(value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if min(value if isinstance(value, tuple) else (value,)) < low:
            raise ValueError(f"{'whole numbers' if isinstance(value, tuple) else 'a whole number'} of at least {low}")
        return value

    return check


@dataclass(frozen=True, slots=True)
class Unit:
    """A mark on a field: what its number counts, where the field's name does not say so."""

    name: str


Count = Annotated[int, Field(ge=1)]
Epochs = Annotated[int, Field(ge=1), Unit("epochs")]
Probability = Annotated[float, Field(ge=0, lt=1)]
PER_AXIS = "one number for all axes, or a list of one for each"
Extent = Annotated[int | tuple[int, ...], BeforeValidator(_at_least(1)), BeforeValidator(_one_or_list), PER_AXIS]
Margin = Annotated[int | tuple[int, ...], BeforeValidator(_at_least(0)), BeforeValidator(_one_or_list), PER_AXIS]
