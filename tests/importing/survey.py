"""All classification networks of torchvision, imported and compared: `python -m tests.importing.survey [NAME…]`.

Prints one line for each network as it is done, then how many agree. Takes about ten minutes on two cores.
"""

import sys
import time

from specforge.importing.network import ImportFailure
from specforge.importing.torch_networks.torchvision_models import names
from tests.importing.torchvision_oracle import MOST_PARAMETERS, TOLERANCE, compared

HEAD = ("network", "parameters", "MACs", "output", "weights", "lines", "seconds")


def main() -> None:
    wanted = sys.argv[1:] or names()
    print(_row(*HEAD), flush=True)
    right = sum(_survey(name) for name in wanted)
    print(f"{right} of {len(wanted)} agree")


def _survey(name: str) -> bool:
    started = time.monotonic()
    try:
        pair = compared(name)
    except ImportFailure as failure:
        print(f"{name:20} not importable: {failure.message}", flush=True)
        return False
    agree = {}
    for what, (ours, theirs) in (("parameters", pair.parameters()), ("MACs", pair.macs())):
        agree[what] = f"{ours:,}" if ours == theirs else f"{ours:,} not {theirs:,}"
    if pair.parameters()[0] > MOST_PARAMETERS:
        output = "not run"
    else:
        difference = pair.difference()
        output = f"{difference:.0e}" if difference <= TOLERANCE else f"{difference:.0e} NOT"
    weights = "agree" if pair.keys_agree() else "DIFFER"
    seconds = f"{time.monotonic() - started:.0f}"
    print(_row(name, agree["parameters"], agree["MACs"], output, weights, str(pair.lines), seconds), flush=True)
    for finding in pair.unexplained():
        print(f"    {finding}", flush=True)
    return not any("not" in each for each in agree.values()) and "NOT" not in output and weights == "agree"


def _row(*cells: str) -> str:
    widths = (20, 12, 15, 8, 8, 6, 8)
    return " ".join(cell.ljust(width) if not number else cell.rjust(width) for number, (cell, width) in
                    enumerate(zip(cells, widths, strict=True)))  # fmt: skip


if __name__ == "__main__":
    main()
