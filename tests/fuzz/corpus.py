"""What cases start from: every spec of the repository, the examples of the documents and those of the catalogue."""

import inspect
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from specforge.catalog.discovery import definition, index

ROOT = Path(__file__).resolve().parents[2]
MAX_TEXT = 20_000
MAX_VALUES = 3_000
_FENCE = re.compile(r"^```yaml(?: \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"(?:^ {4}.*\n|^\n(?= {4}))+", re.MULTILINE)

Tree = dict[Any, Any]


@cache
def texts() -> tuple[bytes, ...]:
    """Every text, in an order that is the same on every machine."""
    folders = (ROOT / "specs", ROOT / "tests" / "golden", ROOT / "examples")
    files = sorted(file for folder in folders for file in folder.rglob("*.yaml"))
    found = [file.read_bytes() for file in files]
    found += [whole(example).encode() for example in (*_from_documents(), *_from_the_catalogue())]
    return tuple(dict.fromkeys(text for text in found if len(text) <= MAX_TEXT))


def whole(text: str) -> str:
    """A piece of a spec made a spec: a list of layers gets a model, a spec its version and name."""
    if text.startswith("- "):
        text = "model:\n  input: [3, 32, 32]\n  layers:\n" + textwrap.indent(text, "    ")
    missing = {"specforge": "specforge: 1\n", "name": "name: example\n"}
    return "".join(line for key, line in missing.items() if not re.search(rf"^{key}:", text, re.MULTILINE)) + text


def _from_documents() -> list[str]:
    documents = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    return [example for file in documents for example in _FENCE.findall(file.read_text(encoding="utf-8"))]


def _from_the_catalogue() -> list[str]:
    """The examples of layers, each as a network of its own; some do not fit the image, which is as good."""
    found = []
    for word in index("layers"):
        described = definition("layers", word)
        example = _EXAMPLE.search(inspect.cleandoc(described.__doc__ or "")) if described else None
        if example:
            text = textwrap.dedent(example.group()).strip("\n") + "\n"
            found.append(text if text.startswith("- ") else f"- {text.replace(chr(10), chr(10) + '  ').rstrip()}\n")
    return found


@cache
def trees() -> tuple[Tree, ...]:
    """The texts that a plain YAML reader takes, as nested lists and mappings of moderate size."""
    found = []
    for text in texts():
        try:
            tree = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if text.count(b"[") < 200 else None
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        if isinstance(tree, dict) and _is_moderate(tree):
            found.append(tree)
    return tuple(found)


def _is_moderate(tree: Any) -> bool:
    """Counts no further than the limit, so that a text whose aliases multiply, or lead in a circle, ends."""
    pending, count = [tree], 0
    while pending:
        node = pending.pop()
        count += 1
        if count > MAX_VALUES:
            return False
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return True
