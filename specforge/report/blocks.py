"""A graph -> the blocks that its diagram shows, with what repeats folded.

    conv 64 · batch_norm · relu · repeat of 3 equal bottlenecks · linear 10
        ->  [conv 64, then batch_norm and relu]  [bottleneck ×3]  [linear 10]

Layers that neither multiply nor change the shape stand in the block before them. What holds a single block is that
block. A block with several lanes runs them beside each other.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from specforge.catalog.definition import Composite
from specforge.catalog.discovery import word_for
from specforge.graph.node import Graph, GraphNode
from specforge.report.arguments import NONE, arguments
from specforge.shapes import Shape

# iterations that differ are drawn as what they hold, until that is too much to look at
_MOST_BLOCKS = 48
# so many blocks in a row that differ in nothing but their sizes are drawn as one
_SIMILAR = 3


@dataclass(frozen=True, slots=True)
class Form:
    """What blocks are compared by: `kind` without sizes and rates, `sized` with sizes, `equal` with all."""

    kind: Hashable
    sized: Hashable
    equal: Hashable

    @classmethod
    def of(cls, parts: Iterable["Form"], kind: Hashable, sized: Hashable = None) -> "Form":
        """That of something made of parts."""
        parts = tuple(parts)
        kinds, sizes = tuple(part.kind for part in parts), tuple(part.sized for part in parts)
        return cls((kind, kinds), (kind, sized, sizes), (kind, sized, tuple(part.equal for part in parts)))


@dataclass(frozen=True, slots=True)
class Block:
    """A layer, or several that are drawn as one; `parameters` and `layers` are those of all `times` folded ones.

    `detail` are the arguments beside the main one, `then` the small layers behind it, `notes` what it reads and shares.
    `lanes` are what is inside: one for blocks in order, several with a `merge` for those beside each other, an empty
    one for a value that is passed on. `linked` says whether it reads the block before it; the value of a `side` block
    does not go on. `differs` says what folded ones differ in; `path`, `detail` and `lanes` are the first one's.
    """

    path: str
    title: str
    output: Shape
    parameters: int
    macs: int
    form: Form
    detail: str = ""
    then: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lanes: "tuple[tuple[Block, ...], ...]" = ()
    merge: str = ""
    linked: bool = True
    side: bool = False
    iteration: bool = False
    times: int = 1
    layers: int = 1
    differs: str = ""

    @property
    def rows(self) -> int:
        """How many blocks high it is when it is drawn open."""
        return max((rows_of(lane) for lane in self.lanes), default=1) + bool(self.merge)

    @property
    def inside(self) -> "Iterator[Block]":
        for lane in self.lanes:
            yield from lane


def rows_of(blocks: Iterable[Block]) -> int:
    return sum(block.rows for block in blocks)


def build_blocks(graph: Graph) -> tuple[Block, ...]:
    """The top-level blocks, in execution order."""
    return _flow(graph.root.children)


def _flow(nodes: Sequence[GraphNode]) -> tuple[Block, ...]:
    folded = _fold(_fuse(_blocks(nodes)))
    opened = [inner for block in folded for inner in (block.inside if _can_open(block) else (block,))]
    return _fold(_fuse(opened)) if len(opened) <= _MOST_BLOCKS else folded


def _can_open(block: Block) -> bool:
    return block.iteration and block.times == 1 and not block.merge


def _blocks(nodes: Iterable[GraphNode]) -> Iterator[Block]:
    for node in nodes:
        if not node.is_composite:
            yield _leaf(node)
        elif _is_repeat(node):
            for child in node.children:
                block = _group(child, _name(node))
                yield replace(block, iteration=block.path == child.path)
        else:
            yield _group(node, _name(node))


def _is_repeat(node: GraphNode) -> bool:
    """Holds nothing but iterations, which can stand in its place."""
    plain = bool(node.children) and not (node.joins or node.sources or node.is_side_branch)
    return plain and all(child.layer is None for child in node.children)


def _leaf(node: GraphNode) -> Block:
    given = NONE if node.layer is None else arguments(node.layer)
    count = node.parameter_count(trainable=True) + node.parameter_count(trainable=False)
    kind = (node.kind, given.sizes)
    sized = (kind, node.output, count)
    return Block(
        node.path, f"{node.kind} {given.main}".rstrip(), node.output, count, node.macs,
        Form(kind, sized, (sized, given.given)),
        detail=given.rest, notes=_notes(node), linked=_reads_previous(node),
    )  # fmt: skip


def _group(node: GraphNode, name: str) -> Block:
    lanes = tuple(_flow(lane) for lane in _lanes(node))
    if len(lanes) == 1 and len(lanes[0]) == 1 and not (node.sources or node.is_side_branch):
        return _unwrapped(lanes[0][0], node, name)
    merge = word_for(node.layer.join()) if isinstance(node.layer, Composite) and node.joins else ""
    inside = [block for lane in lanes for block in lane]
    form = Form.of(
        (Form.of((b.form for b in lane), "lane") for lane in lanes), (merge, node.is_side_branch), node.output
    )
    return Block(
        node.path, name, node.output, sum(b.parameters for b in inside), sum(b.macs for b in inside), form,
        notes=_notes(node), lanes=lanes, merge=merge, linked=_reads_previous(node), side=node.is_side_branch,
        layers=sum(1 for _ in node.leaves()),
    )  # fmt: skip


def _unwrapped(only: Block, node: GraphNode, name: str) -> Block:
    """A composite of one block: that block, under the composite's name where it has none of its own to show."""
    if not only.lanes or only.times > 1 or only.iteration or node.layer is None:
        return only
    return replace(only, path=node.path, title=name)


def _lanes(node: GraphNode) -> list[Sequence[GraphNode]]:
    """What runs beside each other; a value that is passed on is an empty lane."""
    if not node.joins:
        return [node.children]
    body = tuple(child for child in node.children if child.layer is not None)
    regions = [child.children for child in node.children if child.layer is None]
    lanes = [body, *regions] if body or not regions else regions
    return [*lanes, *[()] * (len(node.joins) - len(lanes))]


def _fuse(blocks: Iterable[Block]) -> list[Block]:
    """Small layers into the block before them."""
    fused: list[Block] = []
    for block in blocks:
        if not fused or not _is_small(block, after=fused[-1]):
            fused.append(block)
            continue
        before = fused[-1]
        fused[-1] = replace(
            before,
            parameters=before.parameters + block.parameters,
            then=(*before.then, block.title, *block.then),
            layers=before.layers + block.layers,
            form=Form.of((before.form, block.form), "then"),
        )
    return fused


def _is_small(block: Block, *, after: Block) -> bool:
    single = not any(b.lanes or b.iteration or b.times > 1 for b in (block, after))
    return single and block.linked and not block.notes and not block.macs and block.output == after.output


def _fold(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Runs of blocks that are equal, or similar where there are several, as one."""
    folded: list[Block] = []
    at = 0
    while at < len(blocks):
        similar, equal = _run(blocks, at, "kind"), _run(blocks, at, "sized")
        count = similar if similar >= _SIMILAR else equal
        folded.append(_as_one(blocks[at : at + count]))
        at += count
    return tuple(folded)


def _run(blocks: Sequence[Block], at: int, field: str) -> int:
    """How many blocks from one on are like it."""
    first, end = blocks[at], at + 1
    while end < len(blocks) and _can_join(blocks[end], first):
        if getattr(blocks[end].form, field) != getattr(first.form, field):
            break
        end += 1
    return end - at


def _can_join(block: Block, first: Block) -> bool:
    quiet = not any(b.notes or b.side or b.times > 1 for b in (block, first))
    return quiet and block.linked and block.iteration == first.iteration


def _as_one(run: Sequence[Block]) -> Block:
    first = run[0]
    if len(run) == 1:
        return first
    sizes, all_of_them = {block.form.sized for block in run}, {block.form.equal for block in run}
    return replace(
        first,
        output=run[-1].output,
        parameters=sum(block.parameters for block in run),
        macs=sum(block.macs for block in run),
        layers=sum(block.layers for block in run),
        form=Form.of((block.form for block in run), "folded"),
        times=len(run),
        differs="sizes differ" if len(sizes) > 1 else "rates differ" if len(all_of_them) > 1 else "",
    )


def _name(node: GraphNode) -> str:
    """`bottleneck_2` -> `bottleneck`: the word or the block's name; an id stays as it is."""
    return re.sub(r"_\d+$", "", node.name)


def _notes(node: GraphNode) -> tuple[str, ...]:
    reads = (f"reads {', '.join(node.sources)}",) if node.sources else ()
    shares = (f"weights of {node.shares}",) if node.shares else ()
    return (*reads, *shares)


def _reads_previous(node: GraphNode) -> bool:
    return not node.sources or "previous" in node.sources
