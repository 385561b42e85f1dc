"""A foreign network -> the text of a spec that says the same, validated.

    spec_of(network).text    # write it where you like
    spec_of(network).names   # our names of its tensors -> theirs

In: what a reader gives. Out: the text, which `validate` finds nothing in, and where the weights of the original belong.
The counts and the output's shape are claimed in `expect`; a warning about what the original does is accepted, with that
as the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specforge.analysis import Analysis, analyse
from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.graph import Graph
from specforge.importing.folding import folded
from specforge.importing.network import ImportFailure, Network
from specforge.importing.simplifying import simplified
from specforge.importing.structuring import structured
from specforge.importing.tree import Nodes, everything
from specforge.importing.weight_order import weight_keys
from specforge.importing.writing import spec_text
from specforge.source import Overlaid
from specforge.spec import Spec

REASON = "so does the network that this is made from"


@dataclass(frozen=True, slots=True)
class Imported:
    """A spec's text, and for each of its tensors the foreign one."""

    text: str
    names: Mapping[str, str]


def spec_of(network: Network, *, comment: str) -> Imported:
    """The spec of a network; ImportFailure where it computes what no layer of the language does."""
    simple = simplified(network)
    tree = structured(simple)
    layers, blocks = folded(tree)
    keys: dict[str, Any] = {"name": network.name, **network.keys}

    def written() -> str:
        text = spec_text(keys, layers, blocks, network.input, comment)
        laid_out = format_text(text, network.name, Findings())
        return text if laid_out is None else laid_out

    analysis = _analysed(written(), network.name)
    _, graph = _required(analysis)
    theirs = _weights_in_order(simple, tree)
    names = dict(zip(graph.state(), theirs, strict=True))
    order = weight_keys(names, list(network.tensors)) if network.tensors else {}
    if order or "weights" in keys:
        keys["weights"] = {**keys.get("weights", {}), **order}
    warnings = {found.rule.name: REASON for found in analysis.findings if found.severity == "warning"}
    if warnings:
        keys["accept"] = warnings
    keys["expect"] = _claims(graph)
    text = written()
    _required(_analysed(text, network.name))
    return Imported(text, names)


def _claims(graph: Graph) -> dict[str, Any]:
    """What the spec says of its network."""
    counts = {
        "trainable_parameters": graph.trainable_parameters,
        "non_trainable_parameters": graph.non_trainable_parameters,
        "macs": graph.macs,
        "output": list(graph.output),
    }
    return {name: count for name, count in counts.items() if count}


def _analysed(text: str, name: str) -> Analysis:
    path = Path.cwd() / f"{name}.yaml"
    return analyse(path, files=Overlaid({path: text}))


def _required(analysis: Analysis) -> tuple[Spec, Graph]:
    """The spec and its graph. An error here is a layer that can't take what arrives, or a mistake of the import."""
    if analysis.findings.has_errors:
        found = next(found for found in analysis.findings if found.severity == "error")
        raise ImportFailure(f"the network can't be written as a spec: {found.message}", hint=found.hint)
    return analysis.require()


def _weights_in_order(network: Network, tree: Nodes) -> list[str]:
    """The foreign names of all tensors, in the order of our layers; shared ones where they come first."""
    numbers = [node.operation for node in everything(tree) if node.operation]
    names = [name for number in numbers for name in network.made_by(number).weights]
    return list(dict.fromkeys(names))
