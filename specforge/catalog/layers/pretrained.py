"""Networks that come with published weights."""

from typing import ClassVar

from specforge.catalog.definition import Composite, Items, LowerRegion, Value, Weights


class Pretrained(Composite):
    """A network of the zoo with its published weights, up to its classifier.

        pretrained: {model: vit_b_16, weights: none}

    `model` is the name of a zoo spec; its layers stand below this one, with the paths that they have there, so that
    each can be addressed. `top: true` keeps its `classifier` and what follows. `weights` is `published` (the file that
    the zoo spec names, whose checksum is verified), `none` (fresh weights), or the path of a file with the network's
    state. The spec's `model.defaults` are not for its layers. `layers` and `published` are filled in from the zoo, as
    `specforge config` shows.

    Shapes: (N, 3, H, W) -> what the network gives before its classifier, such as (N, 768).

    Errors: a name that the zoo does not have; an image that is too small for the network.

    Source: https://docs.pytorch.org/vision/stable/models.html
    """

    main: ClassVar[str | None] = "model"
    has_own_defaults: ClassVar[bool] = True
    model: str
    top: bool = False
    weights: str = "published"
    published: Weights | None = None
    layers: Items

    def lower_regions(self, input: Value, lower: LowerRegion) -> Value | None:
        return lower("", self.layers, input)
