"""`specforge diff` of large networks beside `specforge validate` of both, whole processes without torch."""

import random
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.comparison import Comparison, interleave
from benchmarks.scale import ROOT, flat, seconds

MAX_OF_KNOWN, MAX_OF_LARGE = 2.0, 3.0
LAYERS = 2_000
CHANGED = 100  # lines that are edited, left out or doubled


def compare(*, quick: bool = False) -> list[Comparison]:
    """Known networks, and long ones with one change, many, and hardly anything in common."""
    with TemporaryDirectory() as name:
        pairs = _pairs(Path(name))
        commands = {title: {"diff": ["diff", *pair], "validate": ["validate", *pair]} for title, pair in pairs.items()}
        found = []
        for title, sides in commands.items():
            # `diff` exits 1 for specs that differ
            timed = {side: partial(seconds, command, side == "diff") for side, command in sides.items()}
            measured = interleave(timed, rounds=3 if quick else 9, warm_up=1)
            target = MAX_OF_KNOWN if "ResNet" in title else MAX_OF_LARGE
            found.append(
                Comparison(
                    f"diff of {title} against validating both", measured["diff"], measured["validate"], "ms", target
                )
            )
        return found


def _pairs(folder: Path) -> dict[str, tuple[str, str]]:
    zoo = ROOT / "specs" / "zoo"
    text = flat(LAYERS)
    texts = {
        "one": text.replace("p: 0.5", "p: 0.4", 1),
        "many": _edited(text),
        "other": flat(LAYERS).replace("width", "w").replace("padding: 1", "padding: 2").replace("0.1", "0.2"),
    }
    (folder / "before.yaml").write_text(text, encoding="utf-8")
    for name, other in texts.items():
        (folder / f"{name}.yaml").write_text(other, encoding="utf-8")
    before = str(folder / "before.yaml")
    return {
        "ResNet-50 and ResNet-101": (str(zoo / "resnet50.yaml"), str(zoo / "resnet101.yaml")),
        f"{LAYERS:,} layers, one changed": (before, str(folder / "one.yaml")),
        f"{LAYERS:,} layers, {CHANGED} edits": (before, str(folder / "many.yaml")),
        f"{LAYERS:,} layers, most changed": (before, str(folder / "other.yaml")),
    }


def _edited(text: str) -> str:
    """With some activations left out or doubled, and dropouts changed."""
    chosen = random.Random(0)
    found = text.splitlines()
    places = [n for n, line in enumerate(found) if line in ("    - relu", "    - dropout: 0.1")]
    for place in chosen.sample(places, CHANGED):
        found[place] = chosen.choice(["    - gelu", "    - dropout: 0.2", "    - relu\n    - relu"])
    return "\n".join(found) + "\n"
