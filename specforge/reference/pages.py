"""Topics -> the pages of `docs/reference`, in Markdown.

python -m specforge.reference docs/reference      writes them, as `make docs` does
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import groupby

from specforge.reference.topics import GROUPS, Argument, Topic, topics

_TITLES = {
    "datasets": "Data sets",
    "items": "Keys of an item",
    "keys": "Keys of a spec",
    "diagnostics": "Diagnostics",
}
_ABOUT = {
    "layers": "What stands in `layers:`, one heading for each family.",
    "optimizers": "What stands behind `train.optimizer`.",
    "schedules": "What stands behind `train.schedule`. Durations are in epochs.",
    "losses": "What stands behind `train.loss`.",
    "initializers": "What stands behind an item's `init` and in the rules of `model.init`.",
    "augmentations": "What stands in `data.augment`. Training images only.",
    "mixes": "What stands behind `data.mix`, one word or a list of them. Training images only.",
    "datasets": "What stands behind `data.dataset`.",
    "distributions": "What stands behind a path in `search.space`.",
    "items": "What may stand beside the layer of an item.",
    "keys": "Every key of a spec, by its path. Those of lists are the keys of each entry.",
    "diagnostics": "Every finding, by its code. `accept` takes the code or the name of a warning.",
}
_NOTICE = "<!-- Made by `make docs` from the catalogue: change the docstrings there. -->"
_EXAMPLE = re.compile(r"(?:^ {4}.*\n?|^\n(?= {4}))+", re.MULTILINE)


def pages() -> dict[str, str]:
    """The text of every page, by its file name."""
    found = {f"{group}.md": _page(group) for group in GROUPS}
    return {"README.md": _index(), **found}


def title(group: str) -> str:
    return _TITLES.get(group, group.capitalize())


def _of(group: str) -> list[Topic]:
    return [topic for topic in topics() if topic.group == group]


def _index() -> str:
    rows = [(f"[{title(group)}]({group}.md)", str(len(_of(group))), _ABOUT[group]) for group in GROUPS]
    text = "All names of the language. `specforge explain NAME` shows any of them, `specforge list` lists them."
    return "\n\n".join(["# Reference", _NOTICE, text, table(("page", "names", "what it holds"), rows)]) + "\n"


def _page(group: str) -> str:
    parts = [f"# {title(group)}", _NOTICE, _ABOUT[group]]
    rows = [(f"[`{topic.name}`](#{anchor(_heading(topic))})", topic.summary) for topic in _of(group)]
    if group != "layers":
        parts.append(table(("name", "what it is"), rows))
        parts += [section(topic, "##") for topic in _of(group)]
    else:
        parts += _families()
    return "\n\n".join(parts) + "\n"


def _families() -> Iterator[str]:
    """Layers by the file that they are in, with what the file says of itself."""
    found = sorted(_of("layers"), key=lambda topic: (topic.place, topic.name))
    for place, members in groupby(found, key=lambda topic: topic.place):
        family = list(members)
        said = (import_module(f"specforge.catalog.layers.{place}").__doc__ or "").strip().partition("\n\n")[0]
        rows = [(f"[`{topic.name}`](#{anchor(topic.name)})", topic.summary) for topic in family]
        yield f"## {place.replace('_', ' ').capitalize()} layers"  # no layer has the same address
        yield " ".join(said.split())
        yield table(("layer", "what it does"), rows)
        yield from (section(topic, "###") for topic in family)


def _heading(topic: Topic) -> str:
    return f"{topic.name} {topic.place}" if topic.group == "diagnostics" else topic.name


def section(topic: Topic, level: str) -> str:
    """One topic under a heading of its own."""
    parts = [f"{level} {_heading(topic)}"]
    if topic.group == "diagnostics":
        parts.append(f"*{topic.label.rpartition('(')[2].rstrip(')').capitalize()}.*")
    parts.append(fenced(topic.text))
    if topic.type:
        parts.append(f"*{topic.type[0].upper()}{topic.type[1:]}; {presence(topic.default)}.*")
    if topic.arguments:
        what = "key" if topic.group == "keys" else "argument"
        parts.append(table((what, "type", "default", "meaning"), map(_row, topic.arguments)))
    return "\n\n".join(parts)


def _row(known: Argument) -> tuple[str, ...]:
    name = f"**`{known.name}`** (main)" if known.main else f"`{known.name}`"
    return name, known.type, _default(known.default), known.text or ""


def presence(default: str | None) -> str:
    """Whether a key must be there, and what it is when it is not."""
    if default is None:
        return "required"
    return "optional" if default == "none" else f"default {default}"


def _default(default: str | None) -> str:
    return f"`{default}`" if default not in (None, "none") else presence(default)


def fenced(text: str) -> str:
    """Documentation with its indented example as a YAML block."""

    def block(match: re.Match[str]) -> str:
        lines = [line.removeprefix("    ") for line in match.group().strip("\n").split("\n")]
        return "\n".join(["", "```yaml", *lines, "```", ""])

    return _EXAMPLE.sub(block, text).strip()


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; `|` inside a cell is escaped."""
    lines = [headers, ["---"] * len(headers), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def anchor(heading: str) -> str:
    """The address of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
