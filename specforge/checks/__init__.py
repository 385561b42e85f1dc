"""The checks of a bound spec and its graph: each file is one concern, each function reports and changes nothing.

A new check is one file with its rule, its function and an entry in `CHECKS`.
"""

from collections.abc import Callable

from specforge.checks.acceptance import check_accept
from specforge.checks.claims import check_assumed, check_expect
from specforge.checks.dataset_fit import check_dataset_fit
from specforge.checks.recipe import check_checkpoint, check_softmax_before_loss
from specforge.checks.splits import check_splits
from specforge.checks.subject import Subject

CHECKS: tuple[Callable[[Subject], None], ...] = (
    check_expect,
    check_assumed,
    check_splits,
    check_dataset_fit,
    check_checkpoint,
    check_softmax_before_loss,
    check_accept,
)

__all__ = ["CHECKS", "Subject"]
