"""The checks of a bound spec and its graph: each file is one concern, each function reports and changes nothing.

A new check is one file with its rule, its function and an entry in `CHECKS`.
"""

from collections.abc import Callable

from specforge.checks.acceptance import check_accept
from specforge.checks.augmentations import check_augmentations, check_channels
from specforge.checks.batches import check_batches
from specforge.checks.biases import check_lost_biases
from specforge.checks.claims import check_assumed, check_expect
from specforge.checks.class_weights import check_class_weights
from specforge.checks.dataset_fit import check_dataset_fit, check_normalization
from specforge.checks.idle_layers import check_idle_layers, check_unread_values
from specforge.checks.idle_settings import check_idle_settings
from specforge.checks.mixing import check_mixing
from specforge.checks.rates import check_rates
from specforge.checks.recipe import check_checkpoint, check_recipe
from specforge.checks.search import check_search
from specforge.checks.softmax import check_softmax_before_loss
from specforge.checks.splits import check_splits
from specforge.checks.stages import check_stages
from specforge.checks.subject import Subject
from specforge.checks.windows import check_windows

CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_expect,
    check_assumed,
    check_splits,
    check_dataset_fit,
    check_normalization,
    check_class_weights,
    check_augmentations,
    check_channels,
    check_mixing,
    check_batches,
    check_checkpoint,
    check_recipe,
    check_stages,
    check_idle_settings,
    check_rates,
    check_softmax_before_loss,
    check_lost_biases,
    check_idle_layers,
    check_unread_values,
    check_windows,
    check_search,
    check_accept,
)

__all__ = ["CHECKS", "Subject"]
