"""What a class does -> the lines of its `forward`.

    y = self.relu_1(self.batch_norm_1(self.conv_1(x)))
    y = self.batch_norm_2(self.conv_2(y))
    return y + self.shortcut(x)

A layer with weights begins a line; norms, activations and other layers without weights are written around it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from specforge.catalog.definition import Call
from specforge.emit.python.bodies import Bodies, Step
from specforge.emit.python.classes import Class
from specforge.emit.python.columns import TAKEN, unused
from specforge.emit.python.layout import STEP, WIDTH, Brackets, Code, Operation, flat, lines
from specforge.emit.python.names import is_plain
from specforge.emit.python.printing import Printer, quoted
from specforge.emit.python.terms import Group, Held, Make, Term

DEEPEST = 4  # calls inside each other
LONGEST = 88  # columns of a line with several
INDENT = 2 * STEP


def forward(found: Class, bodies: Bodies, printer: Printer) -> list[str]:
    """The method of a class."""
    if found.kind == "fork":
        return _fork(found)
    if found.kind == "wired":
        return _Wired(found, bodies).lines()
    return _Chain(found, printer).lines()


def _fork(found: Class) -> list[str]:
    """All paths from the same value."""
    join = found.instances[0].node.call.arguments["join"]
    assert isinstance(join, Call)
    head = f"{STEP}def forward(self, x: Tensor) -> Tensor:"
    joined = _joined_paths(join, "self", len(found.children), "x")
    return [head, *lines(joined, indent=INDENT, before="return ")]


def _joined_paths(call: Call, paths: str, count: int, value: str) -> Code:
    """All paths of a list from a value."""
    if call.target.endswith("Concat"):
        dim = call.arguments.get("dim", 1)
        return Brackets("torch.cat(", (f"[path({value}) for path in {paths}]", f"dim={dim}"), ")")
    return joining(call, [f"{paths}[{number}]({value})" for number in range(count)])


def run(target: str, term: Term | None, value: str) -> Code:
    """What a layer gives for a value."""
    if isinstance(term, Held) and term.join is None:
        # in this order: the memory format of the first is the sum's, and changes the last bits of what follows
        return Operation("+", (f"{target}({value})", value))
    if isinstance(term, Held):
        assert isinstance(term.group, Group)
        assert term.join is not None
        return _joined_paths(term.join, target, len(term.group.children), value)
    return called(target, value)


def called(target: str, value: Code) -> Code:
    return Brackets(f"{target}(", (value,), ")")


def joining(call: Call, values: Sequence[str]) -> Code:
    """The expression of an operation that joins values."""
    operation = call.target.rpartition(".")[2]
    if operation == "Concat":
        dim = call.arguments.get("dim", 1)
        return Brackets("torch.cat(", (Brackets("[", tuple(values), "]"), f"dim={dim}"), ")")
    if operation == "Matmul":
        other = f"{values[1]}.transpose(-2, -1)" if call.arguments.get("transpose") else values[1]
        return Operation("@", (values[0], other))
    return Operation({"Add": "+", "Multiply": "*"}[operation], tuple(values))


def _begins_line(term: Term) -> bool:
    """Whether a layer is something to speak of: it has weights that are no norm's, or holds layers."""
    if isinstance(term, Held):
        return True
    if isinstance(term, Make):
        return term.is_own or not (term.is_plain or (isinstance(term.target, str) and "Norm" in term.target))
    return not (isinstance(term, Group) and not term.children)


class _Chain:
    """Layers in order, and a sum where there is a shortcut."""

    def __init__(self, found: Class, printer: Printer):
        self.found, self.printer = found, printer
        self.adds = found.kind == "sum"
        self.name = "y" if self.adds else "x"

    def lines(self) -> list[str]:
        body = [(name, term) for name, term in self.found.children if not (self.adds and name == "shortcut")]
        *before, last = self._statements(body) or ["x"]
        found = [f"{STEP}def forward(self, x: Tensor) -> Tensor:"]
        for each in before:
            found += lines(each, indent=INDENT, before=f"{self.name} = ")
        if not self.adds:
            return [*found, *lines(last, indent=INDENT, before="return ")]
        shortcut = "x"
        if any(name == "shortcut" for name, _ in self.found.children):
            shortcut = f"{access('shortcut')}(x)"
        if self.found.adds is None and self._is_short(last, shortcut):
            return [*found, f"{INDENT}return {flat(last)} + {shortcut}"]
        found += lines(last, indent=INDENT, before="y = ")
        return [*found, f"{INDENT}return y + {shortcut}" + (" if self.adds else y" if self.found.adds else "")]

    @staticmethod
    def _is_short(last: Code, shortcut: str) -> bool:
        return len(flat(last)) + len(shortcut) < LONGEST and " " not in flat(last)

    def _statements(self, body: list[tuple[str, Term]]) -> list[Code]:
        statements: list[Code] = []
        depth = 0
        for name, term in body:
            target = access(name)
            wider = called(target, statements[-1] if statements else "x")
            if statements and depth < DEEPEST and not _begins_line(term) and len(flat(wider)) <= LONGEST:
                statements[-1], depth = wider, depth + 1
            else:
                statements.append(run(target, term, self.name if statements else "x"))
                depth = 1
        return statements


@dataclass(slots=True)
class _Line:
    """A statement of a wired class: a value's expression, the layers inside each other in it, and its place."""

    value: int
    code: Code
    depth: int
    training_only: bool


class _Wired:
    """Steps over numbered values: each is a running `x`, or has a name where it is needed later."""

    def __init__(self, found: Class, bodies: Bodies):
        self.found, self.bodies = found, bodies
        instance = found.instances[0]
        self.instance, self.node = instance, instance.node
        self.input = instance.node.reads[0]
        self.heads = {head.path: self._number(head.path) for head in bodies.graph.heads} if found.is_root else {}
        self.side = {step.makes for step in instance.steps if self._is_beside(step.node.path)}
        self.taken = {*TAKEN, "heads"}
        self.read = {self.instance.output, *(number for step in instance.steps for number in step.reads)}
        self.held = {name: term for name, term in found.children if isinstance(term, Held)}
        self.names = self._named()

    def _is_beside(self, path: str) -> bool:
        """Whether a layer lies in a side branch."""
        return any(path == branch or path.startswith(f"{branch}.") for branch in self.heads)

    def _number(self, path: str) -> int:
        return self.bodies.nodes[path].number

    def _named(self) -> dict[int, str]:
        """A name for every value: `x` for those that only the next step reads."""
        steps = self.instance.steps
        last = {number: place for place, step in enumerate(steps) for number in step.reads}
        last[self.instance.output] = len(steps)  # the network gives it back
        running = "x" if last.get(self.input, 0) == 0 or not steps else "y"
        names = {self.input: "x"}
        for place, step in enumerate(steps):
            is_next = last.get(step.makes, place + 1) == place + 1
            is_result = step.makes in self.heads.values()
            if is_next and not (is_result and step.makes in last):
                names[step.makes] = "y" if step.makes in self.side else running
            else:
                names[step.makes] = self._name(step)
        return names

    def _name(self, step: Step) -> str:
        """A name that says what made a value."""
        words = [part for part in step.node.path.split(".") if not part.isdigit()]
        wish = words[-1] if words else "value"
        name = unused(wish if wish.isascii() and not wish.startswith("_") else "value", self.taken)
        self.taken.add(name)
        return name

    def lines(self) -> list[str]:
        result = "Tensor | tuple[Tensor, dict[str, Tensor]]" if self.heads else "Tensor"
        found = [f"{STEP}def forward(self, x: Tensor) -> {result}:"]
        if self.heads:
            found.append(f"{INDENT}heads = {{}}")
        of_head = {number: path for path, number in self.heads.items()}
        statements, within = self._statements(), False
        for place, line in enumerate(statements):
            if line.training_only and not within:
                found.append(f"{INDENT}if self.training:")
            within = line.training_only
            before = f"{self.names[line.value]} = "
            is_head = line.value in of_head
            if is_head and line.value not in self.read:
                before = f"heads[{quoted(of_head[line.value])}] = "
                if len(f"{INDENT}{STEP}{before}{flat(line.code)}") > WIDTH:
                    found += lines(line.code, indent=INDENT + STEP, before="y = ")
                    found.append(f"{INDENT}{STEP}{before}y")
                    continue
            elif line.value not in self.read:
                before = ""
            elif not self.heads and place == len(statements) - 1 and line.value == self.instance.output:
                return [*found, *lines(line.code, indent=INDENT, before="return ")]
            found += lines(line.code, indent=INDENT + STEP if within else INDENT, before=before)
            if is_head and line.value in self.read:
                found.append(f"{INDENT}{STEP}heads[{quoted(of_head[line.value])}] = {self.names[line.value]}")
        output = self.names[self.instance.output]
        return [
            *found,
            f"{INDENT}return ({output}, heads) if self.training else {output}"
            if self.heads
            else f"{INDENT}return {output}",
        ]

    def _statements(self) -> list[_Line]:
        readers = Counter(number for step in self.instance.steps for number in step.reads)
        readers[self.instance.output] += 1
        found: list[_Line] = []
        for step in self.instance.steps:
            values = [self.names[number] for number in step.reads]
            before = found[-1] if found else None
            training_only = step.makes in self.side
            if isinstance(step.does, str):
                target = self._access(step.does)
                if (
                    before is not None
                    and step.reads == (before.value,)
                    and readers[before.value] == 1
                    and before.training_only == training_only
                    and before.depth < DEEPEST
                    and not self._speaks(step)
                    and len(flat(before.code)) + len(target) < LONGEST
                    and before.value not in self.heads.values()
                ):
                    found[-1] = _Line(step.makes, called(target, before.code), before.depth + 1, training_only)
                    continue
                code = run(target, self.held.get(step.does), values[0])
                found.append(_Line(step.makes, code, 1, training_only))
            else:
                found.append(_Line(step.makes, joining(step.does, values), 1, training_only))
        return found

    def _speaks(self, step: Step) -> bool:
        """As `_begins_line`, of a step."""
        node = step.node
        if node.is_composite:
            return True
        has_weights = node.layer is not None and bool(node.layer.parameters(node.input))
        return has_weights and "Norm" not in node.call.target

    def _access(self, path: str) -> str:
        base = self.node.path
        text, here = "self", base
        for part in path.split("."):
            siblings = self.bodies.registered[here]
            text += element(part) if siblings == [*map(str, range(len(siblings)))] else access(part)[4:]
            here = f"{here}.{part}" if here else part
        return text


def access(name: str) -> str:
    """How a class reaches a layer of its own."""
    return f"self.{name}" if is_plain(name) else f"self.get_submodule({quoted(name)})"


def element(name: str) -> str:
    return f"[{name}]"


def is_numbered(names: Sequence[str]) -> bool:
    return bool(names) and list(names) == [*map(str, range(len(names)))]
