"""The keys of a spec that no catalogue class documents: what items, `repeat` and expansion read.

Keys of sections (`train.batch_size`) are documented by their class's docstring in `specforge/spec.py`.
"""

from typing import NamedTuple


class Key(NamedTuple):
    """A key: the type of its value in words, what it means, and an example."""

    type: str
    text: str
    example: str
    default: str | None = "none"


ITEM_KEYS = {
    "id": Key(
        "text",
        "The item's name in paths: an identifier, unique among its siblings, and no attribute of torch.nn.Module. "
        "Without one, a path counts the items of a kind: `conv_1`.",
        "{id: stem, conv: {out_channels: 32, kernel_size: 3}}",
    ),
    "from": Key(
        "text or list of texts",
        "What the item reads: the address of an earlier item, or a list of them for a layer that joins several. "
        "`previous` is what the item above gives (the default), `input` what the network gets.",
        "{from: [previous, stem], concat: }",
        "previous",
    ),
    "when": Key(
        "true or false",
        "Whether the item is there, usually an expression. Items that are left out are counted in paths.",
        "{when: $(depth > 1), conv: {out_channels: 32, kernel_size: 3}}",
        "true",
    ),
    "shared": Key(
        "text",
        "A name for the item's weights. Items of the same name have the same weights, kept under the first one's path.",
        "{shared: encoder, linear: 64}",
    ),
    "init": Key(
        "mapping of parameters to initializers",
        "How the item's parameters start; it wins over the rules of `model.init`.",
        "{linear: 10, init: {weight: xavier_uniform, bias: zeros}}",
    ),
    "trainable": Key(
        "true or false",
        "Whether training changes the item's parameters; `false` freezes those of the layers inside it too.",
        "{trainable: false, conv: {out_channels: 32, kernel_size: 3}}",
        "true",
    ),
}

REPEAT_KEYS = {
    "times": Key("whole number", "How often the layers are built.", "repeat: {times: 2, layers: [{linear: 64}]}"),
    "for": Key(
        "mapping of lists, or list of rows",
        "Lists of equal length that are walked together, or rows whose first row names the variables.",
        "repeat: {for: {width: [32, 64]}, layers: [{linear: $width}]}",
    ),
    "index": Key(
        "text", "The variable that counts from 0.", "repeat: {times: 2, index: i, layers: [{linear: $i}]}", "index"
    ),
    "layers": Key(
        "list of layers",
        "What is built in every iteration, with weights of its own.",
        "repeat: {times: 2, layers: [relu]}",
        None,
    ),
}

# Arguments without a default that expansion fills in: people leave them out.
FILLED_IN = {"repeat": ("iterations",), "pretrained": ("layers",)}

SECTION_KEYS = {
    "extends": Key(
        "text",
        "The spec that this one starts from, by a path relative to this file. Mappings merge, lists and single values "
        "replace, `null` removes.",
        "extends: base.yaml",
    ),
    "include": Key(
        "list of texts",
        "Files whose `blocks` this spec uses, by paths relative to this file.",
        "include: [blocks/resnet.yaml]",
        "[]",
    ),
    "edit": Key(
        "list of edits",
        "Changes of the items as written, the parent's included, one after another. Each has `at`, the item's address, "
        "and one of `replace`, `set`, `insert_before`, `insert_after`, `remove` and `wrap`.",
        "edit: [{at: conv_1, set: {kernel_size: 5}}]",
        "[]",
    ),
    "params": Key(
        "mapping of names to values",
        "Values that expressions name: `$width` and `$(width * 2)`. A later one may use earlier ones.",
        "params: {width: 32}",
        "{}",
    ),
    "blocks": Key(
        "mapping of names to blocks",
        "Layers of your own: `params` with their defaults (`required` has none), and `layers`.",
        "blocks: {unit: {params: {channels: required}, layers: [{conv: {out_channels: $channels, kernel_size: 3}}]}}",
        "{}",
    ),
    "model.defaults": Key(
        "mapping of layers to their arguments",
        "Arguments of every layer of a kind; what an item says itself wins.",
        "model: {defaults: {batch_norm: {eps: 1e-3}}}",
        "{}",
    ),
}

EDIT_KEYS = {
    "at": Key(
        "text",
        "The address of an item as written, without the numbers of iterations: `repeat_1.conv_1`. The layers of a "
        "block's definition are below `blocks.NAME`.",
        "edit: [{at: blocks.unit.conv_1, set: {kernel_size: 5}}]",
        None,
    ),
    "replace": Key("layer or list of layers", "What takes the item's place.", "edit: [{at: relu_1, replace: gelu}]"),
    "set": Key(
        "mapping of arguments to values",
        "Arguments and item keys that are laid over the item's own; `null` removes one.",
        "edit: [{at: conv_1, set: {kernel_size: 5, trainable: false}}]",
    ),
    "insert_before": Key(
        "layer or list of layers",
        "What is to stand before the item.",
        "edit: [{at: linear_1, insert_before: {dropout: 0.5}}]",
    ),
    "insert_after": Key(
        "layer or list of layers",
        "What is to stand after the item.",
        "edit: [{at: conv_1, insert_after: batch_norm}]",
    ),
    "remove": Key("true", "Takes the item out.", "edit: [{at: dropout_1, remove: true}]"),
    "wrap": Key(
        "layer",
        "A layer that holds the item as its only layer.",
        "edit: [{at: conv_2, wrap: {residual: {shortcut: projection}}}]",
    ),
}
