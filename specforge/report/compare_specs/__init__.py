"""Two specs and their difference -> one page with both networks next to each other.

before, after = read_sides("lab2.yaml", "lab2_bn.yaml")
Path("diff.html").write_text(to_html(before, after, diff(before, after)))

Needs no torch; the page needs nothing else and runs nothing.
"""

from specforge.report.compare_specs.page import to_html

__all__ = ["to_html"]
