"""The top-level schema: what a spec file may say. Everything here is frozen and checked before torch is imported."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.datasets.definition import Dataset
from specforge.catalog.definition import Count, Initializer, Items, Section, Weights
from specforge.catalog.mixes.definition import Mix
from specforge.recipe import Selector, Train
from specforge.search_space import Search
from specforge.shapes import Shape


class Source(Section):
    """Where the experiment is described.

    `document` is a file or a title. `section` is the place in it. `url` is its address. `authors` are their names.
    `year` is the year of publication.
    """

    document: str | None = None
    section: str | None = None
    url: str | None = None
    authors: str | None = None
    year: int | None = None


class InitRule(Section):
    """How the parameters that match start; of several rules that match, the last wins.

        model:
          init: [{select: {kind: conv, parameter: weight}, initializer: xavier_uniform}]

    `select` says which parameters. `initializer` says how they start.
    """

    select: Selector
    initializer: Initializer


def _size_name(text: str) -> str:
    """A size that may be any number is named in capitals, as in `[3, H, W]`."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,15}", text):
        advice = f"; write `{text.upper()}`" if re.fullmatch(r"[a-z][a-z0-9_]{0,15}", text) else ""
        raise ValueError(f"a name in capitals for any size, as in `[3, H, W]`{advice}")
    return text


SizeName = Annotated[str, AfterValidator(_size_name)]


class Model(Section):
    """The network: the shape of one image without the batch, and the layers in order.

    `input` is that shape: channels, height, width. A size of it may be a name: the network is then proven for every
    size from a smallest one. `layers` are one after another, each with what arrives from the one above. `init` are
    rules for initial weights; without one, torch's own are used.
    """

    input: Annotated[tuple[Count | SizeName, ...], Field(min_length=1, max_length=4)] | None = None
    layers: Items | None = None
    init: tuple[InitRule, ...] = ()

    @model_validator(mode="after")
    def _layers_need_an_input(self) -> "Model":
        if self.layers is not None and self.input is None:
            raise ValueError("needs `input`, the shape of one image without the batch; write `input: [3, 32, 32]`")
        if self.input is not None and isinstance(self.input[0], str):
            raise ValueError("`input` begins with a number, the channels; write `input: [3, H, W]`")
        return self


class Split(Section):
    """How the images are divided. A part that is not given does not exist, but `test` is the official test set.

    Fractions are drawn at random, ranges are half-open in the data set's own order. A test fraction pools the official
    parts first; the last part takes the remainder.

    `train` is a fraction, or a list of ranges `[from, to]`. `validation` is a fraction, or ranges of the training
    images. `test` is `official`, or a fraction of all images. `seed` decides which images a fraction draws.
    `stratified` gives each class its share of every part.
    """

    train: float | tuple[tuple[float, float], ...] = 1.0
    validation: float | tuple[tuple[float, float], ...] | None = None
    test: Literal["official"] | float = "official"
    seed: int = 0
    stratified: bool = False


class Normalize(Section):
    """Per channel, on pixels scaled to 0..1: (pixel - mean) / std.

    `mean` has a number for each channel. `std` has a standard deviation for each channel.
    """

    mean: tuple[float, ...]
    std: tuple[Annotated[float, Field(gt=0)], ...]


def _one_mix_alone(value: object) -> object:
    """A list of one mix means that mix, an empty one none."""
    if isinstance(value, tuple) and len(value) <= 1:
        return value[0] if value else None
    return value


class Data(Section):
    """The images, how they are divided, and what happens to them.

    `dataset` is where they come from. `split` divides them into training, validation and test. `normalize` is `auto`
    (measured on the training part), `none` (pixels scaled to 0..1), or numbers for each channel. `augment` changes
    training images, anew for every image and epoch, in this order. `mix` joins each augmented training
    image, and its label, with another one of its batch; of a list of mixes, each batch gets one, all equally likely.
    `sampling` is what an epoch is made of: every training image once (`uniform`), or as many drawn with replacement,
    every class equally often (`balanced`). `memory` is where the images are while they are needed: all on the device
    (`resident`), or read batch by batch from where they are (`streamed`); results are the same. `auto` streams what
    would take more than half of the device's free memory.
    """

    dataset: Dataset
    split: Split = Split()
    normalize: Literal["auto", "none"] | Normalize = "auto"
    augment: tuple[Augmentation, ...] = ()
    mix: Annotated[tuple[Mix, ...] | Mix | None, BeforeValidator(_one_mix_alone)] = None
    sampling: Literal["uniform", "balanced"] = "uniform"
    memory: Literal["auto", "resident", "streamed"] = "auto"

    @property
    def mixes(self) -> tuple[Mix, ...]:
        """Those of which each batch gets one."""
        if self.mix is None:
            return ()
        return self.mix if isinstance(self.mix, tuple) else (self.mix,)


class Expect(Section):
    """What `validate` proves about the network.

    `trainable_parameters` counts what training changes. `non_trainable_parameters` counts frozen weights, running means
    and running variances. `total_parameters` is their sum. `macs` are the multiply-accumulates of convolutions, linear
    layers and matrix products for one image. `output` is the shape that leaves, without the batch.
    """

    trainable_parameters: int | None = None
    non_trainable_parameters: int | None = None
    total_parameters: int | None = None
    macs: int | None = None
    output: Shape | None = None


Metric = Literal[
    "test_accuracy",
    "test_top5_accuracy",
    "test_loss",
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "best_class_accuracy",
    "worst_class_accuracy",
]


class Reported(Section):
    """A result that the source claims; runs are compared against it.

    `metric` is what was measured. `value` is the result; accuracies are shares of one. `epochs` is how long it trained.
    `note` is anything else.
    """

    metric: Metric
    value: float
    epochs: Count | None = None
    note: str | None = None


# file systems take 255, and what is counted up or named by a seed needs some
_NAME_BYTES = 200
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)


def _folder_name(name: str) -> str:
    """A name also names the run's folder, so it can't lead anywhere else."""
    if not re.fullmatch(r"\w[\w .+-]{0,99}", name) or name[-1] in " .":
        raise ValueError("letters, digits, `_`, `-`, `.` and spaces, at most 100: it names the run's folder")
    if len(name.encode()) > _NAME_BYTES:
        raise ValueError(f"at most {_NAME_BYTES} bytes long in UTF-8: it names the run's folder")
    if _DEVICE.fullmatch(name):
        raise ValueError("a name that Windows does not keep for a device: it names the run's folder")
    return name


def _whole(version: object) -> object:
    if isinstance(version, bool | float):  # Python takes `true` and `1.0` for 1
        raise ValueError("1")
    return version


class Spec(Section):
    """One experiment. The network, the data and the recipe may be missing until something needs them.

    `specforge` is the version of the language. `name` names the spec and the folder of its runs. `description` is a
    sentence about it. `source` is where it is described. `assumed` are paths of values that the source does not state;
    each must exist. `accept` gives warnings, by code or name, the reason why they are right here. `model` is the
    network. `weights` are published weights for it. `data` are the images. `train` is the recipe. `search` is what a
    search varies; a training run takes no notice of it. `expect` is what must be true of the network. `reported` are
    results that the source claims.
    """

    specforge: Annotated[Literal[1], BeforeValidator(_whole)]
    name: Annotated[str, AfterValidator(_folder_name)]
    description: str | None = None
    source: Source | None = None
    assumed: tuple[str, ...] = ()
    accept: dict[str, str] = Field(default_factory=dict)
    model: Model | None = None
    weights: Weights | None = None
    data: Data | None = None
    train: Train | None = None
    search: Search | None = None
    expect: Expect | None = None
    reported: tuple[Reported, ...] = ()
