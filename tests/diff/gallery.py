"""examples/diffs and pairs of the zoo -> docs/diffs.md: what was edited, and what `specforge diff` says of it.

python -m tests.diff.gallery    # writes the page anew; a test compares it with what is written
"""

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specforge.analysis import analyse
from specforge.diff import diff, lines

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "diffs"
PAGE = ROOT / "docs" / "diffs.md"

# in the order of the page; the rest follows by name
FIRST = [
    "insert_a_layer", "insert_into_a_block", "insert_at_the_start", "delete_a_layer", "delete_with_consequences",
    "move_a_layer", "move_a_block", "rename_a_layer", "width_through_a_param", "width_of_a_stage",
    "kernel_size_in_a_block", "one_stage_more", "a_stage_in_front", "times_three_to_four", "swap_a_block",
    "wrap_in_a_sum", "another_kind_of_layer", "another_activation_everywhere",
]  # fmt: skip
KNOWN = {
    "ResNet-18 and ResNet-34": ("resnet18", "resnet34"),
    "ResNet-50 and ResNet-101": ("resnet50", "resnet101"),
    "ResNet-18 and ResNet-50": ("resnet18", "resnet50"),
    "VGG-16 without and with batch normalisation": ("vgg16", "vgg16_bn"),
    "Two experiments of a lab": ("specs/lab2.yaml", "specs/lab2_bn.yaml"),
    "A recipe with and without mixup": ("specs/augment_basic.yaml", "specs/augment_mixup.yaml"),
}
INTRODUCTION = """\
# Differences, one after another

What `specforge diff` says of small edits, then of known networks. The files are in [examples/diffs](../examples/diffs);
this page is made from them by `make docs`. How to read a line, and all formats: [diff.md](diff.md).
"""


def pages() -> list[str]:
    """The names of the examples, in their order."""
    found = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    return sorted(found, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def page() -> str:
    """The whole text."""
    with _inside(ROOT):
        return "\n".join([INTRODUCTION, *_examples(), *_networks()])


def said(before: str, after: str) -> str:
    """The lines of the terminal, without colour."""
    found = [f"{line.text}  {line.at}" if line.at else line.text for line in lines(diff(before, after))]
    return "\n".join([f"{before} (A) -> {after} (B)", *found])


def _examples() -> Iterator[str]:
    for name in pages():
        with _inside(EXAMPLES / name):
            spec = analyse("after.yaml").require()[0]
            yield f"## {name.replace('_', ' ').capitalize()}\n\n{spec.description.strip()}\n"
            yield f"```diff\n{_edit()}\n```\n\n```console\n{said('before.yaml', 'after.yaml')}\n```\n"


def _edit() -> str:
    texts = [Path(name).read_text(encoding="utf-8").splitlines() for name in ("before.yaml", "after.yaml")]
    return "\n".join(list(difflib.unified_diff(*texts, lineterm="", n=1))[2:])


def _networks() -> Iterator[str]:
    for title, (before, after) in KNOWN.items():
        yield f"## {title}\n\n```console\n{said(before, after)}\n```\n"


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
