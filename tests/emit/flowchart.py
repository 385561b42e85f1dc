"""Readers of the two languages of diagrams: strict about what is written, so that nothing else passes.

In: the text. Out: its boxes with their texts, its clusters, its arrows. Anything that the grammar does not have is an
AssertionError.
"""

import re
from dataclasses import dataclass, field


@dataclass
class Chart:
    title: str = ""
    boxes: dict[str, str] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)  # a box's or a cluster's own cluster
    arrows: list[tuple[str, str, str, bool]] = field(default_factory=list)


_KEY = r"[a-z][a-z0-9_]*"
_TEXT = r'"((?:[^"\\\n]|\\.)*)"'


def read_dot(text: str) -> Chart:
    chart, open_clusters = Chart(), []
    head, *lines, last = text.removesuffix("\n").split("\n")
    found = re.fullmatch(rf"digraph {_TEXT} \{{", head)
    assert found
    assert last == "}"
    chart.title = _plain(found[1])
    for line in (line.strip() for line in lines):
        if re.match(r"(graph|node|edge) \[", line):
            assert re.fullmatch(r'\w+ \[\w+=("[^"\\]*"|[\w.]+)(, \w+=("[^"\\]*"|[\w.]+))*\];', line), line
        elif found := re.fullmatch(rf"subgraph cluster_({_KEY}) \{{", line):
            _enter(chart, found[1], open_clusters)
            open_clusters.append(found[1])
        elif found := re.fullmatch(rf'label={_TEXT}; style=rounded; color="#\w+";', line):
            chart.clusters[open_clusters[-1]] = _plain(found[1])
        elif line == "}":
            open_clusters.pop()
        elif found := re.fullmatch(rf"({_KEY}) -> ({_KEY}) \[label={_TEXT}(, style=dashed)?\];", line):
            chart.arrows.append((found[1], found[2], _plain(found[3]), bool(found[4])))
        else:
            found = re.fullmatch(rf'({_KEY}) \[label={_TEXT}(, \w+=(\w+|[\d.]+|"#\w+"))*\];', line)
            assert found, line
            _enter(chart, found[1], open_clusters)
            chart.boxes[found[1]] = _plain(found[2])
    assert not open_clusters
    return _complete(chart)


def read_mermaid(text: str) -> Chart:
    chart, open_clusters = Chart(), []
    first, title, third, fourth, *lines = text.removesuffix("\n").split("\n")
    assert (first, third, fourth) == ("---", "---", "flowchart TB")
    found = re.fullmatch(rf"title: {_TEXT}", title)
    assert found
    chart.title = _plain(found[1])
    words = r'"([^"\n\\;&<>#]|#\d+;|<br/>)*"'  # nothing that Mermaid or HTML would read as more than text
    for line in (line.strip() for line in lines):
        if found := re.fullmatch(rf"subgraph ({_KEY})\[({words})\]", line):
            _enter(chart, found[1], open_clusters)
            open_clusters.append(found[1])
            chart.clusters[found[1]] = _text(found[2])
        elif line == "end":
            open_clusters.pop()
        elif found := re.fullmatch(rf"({_KEY}) (-->|-\.->)\|({words})\| ({_KEY})", line):
            chart.arrows.append((found[1], found[5], _text(found[3]), found[2] == "-.->"))
        else:
            found = re.fullmatch(rf"({_KEY})(\[|\(\(|\(\[)({words})(\]|\)\)|\]\))", line)
            assert found, line
            assert {"[": "]", "((": "))", "([": "])"}[found[2]] == found[5]
            _enter(chart, found[1], open_clusters)
            chart.boxes[found[1]] = _text(found[3])
    assert not open_clusters
    return _complete(chart)


def _enter(chart: Chart, key: str, clusters: list[str]) -> None:
    assert key not in chart.inside
    chart.inside[key] = clusters[-1] if clusters else ""


def _complete(chart: Chart) -> Chart:
    """Arrows lead from box to box, and every cluster has a title."""
    assert {end for arrow in chart.arrows for end in arrow[:2]} <= chart.boxes.keys()
    assert set(chart.inside) == chart.boxes.keys() | chart.clusters.keys()
    return chart


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def _text(quoted: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), quoted[1:-1].replace("<br/>", "\n"))
