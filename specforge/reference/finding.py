"""A name as a user writes it -> the topics that it means, or what was probably meant.

"conv"         ->    the layer
"constant"     ->    the schedule and the initializer
"batch_size"   ->    the key `train.batch_size`
"conv.stride"  ->    the layer, with that argument alone
"Conv2d"       ->    nothing; a hint that specforge calls it `conv`
"""

from dataclasses import replace

from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.diagnostics import did_you_mean, folded
from specforge.reference.topics import Topic, topics


def find(name: str) -> list[Topic]:
    """Every topic of a name: a word, a key, a code, a rule's name, or one argument of a word; empty when unknown."""
    wanted = name.strip().removeprefix("$").lower()
    exact = [topic for topic in topics() if wanted in (topic.name.lower(), _rule(topic))]
    if exact:
        return exact
    inside = [topic for topic in topics() if topic.group == "keys" and topic.name.endswith(f".{wanted}")]
    return inside or _arguments(wanted) or _arguments(f"repeat.{wanted}")


def _rule(topic: Topic) -> str | None:
    return topic.place if topic.group == "diagnostics" else None


def _arguments(path: str) -> list[Topic]:
    """`conv.stride`: the word with this argument alone."""
    word, dot, argument = path.rpartition(".")
    word = word.rpartition(".")[2]  # `train.optimizer.adam.lr` is the path of a value
    found = []
    for topic in topics() if dot else ():
        chosen = tuple(known for known in topic.arguments if known.name == argument)
        if topic.name == word and topic.group != "keys" and chosen:
            text = chosen[0].text or topic.summary
            label = f"argument of {'an' if topic.label[0] in 'aio' else 'a'} {topic.label}"
            name = f"{word}.{argument}"
            found.append(replace(topic, name=name, label=label, summary=text, text=text, arguments=chosen))
    return found


def meant(name: str) -> str:
    """The hint for a name that is nothing: what specforge calls it, or the nearest name."""
    wanted = folded(name.rpartition(".")[2])
    for family in FAMILIES:
        for word in index(family):
            kind = definition(family, word)
            if kind is not None and wanted in map(folded, kind.also_known_as):
                return f"specforge calls it `{word}`"
    names = {topic.name for topic in topics()} | {topic.place for topic in topics() if topic.group == "diagnostics"}
    names |= {topic.name.rpartition(".")[2] for topic in topics()}
    return did_you_mean(name, names) or "`specforge list` shows all names"
