"""`python -m benchmarks [--quick]`: every comparison in one table. Always exits 0: a busy machine is no failure."""

import argparse
import platform
import sys

import torch

from benchmarks import scale, start_up, training_step
from benchmarks.comparison import Comparison, table
from specforge.training.device import choose_device, device_name

BENCHMARKS = {"start_up": start_up.compare, "scale": scale.compare, "training_step": training_step.compare}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="specforge against the plainest program.")
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"{' or '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: half a minute instead of one or two")
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - BENCHMARKS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    comparisons: list[Comparison] = []
    for name in arguments.only or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr)
        comparisons += BENCHMARKS[name](quick=arguments.quick)
    print(machine())
    print(table(comparisons))


def machine() -> str:
    """What the figures hold for."""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{versions}, {device_name(choose_device())}, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
