"""How the torch-free pipeline grows: with a network's layers, written out or expanded, and with the number of files.

Times in one process are the processor's, in milliseconds, of `specforge.analysis.analyse` on a file. They are set
beside what grows likewise: the same pipeline on a tenth of the layers, and a bare pass over the text's YAML events.
Child processes measure, since a process that has imported torch has more for Python's garbage collector to search.
"""

import gc
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from benchmarks.comparison import Comparison, interleave

ROOT = Path(__file__).resolve().parents[1]
SIZES = (1, 1_000, 10_000)
FILES = 200
MAX_GROWTH, MAX_OF_EVENTS, MAX_MEGABYTES, MAX_OF_ONE_FILE = 11.0, 8.0, 400.0, 8.0
MAIN = "from specforge.cli import main; main()"

# The three written forms in block and flow style, some with an `id`, as people mix them.
LAYERS = (
    "    - conv: {{out_channels: {width}, kernel_size: 3, padding: 1}}",
    "    - batch_norm",
    "    - relu",
    "    - dropout: 0.1",
    "    - id: stage_{n}\n      conv:\n        out_channels: {width}\n        kernel_size: 1\n        bias: false",
    "    - batch_norm: {{eps: 1e-3}}",
    "    - relu",
    "    - {{id: drop_{n}, dropout: 0.25}}",
    "    - conv:\n        out_channels: {width}\n        kernel_size: 3\n        padding: same",
    "    - batch_norm:\n        momentum: 0.01",
    "    - relu",
    "    - dropout:\n        p: 0.5",
)
HEAD = "specforge: 1\nname: {name}\nmodel:\n  input: [3, 32, 32]\n  layers:\n"
EXPANDED = """\
specforge: 1
name: expanded
params:
  width: 16
blocks:
  unit:
    params:
      channels: required
      kernel: 3
    layers:
      - conv:
          out_channels: $channels
          kernel_size: $kernel
          padding: same
      - batch_norm
      - relu
      - dropout: $(0.05 if kernel > 1 else 0.1)
  stage:
    params: {{channels: required}}
    layers:
      - repeat:
          for: {{kernel: [3, 1, 3, 1, 3]}}
          layers:
            - unit: {{channels: $channels, kernel: $kernel}}
model:
  input: [3, 32, 32]
  layers:
    - repeat: {{times: {times}, layers: [stage: $(width + index % 2)]}}
"""
LAYERS_OF_A_STAGE = 20


def flat(layers: int, name: str = "flat") -> str:
    """A spec of so many layers, each written out."""
    items = (LAYERS[n % len(LAYERS)].format(n=n, width=16 + n % 7) for n in range(layers))
    return HEAD.format(name=name) + "\n".join(items) + "\n"


def expanded(layers: int) -> str:
    """About 30 lines that expand to so many layers."""
    return EXPANDED.format(times=layers // LAYERS_OF_A_STAGE)


def compare(*, quick: bool = False) -> list[Comparison]:
    """Growth in layers, memory and files."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        rounds = 3 if quick else 9
        return [*_of_layers(folder, rounds), *_of_memory(folder, 2 if quick else 3), *_of_files(folder, rounds)]


def _of_layers(folder: Path, rounds: int) -> list[Comparison]:
    for size in SIZES:
        (folder / f"flat_{size}.yaml").write_text(flat(size), encoding="utf-8")
        (folder / f"expanded_{size}.yaml").write_text(expanded(size) if size > 1 else flat(1), encoding="utf-8")
    measured: dict[str, list[float]] = json.loads(_child("layers", str(folder), str(rounds)))
    for form in ("flat", "expanded"):
        times = [f"{median(measured[f'{form}_{size}']):.1f} ms for {size:,}" for size in SIZES]
        print(f"layers, {form}: {', '.join(times)}", file=sys.stderr)
    return [
        *(_growth(form, measured) for form in ("flat", "expanded")),
        Comparison(
            "10,000 layers against their events", measured["flat_10000"], measured["events"], "ms", MAX_OF_EVENTS
        ),
    ]


def _growth(form: str, measured: dict[str, list[float]]) -> Comparison:
    """From a tenth of the layers to all, what one layer costs taken off both."""
    one, some, many = (measured[f"{form}_{size}"] for size in SIZES)
    ours = [all_ - start for all_, start in zip(many, one, strict=True)]
    theirs = [tenth - start for tenth, start in zip(some, one, strict=True)]
    return Comparison(f"10,000 {form} layers against 1,000", ours, theirs, "ms", MAX_GROWTH)


def _of_memory(folder: Path, rounds: int) -> list[Comparison]:
    """The most that a process which validates ten thousand layers ever holds."""
    forms = ("flat", "expanded")
    measured = {
        form: [float(_child("memory", str(folder / f"{form}_10000.yaml"))) for _ in range(rounds)] for form in forms
    }
    limit = [MAX_MEGABYTES] * rounds
    return [Comparison(f"memory of 10,000 {form} layers", measured[form], limit, "MB", 1.0) for form in forms]


def _of_files(folder: Path, rounds: int) -> list[Comparison]:
    """Whole processes, from start to end."""
    files = folder / "files"
    files.mkdir()
    for number in range(FILES):
        (files / f"{number:03}.yaml").write_text(flat(20, name=f"file {number}"), encoding="utf-8")
    sides: dict[str, Callable[[], float]] = {
        "many": partial(seconds, ["validate", str(files)]),
        "one": partial(seconds, ["validate", str(files / "000.yaml")]),
    }
    measured = interleave(sides, rounds=rounds, warm_up=1)
    return [Comparison(f"{FILES} files against one, process", measured["many"], measured["one"], "ms", MAX_OF_ONE_FILE)]


def seconds(command: Sequence[str], differs: bool = False) -> float:
    """A whole process, in milliseconds; `differs` is for one that ends with 1."""
    began = perf_counter()
    done = subprocess.run([sys.executable, "-c", MAIN, *command], cwd=ROOT, env=_environment(), capture_output=True)
    assert done.returncode == differs, done.stderr.decode()
    return 1000 * (perf_counter() - began)


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.scale", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _measure_layers(folder: Path, rounds: int) -> dict[str, list[float]]:
    """In the child: every side once a round."""
    import yaml

    from specforge.analysis import analyse

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (folder / "flat_10000.yaml").read_text(encoding="utf-8")

    def validate(file: Path) -> None:
        found = analyse(file)
        assert found.graph is not None, [finding.message for finding in found.findings][:3]

    def read_events() -> None:
        for _ in yaml.parse(text, Loader=loader):
            pass

    sides: dict[str, Callable[[], object]] = {
        f"{form}_{size}": partial(validate, folder / f"{form}_{size}.yaml")
        for form in ("flat", "expanded")
        for size in SIZES
    }
    sides["events"] = read_events
    gc.collect()
    gc.freeze()  # as the command line does with what it has imported
    return interleave({name: partial(_milliseconds, side) for name, side in sides.items()}, rounds=rounds, warm_up=1)


def _milliseconds(side: Callable[[], object]) -> float:
    began = process_time()
    side()
    return 1000 * (process_time() - began)


def _megabytes(file: Path) -> float:
    """In the child: the most memory that it ever held."""
    from specforge.analysis import analyse

    assert analyse(file).graph is not None
    status = Path("/proc/self/status")
    if status.exists():  # `getrusage` counts what the parent held when it started this process
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    print(json.dumps(_measure_layers(Path(path), int(rest[0]))) if what == "layers" else _megabytes(Path(path)))
