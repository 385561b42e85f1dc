"""Small searches for the tests of this room: a network of a few hundred weights on the embedded digits."""

from pathlib import Path

from specforge.search.run import Finished, Request, search

SPEC = """\
specforge: 1
name: tiny
params: {width: 8}
model: {input: [1, 8, 8], layers: [{max_pool: 2}, flatten, linear: $width, relu, linear: 10]}
data: {dataset: digits, split: {train: 0.2, validation: 0.1}}
accept: {images-left-out: "tests are quick"}
train: {epochs: 2, batch_size: 64, optimizer: adam, loss: cross_entropy}
"""
SPACE = """\
  params.width: {integers: {bounds: [4, 32], step: 4}}
  train.optimizer: {choice: [adam, {sgd: {nesterov: true, momentum: 0.9}}]}
  train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}
  train.optimizer.sgd.momentum: {uniform: [0.5, 0.99]}
"""


def written(folder: Path, *, space: str = SPACE, spec: str = SPEC, **options: object) -> Path:
    """A spec with these lines of `search.space`, and other keys of `search`."""
    lines = "".join(f"    {line.strip()}\n" for line in space.splitlines())
    keys = "".join(f"  {key}: {value}\n" for key, value in options.items())
    file = folder / "tiny.yaml"
    file.write_text(f"{spec}search:\n{keys}  space:\n{lines}", encoding="utf-8")
    return file


def searched(file: Path, out: Path, **options: object) -> Finished:
    """Run it in this process, silently."""
    return search(Request(str(file), out=out, **options), tell=lambda _: None)  # type: ignore[arg-type]


def drawn(finished: Finished) -> list[dict[str, str]]:
    return [trial.values for trial in finished.found.trials]


def reached(finished: Finished) -> list[tuple[str, float | None]]:
    return [(trial.state, trial.value) for trial in finished.found.trials]
