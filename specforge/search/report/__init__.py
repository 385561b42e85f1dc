"""A search's trials -> `report.html`, one page that needs nothing else and runs nothing."""

from specforge.search.report.page import write_report

__all__ = ["write_report"]
