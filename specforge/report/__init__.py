"""A finished or interrupted run directory -> `curves.png`, `lr_find.png` and `report.html`."""

from specforge.report.curves import write_curves
from specforge.report.lr_find import write_lr_find
from specforge.report.page import write_report
from specforge.report.run import RunError

__all__ = ["RunError", "write_curves", "write_lr_find", "write_report"]
