"""The `search` section: what a search over a spec varies, and by what it compares its trials. Frozen, torch-free."""

from typing import Annotated, Literal

from pydantic import Field

from specforge.catalog.definition import Count, Section
from specforge.catalog.distributions.definition import Distribution

SearchMetric = Literal["validation_accuracy", "validation_loss", "train_accuracy", "train_loss"]
Direction = Literal["maximize", "minimize"]
MAX_SEED = 2**32 - 1


class Search(Section):
    """A search for better values: what is varied, how often, and what makes one trial better than another.

    `space` says which values are tried, by their paths in the spec. `metric` is what trials are compared by; never a
    result of the test set. `direction` says whether more of it is better; it follows from the metric. `objective` is
    which of a trial's epochs counts: the last, or the best. `trials` is how many values are tried. `sampler` is how
    they are chosen: near what was good so far (`tpe`), at random, or every combination in turn (`grid`). `seed` decides
    what is drawn. `pruning` ends trials early that are worse than others were after as many epochs: worse than the
    `median`, or not among the best quarter each time the epochs have quadrupled (`asha`). `prune_after` is how many
    epochs every trial is given. `keep` is how many of the best trials keep their weights.
    """

    space: dict[str, Distribution]
    metric: SearchMetric = "validation_accuracy"
    direction: Direction | None = None
    objective: Literal["last", "best"] = "last"
    trials: Count = 100
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    pruning: Literal["none", "median", "asha"] = "none"
    prune_after: Count = 1
    keep: Annotated[int, Field(ge=0)] = 1

    @property
    def best_direction(self) -> Direction:
        """The one in which the metric gets better."""
        return "minimize" if self.metric.endswith("loss") else "maximize"
