"""`python -m benchmarks [--quick]`: every comparison. Exits 0 whatever the figures are: a busy machine is no failure.

python -m benchmarks throughput --spec lab2_bn --batch 128 --ways specforge,bare --seconds 60     # one case alone
"""

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from benchmarks import building, differences, scale, start_up, throughput
from benchmarks.cases import AUGMENTATIONS, Case
from benchmarks.comparison import Comparison, table
from benchmarks.ways import COMPARED, WAYS
from specforge.training.device import choose_device, device_name

BENCHMARKS = {
    "start_up": start_up.compare,
    "scale": scale.compare,
    "differences": differences.compare,
    "building": building.compare,
    "throughput": throughput.compare,
}
NAMED = ("torch", "torchvision", "lightning", "keras", "tensorflow", "tensorflow-cpu")


def main() -> None:
    arguments = _arguments()
    print(machine(), flush=True)
    if arguments.spec:
        print(table(_one_case(arguments)))
        return
    comparisons: list[Comparison] = []
    for name in arguments.only or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr)
        comparisons += BENCHMARKS[name](quick=arguments.quick)
    print(table(comparisons))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="specforge, side by side with others.")
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and cases: five minutes instead of thirty")
    one = parser.add_argument_group("one case of training alone")
    one.add_argument("--spec", help="lab2_bn, six_conv or phase3_resnet18")
    one.add_argument("--batch", type=int, default=128)
    one.add_argument("--augmentation", choices=AUGMENTATIONS, default="flip_crop")
    one.add_argument("--ways", default=",".join(COMPARED), help="comma-separated; %(default)s")
    one.add_argument(
        "--seconds", type=float, default=throughput.QUICK_SECONDS, help="with the start of all processes; %(default)s"
    )
    one.add_argument("--no-data-path", action="store_true", help="without specforge's own share of augmentation")
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - BENCHMARKS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if unknown := set(arguments.ways.split(",")) - WAYS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(WAYS)}")
    return arguments


def _one_case(arguments: argparse.Namespace) -> list[Comparison]:
    case = Case(arguments.spec, arguments.batch, arguments.augmentation)
    ways = arguments.ways.split(",")
    measured = throughput.measure(case, ways, seconds=arguments.seconds, data_path=not arguments.no_data_path)
    print(throughput.report(measured), end="\n\n")
    return throughput.comparisons(measured)


def machine() -> str:
    """What the figures hold for."""
    versions = [f"Python {platform.python_version()}"]
    for package in NAMED:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{', '.join(versions)}; {device_name(choose_device())}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
