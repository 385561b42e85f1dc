"""`train.stages` and `groups` -> each with all that it leaves to the recipe that it is laid over.

    train:                                         train:
      batch_size: 64                                 batch_size: 64
      optimizer: {adam: {lr: 1e-3, eps: 1e-7}}       optimizer: {adam: {lr: 1e-3, eps: 1e-7}}
      stages:                                   ->   stages:
        - {epochs: 5}                                  - {epochs: 5, batch_size: 64, optimizer: {adam: {lr: 1e-3, …}}}
        - {epochs: 9, optimizer: {adam: 1e-5}}         - {epochs: 9, batch_size: 64, optimizer: {adam: {lr: 1e-5, …}}}

A stage is laid over `train`, never over the stage before; a group's optimizer over that of its recipe.
"""

from specforge.expand.extends import merge, merged_choice
from specforge.expand.words import Choices, is_null
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

_TRAIN = ("train",)


def lay_over(train: Node, known: frozenset[str], choices: Choices) -> Node:
    """The `train` section with complete stages and groups; `known` are a recipe's keys, others stay where they are."""
    if not isinstance(train, Mapping):
        return train
    recipe = Mapping(train.span, {key: entry for key, entry in train.entries.items() if key in known})
    entries = dict(_grouped(train, choices).entries)
    stages = train.get("stages")
    if isinstance(stages, Sequence):
        items = tuple([_stage(stage, recipe, choices) for stage in stages.items])
        entries["stages"] = Entry(train.entries["stages"].key, Sequence(stages.span, items))
    return Mapping(train.span, entries)


def _stage(stage: Node, recipe: Mapping, choices: Choices) -> Node:
    if not isinstance(stage, Mapping):
        return stage
    return _grouped(merge(recipe, stage, choices, _TRAIN), choices)


def _grouped(recipe: Mapping, choices: Choices) -> Mapping:
    """A recipe whose groups say all of their optimizers."""
    groups, base = recipe.get("groups"), recipe.get("optimizer")
    if not isinstance(groups, Sequence) or base is None:
        return recipe
    items = tuple([_group(group, base, choices) for group in groups.items])
    return recipe.with_entry("groups", Entry(recipe.entries["groups"].key, Sequence(groups.span, items)))


def _group(group: Node, base: Node, choices: Choices) -> Node:
    if not isinstance(group, Mapping):
        return group
    schedule = group.get("schedule")
    if schedule is not None and is_null(schedule):  # as everywhere, `null` removes: here what the recipe would give
        constant = Scalar(schedule.span, "constant", "constant")
        group = group.with_entry("schedule", Entry(group.entries["schedule"].key, constant))
    own = group.get("optimizer")
    if own is None:
        return group
    laid = merged_choice(base, own, choices, (*_TRAIN, "optimizer"))
    return group.with_entry("optimizer", Entry(group.entries["optimizer"].key, laid))
