"""The spec's initial weights -> a function `initialize` that fills a network with them.

In: the graph's layers with their initialisers. Out: lines; nothing for a spec that leaves all to torch. Rules are said
by the type of layer where that is right for every layer of it, else by the names of parameters.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from specforge.catalog.definition import Call, Initializer
from specforge.emit.python.layout import STEP, Brackets, Code, lines
from specforge.emit.python.printing import keyword_argument, literal, quoted
from specforge.graph import Graph, GraphNode

_USUAL = ("gain=1.0", "mean=0.0", "a=0.0")  # torch's own
NORM = "a norm"  # inside a layer, of a type that shapes don't tell
OWN = "specforge.torch_backend.initializers."


@dataclass(frozen=True, slots=True)
class Filled:
    """A parameter that an initialiser fills; `type` is its layer's."""

    path: str
    name: str
    type: str
    call: Call


def not_carried(graph: Graph) -> list[str]:
    """The parameters that start as the training images say."""
    return [f"{path}.{name}" for path, name, initializer, _ in _initializers(graph) if initializer.sample]


def functions(graph: Graph) -> list[str]:
    """The names of initialisers that torch lacks."""
    targets = {one.call.target for one in _filled(graph)}
    return sorted(target.removeprefix(OWN) for target in targets if target.startswith(OWN))


def initialize(graph: Graph) -> list[str]:
    """The function, or nothing."""
    filled = _filled(graph)
    if not filled:
        return []
    head = [
        "@torch.no_grad()",
        "def initialize(model: nn.Module) -> None:",
        f'{STEP}"""Draw initial weights as the spec says; what it leaves to torch stays as it is."""',
    ]
    by_type, rest = _by_type(graph, filled)
    body = [f"{STEP}for module in model.modules():"] if by_type else []
    kinds: dict[tuple[str, ...], list[str]] = {}
    for kind, found in by_type.items():
        kinds.setdefault(tuple(line for one in found for line in _filling(graph, one)), []).append(kind)
    for number, (said, alike) in enumerate(kinds.items()):
        body += [f"{2 * STEP}{'elif' if number else 'if'} isinstance(module, {' | '.join(alike)}):", *said]
    return head + body + _by_name(rest)


def _filling(graph: Graph, one: Filled) -> list[str]:
    """The lines that fill a parameter of `module`, which not all of the type may have."""
    parameter = f"module.{one.name}"
    if all(one.name in names for kind, names in _modules(graph) if kind == one.type):
        return lines(_call(one.call, parameter), indent=3 * STEP)
    return [f"{3 * STEP}if {parameter} is not None:", *lines(_call(one.call, parameter), indent=4 * STEP)]


def _modules(graph: Graph) -> Iterator[tuple[str, set[str]]]:
    """The type of every module that has parameters, and their names."""
    for node in graph.leaves():
        found: dict[str, set[str]] = {}
        for parameter in node.parameters:
            above, _, name = parameter.name.rpartition(".")
            found.setdefault(above, set()).add(name)
        for above, names in found.items():
            yield _type(node, f"{above}.weight" if above else "weight"), names


def _by_name(rest: list[Filled]) -> list[str]:
    """Loops over names, one for each initialiser."""
    calls: dict[str, tuple[Call, list[str]]] = {}
    for one in rest:
        calls.setdefault(repr(one.call), (one.call, []))[1].append(f"{one.path}.{one.name}")
    body: list[str] = []
    for call, names in calls.values():
        if len(names) == 1:
            body += lines(_call(call, f"model.get_parameter({quoted(names[0])})"), indent=STEP)
        else:
            listed = Brackets("(", tuple(quoted(name) for name in names), "):")
            body += lines(listed, indent=STEP, before="for name in ")
            body += lines(_call(call, "model.get_parameter(name)"), indent=2 * STEP)
    return body


def _call(call: Call, parameter: str) -> Code:
    name = call.target.removeprefix("torch.").removeprefix(OWN)
    arguments = [keyword_argument(key, literal(value)) for key, value in call.arguments.items()]
    arguments = [argument for argument in arguments if argument not in _USUAL]
    return Brackets(f"{name}(", (parameter, *arguments), ")")


def _initializers(graph: Graph) -> Iterator[tuple[str, str, Initializer, GraphNode]]:
    for node in graph.leaves():
        for name, initializer in node.initializers.items():
            if node.parameters:
                yield node.path, name, initializer, node


def _filled(graph: Graph) -> list[Filled]:
    return [
        Filled(path, name, _type(node, name), initializer.lower())
        for path, name, initializer, node in _initializers(graph)
        if not initializer.sample
    ]


def _by_type(graph: Graph, filled: list[Filled]) -> tuple[dict[str, list[Filled]], list[Filled]]:
    """What fills most layers of a type, by the type, and the rest, which comes later and says what differs.

    A type of which some layers are left to torch is not said at all.
    """
    calls: dict[tuple[str, str], list[str]] = {}
    for node in graph.leaves():
        own = [parameter for parameter in node.parameters if parameter.role == "parameter"]
        for parameter in own:
            call = node.initializers.get(parameter.name)
            place = _type(node, parameter.name), parameter.name.rpartition(".")[2]
            calls.setdefault(place, []).append("" if call is None else repr(call.lower()))
    usual = {place: Counter(said).most_common(1)[0][0] for place, said in calls.items()}
    found: dict[str, list[Filled]] = {}
    rest: list[Filled] = []
    for one in filled:
        name = one.name.rpartition(".")[2]
        hidden = (NORM if "Norm" in one.type else "", name) in calls  # may be of this type
        place = one.type, name
        if one.type in ("", NORM) or hidden or "" in calls[place] or repr(one.call) != usual[place]:
            rest.append(one)
        elif all(other.name != name for other in found.setdefault(one.type, [])):
            found[one.type].append(replace(one, name=name))
    return found, rest


def _type(node: GraphNode, parameter: str) -> str:
    """The type of the module that has a parameter; `NORM` or "" for one inside a layer, where shapes don't tell."""
    above = parameter.rpartition(".")[0]
    if not above:
        return node.call.target.removeprefix("torch.").removeprefix("specforge.modules.")
    weight = next((p for p in node.parameters if p.name == f"{above}.weight"), None)
    axes = 0 if weight is None else len(weight.shape)
    return {1: NORM, 2: "nn.Linear", 3: "nn.Conv1d", 4: "nn.Conv2d", 5: "nn.Conv3d"}.get(axes, "")
