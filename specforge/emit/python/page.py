"""A spec and its graph -> one Python file that needs torch alone.

In: what was proven of a spec. Out: the text of a module with the network's classes, laid out as ruff does: a header
that says what the file is, imports, the layers that torch lacks, the classes, and `initialize` where the spec has rules
for initial weights. The network's state_dict has the keys of the module that specforge builds, in its order.
"""

import ast
from collections.abc import Mapping
from importlib.resources import files

from specforge.emit.python import describing, inlined
from specforge.emit.python.bodies import Bodies
from specforge.emit.python.classes import Class, camel, classes_of
from specforge.emit.python.forward import forward, is_numbered
from specforge.emit.python.initialization import functions, initialize, not_carried
from specforge.emit.python.layout import STEP, WIDTH, Brackets, Choice, docstring, flat, lines
from specforge.emit.python.names import is_plain
from specforge.emit.python.printing import Printer, literal, quoted
from specforge.emit.python.terms import ABSENT, Maybe, Term, Variable
from specforge.graph import Graph
from specforge.spec import Spec

INDENT = 2 * STEP
_IMPORTED = ("nn", "torch", "Tensor", "OrderedDict", "functional", "Sequence", "Iterable", "initialize")


def to_python(spec: Spec, graph: Graph, texts: Mapping[str, str] | None = None) -> str:
    """The file; `texts` are those that the spec was read from, for the names of its variables."""
    sources = _sources(graph)
    taken = {*_IMPORTED, *(name for source in sources.values() for name in source.names)}
    bodies = Bodies(graph, texts or {})
    name = camel(spec.name, "Network")
    if name in taken or any(
        name == camel(instance.label[0], "Block") for instance in bodies.instances if instance.label
    ):
        name += "Network"
    classes = classes_of(bodies, name, taken)
    printer = Printer({name: source.positional for name, source in sources.items()})
    parts = [source.text for source in sources.values()]
    parts += ["\n".join(_class(found, bodies, printer, graph)) for found in classes]
    filling = initialize(graph)
    parts += [_function(name) for name in functions(graph)]
    if filling:
        parts.append("\n".join(filling))
    code = "\n\n\n".join(parts)
    header = docstring(describing.header(spec, graph, classes[-1].name, bool(filling), not_carried(graph)), indent="")
    imports = [entry for source in sources.values() for entry in source.imports]
    gap = [""] if code.startswith(("class ", "def ", "@")) else []
    return "\n".join([*header, "", *inlined.import_lines([*imports, *_needed(code)]), "", *gap, code, ""])


def _sources(graph: Graph) -> dict[str, inlined.Inlined]:
    """The modules that torch lacks, in the order of their first use."""
    found: dict[str, inlined.Inlined] = {}
    for node in graph.leaves():
        source = inlined.inlined(node.call.target.rpartition(".")[2])
        if node.call.target.startswith("specforge.modules.") and not describing.is_joining(node):
            assert source is not None, node.call.target
            found[node.call.target.rpartition(".")[2]] = source
    return found


def _needed(code: str) -> list[tuple[str, str | None]]:
    """What a file's own classes import."""
    tree = ast.parse(code)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    wanted: list[tuple[str, str | None]] = []
    for name, entry in (
        ("torch", ("torch", None)),
        ("Tensor", ("torch", "Tensor")),
        ("nn", ("torch", "nn")),
        ("OrderedDict", ("collections", "OrderedDict")),
    ):
        if name in names:
            wanted.append(entry)
    return wanted


def _function(name: str) -> str:
    """The source of an initialiser that torch lacks."""
    text = (files("specforge") / "torch_backend" / "initializers.py").read_text(encoding="utf-8")
    node = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])


def _class(found: Class, bodies: Bodies, printer: Printer, graph: Graph) -> list[str]:
    names = [name for name, _ in found.children]
    is_list = found.kind == "fork" or (found.kind == "wired" and is_numbered(names))
    parameters = [parameter(variable, found) for variable in found.parameters]
    body = _as_list(found, printer) if is_list else _attributes(found, printer)
    signature = lines(Brackets("(", ("self", *parameters), ") -> None:"), indent=STEP, before="def __init__")
    return [
        f"class {found.name}(nn.{'ModuleList' if is_list else 'Module'}):",
        *docstring(describing.class_text(found, graph), indent=STEP),
        "",
        *signature,
        *body,
        *(_frozen(graph) if found.is_root else []),
        "",
        *forward(found, bodies, printer),
    ]


def _as_list(found: Class, printer: Printer) -> list[str]:
    entries = tuple(printer.code(term) for _, term in found.children)
    return lines(Brackets("super().__init__(", (Brackets("[", entries, "]"),), ")"), indent=INDENT)


def _attributes(found: Class, printer: Printer) -> list[str]:
    shapes = describing.shapes_of(found)
    body = [f"{INDENT}super().__init__()"]
    for name, term in found.children:
        statement = _attribute(name, term, printer)
        note = f"  # {shapes[name]}" if name in shapes else ""
        if note and len(statement) == 1 and len(statement[0] + note) <= WIDTH:
            statement[0] += note
        elif note and len(statement) > 1 and not isinstance(term, Maybe):
            statement.insert(0, f"{INDENT}#{note[3:]}")
        body += statement
    if found.adds is not None:
        body += lines(printer.code(found.adds), indent=INDENT, before="self.adds = ")
    return body


def _attribute(name: str, term: Term, printer: Printer) -> list[str]:
    if not is_plain(name):
        return lines(Brackets("self.add_module(", (quoted(name), printer.code(term)), ")"), indent=INDENT)
    code = printer.code(term)
    found = lines(code, indent=INDENT, before=f"self.{name} = ")
    if not isinstance(term, Maybe) or len(found) == 1:
        return found
    assert isinstance(code, Choice)
    there = lines(code.yes, indent=INDENT + STEP, before=f"self.{name} = ")
    return [
        f"{INDENT}if {code.condition}:",
        *there,
        f"{INDENT}else:",
        f"{INDENT}{STEP}self.{name} = {code.no}",
    ]


def _frozen(graph: Graph) -> list[str]:
    """What `trainable: false` says, of as few layers as hold nothing else."""
    free = {node.path for node in graph.leaves() if node.parameters and node.trainable}
    paths: list[str] = []
    for node in graph.nodes:
        if any(node.path == path or node.path.startswith(f"{path}.") for path in paths) or not node.path:
            continue
        inside = [leaf for leaf in node.leaves() if leaf.parameters]
        if inside and not any(leaf.path in free for leaf in inside):
            paths.append(node.path)
    if not paths:
        return []
    if len(paths) == 1:
        return [f"{INDENT}self.get_submodule({quoted(paths[0])}).requires_grad_(False)"]
    listed = Brackets("(", tuple(quoted(path) for path in paths), "):")
    return [
        *lines(listed, indent=INDENT, before="for name in "),
        f"{INDENT}{STEP}self.get_submodule(name).requires_grad_(False)",
    ]


def parameter(variable: Variable, found: Class) -> str:
    """`stride: int = 1`: its name, the type of all its values, and the value that most uses have."""
    text = f"{variable.name}: {describing.type_of(variable.column)}"
    build = found.instances[0].build
    default = ABSENT if build is None else build.defaults.get(variable.name, ABSENT)
    return text if default is ABSENT else f"{text} = {flat(literal(default))}"
