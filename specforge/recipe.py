"""The `train` section: how a network learns, in one stage or several. Frozen, and checked before torch is imported."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, create_model, model_validator

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.definition import Count, Epochs, Loss, Optimizer, Schedule, Section, Unit


class Selector(Section):
    """Which parameters a rule is about; every given key must match.

    `path` is a layer's path or that of what it lies in; without the numbers of iterations it means all of them.
    `kind` is a layer's word, or a list of them. `parameter` is a parameter's name, such as `weight`, or a list of them.
    """

    path: str | tuple[str, ...] | None = None
    kind: str | tuple[str, ...] | None = None
    parameter: str | tuple[str, ...] | None = None


def _paths_or_selector(value: object) -> object:
    paths = value if isinstance(value, tuple) else (value,)
    if value is None or isinstance(value, Selector) or (paths and all(isinstance(path, str) for path in paths)):
        return value
    raise ValueError("a layer's path or several, a selector or `all`; write `all`, or a path as in `[stem, head]`")


# What `freeze` and `unfreeze` are about.
Chosen = Annotated[Selector | str | tuple[str, ...] | None, BeforeValidator(_paths_or_selector)]


class Group(Section):
    """Other settings for some of the parameters; a parameter belongs to the first group that selects it.

        train:
          optimizer: {sgd: {lr: 0.1, momentum: 0.9, weight_decay: 5e-4}}
          groups: [{select: {parameter: bias}, optimizer: {sgd: {weight_decay: 0}}}]

    `select` says which parameters. `optimizer` is laid over the recipe's: what it says of the same word is changed,
    another word replaces it. `schedule` moves this group's rate instead of the recipe's. `l2` replaces the recipe's.
    """

    select: Selector
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    l2: Annotated[float, Field(ge=0)] | None = None


class GradientClipping(Section):
    """Bounds the gradients of all parameters before each step; exactly one of the two.

    `norm` is the largest length of all gradients together: longer ones are scaled down to it. `value` is the largest
    size of each single number.
    """

    norm: Annotated[float, Field(gt=0)] | None = None
    value: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "GradientClipping":
        if self.norm is None and self.value is None:
            raise ValueError("needs `norm` or `value`; write `gradient_clipping: {norm: 1.0}`")
        if self.norm is not None and self.value is not None:
            raise ValueError(
                "`norm` and `value` exclude each other; keep one of them: `null` removes one that is inherited"
            )
        return self


class EarlyStopping(Section):
    """Ends the training, or the stage, when a metric no longer improves.

    `metric` is what must improve. `patience` is how many epochs in a row may pass without. `min_delta` is by how much
    it must be better than the best so far to count.
    """

    advice: ClassVar[Mapping[str, str]] = {
        "mode": "it follows from the metric: remove it",
        "restore_best_weights": "write `checkpoint: best_validation_loss` in `train`",
    }
    metric: Literal["validation_loss", "validation_accuracy", "train_loss"] = "validation_loss"
    patience: Epochs = 10
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class Recipe(Section):
    """What a stage may change: how the network learns."""

    epochs: Epochs | None = None
    batch_size: Annotated[Count, Unit("images")]
    optimizer: Optimizer
    schedule: Schedule | None = None
    groups: tuple[Group, ...] = ()
    loss: Loss
    l2: Annotated[float, Field(ge=0)] = 0.0
    gradient_clipping: GradientClipping | None = None
    early_stopping: EarlyStopping | None = None


if TYPE_CHECKING:
    _Continue = Recipe
else:
    _Continue = create_model("_Continue", __base__=Recipe, **{"continue": (bool, False)})  # a keyword of Python's


_OF_THE_RUN = (
    "checkpoint", "compile", "deterministic", "ema", "evaluate", "keep_every", "on_nan", "precision", "seed",
    "sync_batch_norm",
)  # fmt: skip


class Stage(_Continue):
    """A part of the training with its own recipe: what it says is laid over `train`, never over the stage before.

        train:
          batch_size: 64
          optimizer: {adam: {lr: 1e-3}}
          loss: cross_entropy
          stages:
            - {epochs: 5, freeze: backbone}
            - {epochs: 20, unfreeze: all, optimizer: {adam: {lr: 1e-5}}}

    Weights and what is frozen carry over; optimizer and schedule start anew. `epochs` is the number of passes over the
    training images. `name` names it in the curves. `freeze` is what is no longer trained: a layer's path, a list of
    them, a selector, or `all`. `unfreeze` is what is trained again. `frozen_statistics` says whether frozen batch norms
    `keep` their running means and variances or `update` them. `continue` lets optimizer and schedule go on from the
    stage before: their clock then spans both. `batch_size`, `optimizer`, `schedule`, `groups`, `loss`, `l2`,
    `gradient_clipping` and `early_stopping` are those of `train`.
    """

    advice: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(_OF_THE_RUN, "all stages share it: write it in `train`"),
        "snapshots": "a snapshot ensemble has no stages: write `snapshots` and `epochs` in `train`",
    }
    epochs: Epochs
    name: str | None = None
    freeze: Chosen = None
    unfreeze: Chosen = None
    frozen_statistics: Literal["keep", "update"] = "keep"

    @property
    def continues(self) -> bool:
        """Whether optimizer and schedule go on from the stage before."""
        return bool(getattr(self, "continue"))


class Ema(Section):
    """An exponential moving average of weights and running statistics, which is what is validated and tested.

    `decay` is the share of the average that is kept at a step. With `warmup`, the first steps keep less:
    (1 + step) / (10 + step), up to `decay`.
    """

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    warmup: bool = True


class Snapshots(Section):
    """A snapshot ensemble: cycles of a cosine that restarts, the weights at the end of each kept as a member.

    The rate falls from the optimizer's to 0 in every cycle and moves after every step, so there is no `schedule`. What
    is tested is the ensemble: the mean of the members' probabilities. `cycles` is the number of members; `epochs` must
    divide by it.

    Source: https://arxiv.org/abs/1704.00109
    """

    cycles: Annotated[int, Field(ge=2)]


class TestView(Section):
    """One of the ways to look at an image in the final test.

    `augment` are the augmentations, as in `data.augment`; without any it is the image as it is. `weight` is how much
    the view counts: only ratios matter.
    """

    __test__ = False  # pytest takes the name for a test

    augment: tuple[Augmentation, ...] = ()
    weight: Annotated[float, Field(gt=0)] = 1.0


class TestTimeAugmentation(Section):
    """Tests the mean of what the network says of several views of an image.

        train:
          evaluate:
            test_time_augmentation:
              average: logits
              views: [{weight: 2}, {augment: [{horizontal_flip: 1}]}]

    `augment` are augmentations as in `data.augment`, drawn anew for every view. `views` is how many augmented views
    stand beside the image as it is; or a list of all views, each with its own `augment` and `weight`. `average` is what
    the mean is of: the network's outputs as they are, or `probabilities`.
    """

    __test__ = False

    augment: tuple[Augmentation, ...] = ()
    views: Count | Annotated[tuple[TestView, ...], Field(min_length=1)] = 1
    average: Literal["probabilities", "logits"] = "probabilities"

    @model_validator(mode="after")
    def _says_once_what_is_seen(self) -> "TestTimeAugmentation":
        if isinstance(self.views, tuple) and self.augment:
            raise ValueError("`augment` stands in each of the listed `views`; remove it here")
        if not isinstance(self.views, tuple) and not self.augment:
            raise ValueError("needs `augment`, or a list of `views`; write `augment: [horizontal_flip]`")
        return self


class Evaluate(Section):
    """What is measured beside the validation part after every epoch, and how the final test is done.

    `every_epoch: test` records the test curve too; nothing is chosen by it. `test_time_augmentation` averages
    augmented views in the final test.
    """

    every_epoch: Literal["validation", "test"] = "validation"
    test_time_augmentation: TestTimeAugmentation | None = None


class Train(Recipe):
    """The recipe.

    `epochs` is the number of passes over the training images. `batch_size` is the number of images in one step.
    `optimizer` is how gradients change the weights; with `lr: find` the learning-rate finder chooses its rate.
    `schedule` is how the learning rate moves; without one, it stays. `groups` are other settings for some parameters.
    `loss` is what is minimised. `l2` times the sum of squared weights is added to it, as by Keras's regularizers.
    `gradient_clipping` bounds the gradients. `early_stopping` ends the training when it no longer helps. `ema` averages
    the weights. `precision` is that of the arithmetic: `auto` is bfloat16 on GPUs that have it, else float32.
    `compile` says whether the network is compiled by torch: `auto` does it on GPUs for runs of 5,000 steps and more.
    `checkpoint` says which weights are tested: the last, or those that were best on the validation part. `keep_every`
    is after how many epochs a checkpoint is kept for good. `on_nan` is what happens when a loss or gradients are not
    finite, after which no weight is changed: the run stops, the step is skipped, or the run rolls back to its last
    checkpoint and leaves the batch out, three times at most. `evaluate` says what else is measured. `snapshots` makes a
    snapshot ensemble. `stages` are parts with their own recipe, in place of `epochs`. `seed` decides initial weights,
    order, augmentation and dropout: on a CPU with as many threads, the same seed gives the same bits. `deterministic`
    asks that of a GPU too: slower operations there, and an error for one that has no such form. `sync_batch_norm` has
    batch norms of several processes go by the images of all of them, instead of each by its own.
    """

    advice: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("terminate_on_nan", "detect_anomaly"), "write `on_nan: stop`, which is the default"),
        **dict.fromkeys(
            ("accumulate_grad_batches", "gradient_accumulation_steps"),
            "write the whole step's images as `batch_size`: what does not fit the memory is computed in parts",
        ),
    }
    stages: tuple[Stage, ...] = ()
    snapshots: Snapshots | None = None
    ema: Ema | None = None
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    compile: Literal["auto", "always", "never"] = "auto"
    deterministic: bool = False
    sync_batch_norm: bool = False
    checkpoint: Literal["last", "best_validation_loss", "best_validation_accuracy"] = "last"
    keep_every: Epochs | None = None
    on_nan: Literal["stop", "skip", "rollback"] = "stop"
    evaluate: Evaluate = Evaluate()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _epochs_or_stages(self) -> "Train":
        if self.epochs is None and not self.stages:
            raise ValueError("needs `epochs`, or `stages` with theirs; write `epochs: 10`")
        if self.epochs is not None and self.stages:
            raise ValueError("`epochs` has no place beside `stages`, each of which has its own; remove `epochs`")
        return self

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        """The stages; a recipe without any is one."""
        if self.stages:
            return self.stages
        assert self.epochs is not None, "checked before"
        return (Stage(**{name: getattr(self, name) for name in Recipe.model_fields}),)

    @property
    def total_epochs(self) -> int:
        return sum(stage.epochs for stage in self.all_stages)
