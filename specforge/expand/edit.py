"""`edit:` -> the items as written, changed one edit after another.

    parent    layers: [{conv: {out_channels: 8, kernel_size: 3}}, relu]
    child     edit: [{at: conv_1, set: {kernel_size: 5}}, {at: relu_1, replace: gelu}]
    merged    layers: [{conv: {out_channels: 8, kernel_size: 5}}, gelu]

Each edit sees what those above it have made, so the numbers in its address count what is there then.
"""

from itertools import islice

from specforge.diagnostics import Findings, Span, define, did_you_mean, nearest
from specforge.expand.addresses import EVERY, Addresses, Hop
from specforge.expand.operations import OPERATIONS, Change, Operation, Problem, change, with_arguments
from specforge.expand.words import Signatures, is_null, layer_of
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

__all__ = ["BAD_EDIT", "OPERATIONS", "Addressed", "apply_edits"]

BLOCKS = "blocks"
MAX_SHOWN = 500

BAD_EDIT = define(
    "SF214",
    "bad-edit",
    """
An edit is `{at: ADDRESS, OPERATION: …}`: `replace: item`, `set: {argument: value}`, `insert_before: item`,
`insert_after: item` (or lists of items), `remove: true` or `wrap: {layer: {…}}`. The address is the path of an item as
written, without the numbers of iterations: `stem`, `repeat_1.conv_1`, `residual_1.shortcut.conv_1`,
`branches_1.0.conv_1`; the layers of a block's definition are below `blocks.NAME`.""",
)


Addressed = dict[Span, tuple[Span, ...]]


def apply_edits(
    spec: Mapping, edits: Node, signature: Signatures, findings: Findings, addressed: Addressed | None = None
) -> Mapping:
    """The spec after every edit of a list, in order; one that can't be done is reported and left out.

    `addressed` takes, by the place of each address, those of the layers' words that it led to.
    """
    if is_null(edits):
        return spec
    if not isinstance(edits, Sequence):
        findings.add(BAD_EDIT, edits.span, "`edit` is a list of edits", "start each with `- at: ADDRESS`")
        return spec
    editor = _Editor(spec, signature)
    for edit in edits.items:
        try:
            operation = _operation(edit)
            found = editor.apply(operation)
            if addressed is not None:
                addressed[operation.at.span] = found
        except Problem as problem:
            findings.add(BAD_EDIT, problem.span, problem.message, problem.hint)
    return editor.spec


def _operation(edit: Node) -> Operation:
    """What one edit of the list does, which is exactly one thing."""
    if not isinstance(edit, Mapping):
        raise Problem(edit.span, "an edit is a mapping", "write `{at: conv_1, set: {…}}`")
    keys = ("at", *OPERATIONS)
    unknown = next((key for key in edit.entries if key not in keys), None)
    if unknown is not None:
        raise Problem(edit.entries[unknown].key, f"an edit has no `{unknown}`", did_you_mean(unknown, keys))
    at = edit.get("at")
    if not isinstance(at, Scalar) or not isinstance(at.value, str) or not all(at.value.split(".")):
        span = edit.span if at is None else at.span
        raise Problem(span, "an edit needs `at`, the address of an item", "write `at: repeat_1.conv_1`")
    given = [key for key in edit.entries if key != "at"]
    if not given:
        hint = "add one of " + ", ".join(f"`{name}`" for name in OPERATIONS)
        raise Problem(edit.span, f"this edit does nothing to `{at.value}`", hint)
    if len(given) > 1:
        message = f"an edit does one thing, found `{given[0]}` and `{given[1]}`"
        raise Problem(edit.entries[given[1]].key, message, "write an edit for each")
    return Operation(at, given[0], edit.entries[given[0]].value)


class _Editor:
    """Holds a spec and changes it; trees are never changed in place."""

    def __init__(self, spec: Mapping, signature: Signatures):
        self.spec, self.signature = spec, signature
        self.addresses = Addresses(signature)

    def apply(self, operation: Operation) -> tuple[Span, ...]:
        """Do one edit; gives the places of the layers that it is about, as they were."""
        changes = change(operation, self.signature, self.params)
        start, steps = self.home(operation)
        ways = list(self.addresses.find(start, steps))
        if not ways:
            raise self.lost(operation, start, steps)
        about = tuple(layer[1].key for way in ways if (layer := layer_of(self.item(start, way))) is not None)
        layers = start
        for way in ways:
            layers = self.changed(layers, way, changes)
        top, block = (BLOCKS, operation.steps[1]) if operation.steps[0] == BLOCKS else ("model", None)
        section = self.spec.entries[top]
        assert isinstance(section.value, Mapping)
        self.spec = self.spec.with_entry(top, section._replace(value=_with_layers(section.value, block, layers)))
        return about

    def item(self, layers: Sequence, way: tuple[Hop, ...]) -> Node:
        """The item at the end of a way."""
        for hop in way[:-1]:
            regions = self.addresses.regions(layers.items[hop.position])
            layers = next(region.layers for region in regions if (region.argument, region.number) == hop[1:])
        return layers.items[way[-1].position]

    def params(self, word: str) -> dict[str, Entry] | None:
        """The params of a block as written, None for what is no block."""
        blocks = self.spec.get(BLOCKS)
        if not isinstance(blocks, Mapping) or word not in blocks.entries:
            return None
        block = blocks.entries[word].value
        params = block.get("params") if isinstance(block, Mapping) else None
        return params.entries if isinstance(params, Mapping) else {}

    def home(self, operation: Operation) -> tuple[Sequence, tuple[str, ...]]:
        """The list that an address starts in, and the rest of the address."""
        at, steps = operation.at, operation.steps
        holder, what = self.spec.get("model"), "the spec"
        if steps[0] == BLOCKS:
            holder, what, steps = self.block(operation), f"block `{steps[1]}`", steps[2:]
        layers = holder.get("layers") if isinstance(holder, Mapping) else None
        if not isinstance(layers, Sequence):
            hint = "edit a spec that has `model.layers`" if layers is None else "write its layers as a list"
            raise Problem(at.span, f"{what} has no list of layers to edit", hint)
        return layers, steps

    def block(self, operation: Operation) -> Node:
        """The definition that an address below `blocks` names."""
        at, (_, *steps) = operation.at, operation.steps
        blocks = self.spec.get(BLOCKS)
        known = blocks.entries if isinstance(blocks, Mapping) else {}
        if not steps or steps[0] not in known:
            message = f"there is no block `{steps[0]}`" if steps else "this address names no block"
            hint = did_you_mean(steps[0], known) if steps else None
            raise Problem(at.span, message, hint or "the layers of a block are `blocks.NAME.conv_1`")
        if len(steps) == 1:
            hint = f"address one of its layers, or define `{steps[0]}` anew under `blocks:`"
            raise Problem(at.span, f"`{at.value}` is a block, not one of its layers", hint)
        return known[steps[0]].value

    def changed(self, layers: Sequence, way: tuple[Hop, ...], changes: Change) -> Sequence:
        """The list with the item at the end of the way changed."""
        hop, *rest = way
        item = layers.items[hop.position]
        if rest:
            region = next(r for r in self.addresses.regions(item) if (r.argument, r.number) == hop[1:])
            new = [self.with_region(item, hop, self.changed(region.layers, tuple(rest), changes))]
        else:
            new = changes(item)
        return self.addresses.replaced(layers, hop.position, new)

    def with_region(self, item: Node, hop: Hop, layers: Sequence) -> Node:
        """The item with one of its lists of layers replaced, its arguments named."""
        found = layer_of(item)
        assert found is not None
        word, entry = found
        signature = self.signature(word)
        arguments = None if signature is None else signature.named(entry.value)
        assert arguments is not None
        old = arguments.entries[hop.argument]
        value: Node = layers
        if hop.number is not None:
            assert isinstance(old.value, Sequence)
            lists = old.value.items
            value = old.value._replace(items=(*lists[: hop.number], layers, *lists[hop.number + 1 :]))
        return with_arguments(item, word, entry, arguments.with_entry(hop.argument, Entry(old.key, value)))

    def lost(self, operation: Operation, start: Sequence, steps: tuple[str, ...]) -> Problem:
        """Why an address leads to no item: the first step that leads nowhere."""
        prefix = f"{BLOCKS}.{operation.steps[1]}." if operation.steps[0] == BLOCKS else ""
        layers, way = start, prefix
        while True:
            position = self.addresses.names(layers).position(steps[0])
            if position is None:
                everywhere = islice(self.addresses.all(start, prefix), MAX_SHOWN)
                return self.unknown(operation, layers, way, steps[0], list(everywhere))
            inside = self.inside(operation, layers.items[position], f"{way}{steps[0]}", steps[1:])
            if isinstance(inside, Problem):
                return inside
            segment, layers = inside
            way += ".".join(filter(None, (steps[0], segment))) + "."
            steps = steps[2:] if segment else steps[1:]

    def inside(
        self, operation: Operation, item: Node, here: str, rest: tuple[str, ...]
    ) -> Problem | tuple[str, Sequence]:
        """The list of layers in an item that the rest of an address leads into, with its segment."""
        found = layer_of(item)
        assert found is not None
        at, word = operation.at, found[0]
        regions = list(self.addresses.regions(item))
        if self.params(word) is not None:
            hint = f"its layers are below `{BLOCKS}.{word}`: write `{'.'.join([BLOCKS, word, *rest])}`"
            return Problem(at.span, f"`{here}` is a use of block `{word}`", hint)
        if not regions:
            hint = "change the param that holds its layers" if self.are_held(*found) else "name the item itself"
            return Problem(at.span, f"`{here}` holds no layers that an edit can reach", hint)
        body = next((region for region in regions if not region.segment or region.argument == EVERY), None)
        direct = next((region for region in regions if region.segment == rest[0]), None)
        if direct is not None:
            if len(rest) > 1:
                return direct.segment, direct.layers
            return Problem(at.span, f"`{at.value}` is a list of layers", "name one of them")
        if rest[0].isdigit() and body is not None and body.argument != EVERY:
            hint = f"leave the number out: `{'.'.join([here, *rest[1:]])}` is the layer in every iteration"
            return Problem(at.span, f"the layers of `{here}` are written once", hint)
        if body is None or rest[0].isdigit():
            hint = "its lists of layers are " + ", ".join(f"`{here}.{region.segment}`" for region in regions)
            return Problem(at.span, f"`{here}` has no `{rest[0]}`", hint)
        return "", body.layers

    def are_held(self, word: str, entry: Entry) -> bool:
        """Whether a layer's own layers are written as an expression."""
        signature = self.signature(word)
        arguments = None if signature is None else signature.named(entry.value)
        held = [entry.value]
        if arguments is not None and signature is not None:
            held = [arguments.entries[name].value for name in signature.layers & arguments.entries.keys()]
        return any(isinstance(node, Scalar) and "$" in node.text for node in held)

    def unknown(self, operation: Operation, layers: Sequence, way: str, step: str, everywhere: list[str]) -> Problem:
        """No item of this name: the nearest one beside it, else the nearest address of all."""
        at = operation.at
        beside = [segment for segment in self.addresses.names(layers).segments() if segment]
        close = nearest(step, beside[:MAX_SHOWN])
        address = None if close is None else f"{way}{close}"
        if address is None:
            same_end = [other for other in everywhere if other.endswith(f".{operation.steps[-1]}")]
            address = same_end[0] if same_end else nearest(str(at.value), everywhere)
        hint = f"did you mean `{address}`?" if address else did_you_mean(step, [f"{way}{name}" for name in beside])
        hint = hint or "`specforge summary` shows the paths of layers"
        return Problem(at.span, f"there is no `{at.value}` to edit", hint)


def _with_layers(section: Mapping, block: str | None, layers: Sequence) -> Mapping:
    """`model` with these layers, or `blocks` with one block's."""
    if block is None:
        return section.with_entry("layers", section.entries["layers"]._replace(value=layers))
    entry = section.entries[block]
    assert isinstance(entry.value, Mapping)
    return section.with_entry(block, entry._replace(value=_with_layers(entry.value, None, layers)))
