"""What the layers of `merging.py` are tried with: word -> what may be written after it -> the inputs.

A merge that reads one value alone: what `from` joins is tested with the graph.
"""

from tests.catalog.layers.cases import ANY, Cases

CASES: Cases = {
    "concat": {"": ANY, "1": ANY, "-1": ANY},
    "add": {"": ANY},
    "multiply": {"": ANY},
    "matmul": {},
}
