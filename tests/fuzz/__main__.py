"""`python -m tests.fuzz --cases 100000 --seed 0`: fuzz, print what failed, exit 1 if anything did.

Progress goes to stderr. Every failure is told once for each place that it comes from, with its seed and number, made
small, saved below `--save`, and proposed as a case for `tests/test_robustness.py`. `--only NUMBER` runs one case again.
"""

import argparse
import os
import sys
from pathlib import Path

from tests.fuzz.cases import make_case
from tests.fuzz.session import Session


def main() -> int:
    arguments = _arguments()
    numbers = range(arguments.first, arguments.first + arguments.cases) if arguments.only is None else [arguments.only]
    if arguments.show:
        for number in numbers:
            sys.stdout.buffer.write(make_case(arguments.seed, number).spec + b"\n")
        return 0
    session = Session(arguments.seed, arguments.save, samples=not arguments.no_samples)
    session.run(numbers, workers=arguments.workers)
    session.report()
    return 1 if session.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the torch-free pipeline.")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--only", type=int, help="run the case of this number alone")
    parser.add_argument("--show", action="store_true", help="print the specs instead of analysing them")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--save", type=Path, default=Path("build/fuzz"), help="folder for inputs that fail")
    parser.add_argument("--no-samples", action="store_true", help="leave the command line and compiling out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
