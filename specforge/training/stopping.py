"""Whether training has stopped to help: the lines of a stage's metrics -> is its early stopping due?"""

from collections.abc import Sequence

from specforge.recipe import EarlyStopping
from specforge.training.progress import Line


def is_due(stopping: EarlyStopping, lines: Sequence[Line]) -> bool:
    """Whether the last `patience` epochs brought nothing better than the best before them, by `min_delta`."""
    sign = 1 if stopping.metric.endswith("loss") else -1
    best, since = float("inf"), 0
    for line in lines:
        value = sign * line[stopping.metric]
        if value < best - stopping.min_delta:
            best, since = value, 0
        else:
            since += 1
    return since >= stopping.patience
