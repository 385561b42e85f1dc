"""Several run directories -> what differs between them: results, specs, curves.

    found = compare_runs([Path("runs/base"), Path("runs/deep")], epoch=15)
    print(to_markdown(found))

In: folders as training leaves them. Out: a `RunsComparison`, which is data (`to_dict`), tables for the terminal
(`build_tables`), Markdown or a page.
"""

from specforge.report.compare_runs.architecture import NetworkChange, network_changes
from specforge.report.compare_runs.compared import RunsComparison, compare_runs
from specforge.report.compare_runs.data import to_dict
from specforge.report.compare_runs.markdown import to_markdown
from specforge.report.compare_runs.page import to_html
from specforge.report.compare_runs.runs import ChoiceError, UnreadableRuns
from specforge.report.compare_runs.table import Cell, Column, Table, divided
from specforge.report.compare_runs.tables import build_tables

__all__ = [
    "Cell", "ChoiceError", "Column", "NetworkChange", "RunsComparison", "Table", "UnreadableRuns", "build_tables",
    "compare_runs", "divided", "network_changes", "to_dict", "to_html", "to_markdown",
]  # fmt: skip
