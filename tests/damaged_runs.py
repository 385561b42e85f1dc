"""Runs to be damaged: a small finished one with all files that a run can have, and ways to damage them."""

from collections.abc import Callable
from pathlib import Path

from specforge import experiment

SPEC = """\
specforge: 1
name: tiny
model: {input: [3, 4, 4], layers: [flatten, {linear: {out_features: 8}}, batch_norm, relu, {linear: 3}]}
data:
  dataset: {synthetic: {image: [3, 4, 4], classes: 3, train: 32, test: 12}}
  split: {train: 0.75, validation: 0.25}
  normalize: none
train: {epochs: 3, batch_size: 8, optimizer: {sgd: {lr: find, momentum: 0.9}}, loss: cross_entropy, keep_every: 1}
"""
OWN = (
    "spec.yaml", "environment.json", "metrics.jsonl", "lr_find.json", "confusion.json", "mistakes.json", "result.json",
    "checksums.json",
)  # fmt: skip
CHECKPOINT = tuple(
    f"checkpoints/epoch-0003/{name}"
    for name in ("weights.safetensors", "optimizer.safetensors", "progress.json", "manifest.json")
)
Damage = Callable[[bytes], bytes]


def finished(folder: Path) -> Path:
    """A run of the spec in the folder."""
    (folder / "tiny.yaml").write_text(SPEC)
    return experiment.train(folder / "tiny.yaml", out=folder / "run").path


def flip(content: bytes) -> bytes:
    """One bit in the middle."""
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    return bytes(changed)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(_: bytes) -> bytes:
    return b""


def nest(_: bytes) -> bytes:
    return b"[" * 100_000


DAMAGES: dict[str, Damage] = {"flip": flip, "cut": cut, "empty": empty, "nest": nest}


def harm(run: Path, file: str, damage: str) -> Path:
    """Damage a file of a run, or remove it."""
    path = run / file
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    return path
