"""The `search` section: what a search over a spec varies, and by what it compares its trials. Frozen, torch-free."""

from typing import Literal

from specforge.catalog.definition import Count, Section
from specforge.catalog.distributions.definition import Distribution

SearchMetric = Literal["validation_accuracy", "validation_loss", "train_accuracy", "train_loss"]
Direction = Literal["maximize", "minimize"]


class Search(Section):
    """A search for better values: what is varied, how often, and what makes one trial better than another.

    `space` says which values are tried, by their paths in the spec. `metric` is what trials are compared by; never a
    result of the test set. `direction` says whether more of it is better; it follows from the metric. `objective` is
    which of a trial's epochs counts: the last, or the best. `trials` is how many values are tried.
    """

    space: dict[str, Distribution]
    metric: SearchMetric = "validation_accuracy"
    direction: Direction | None = None
    objective: Literal["last", "best"] = "last"
    trials: Count = 100

    @property
    def best_direction(self) -> Direction:
        """The one in which the metric gets better."""
        return "minimize" if self.metric.endswith("loss") else "maximize"
