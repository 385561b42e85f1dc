"""A class's docstring -> the pieces that `explain`, the JSON Schema and the reference pages show.

"Drops values. … `p` is a probability."    ->    summary "Drops values.", of `p`: "`p` is a probability."
"""

import inspect
import re
from functools import cache
from typing import Any

from specforge.catalog.definition import Section
from specforge.reference.vocabulary import ARGUMENTS

_EXAMPLE = re.compile(r"(?:^ {4}.*\n?|^\n(?= {4}))+", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.;])\s+(?=[A-Z`])")


@cache
def text_of(kind: type[Section]) -> str:
    """The whole documentation, without the docstring's indentation."""
    return inspect.cleandoc(kind.__doc__ or "")


def summary_of(kind: type[Section]) -> str:
    """The first paragraph, which is one sentence, on one line."""
    return " ".join(text_of(kind).partition("\n\n")[0].split())


@cache
def _sentences(kind: type[Section]) -> tuple[str, ...]:
    """What stands between the first sentence and the errors and sources, without examples."""
    body = _EXAMPLE.sub("", text_of(kind))
    paragraphs = [" ".join(paragraph.split()) for paragraph in body.split("\n\n")]
    told = [paragraph for paragraph in paragraphs if not paragraph.startswith(("Errors:", "Source:"))]
    return tuple(sentence for paragraph in told for sentence in _SENTENCE_END.split(paragraph))


@cache
def argument_text(kind: type[Section], name: str) -> str | None:
    """What is said about a field: its description, else a sentence of the docstring, else what its name always means.

    A sentence that begins with the name comes first, then one of which the name is any part.
    """
    field = kind.model_fields[name]
    if field.description:
        return _as_sentence(field.description)
    sentences = _sentences(kind)
    about = [text for text in sentences if text.startswith(f"`{name}`")]
    named = about or [text for text in sentences if re.search(rf"`{name}[`:]", text)]
    return _as_sentence(named[0]) if named else ARGUMENTS.get(name)


def _as_sentence(text: str) -> str:
    text = text.rstrip(";,")
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def default_of(field: Any) -> str | None:
    """A field's default as YAML writes it, None for a required one."""
    return None if field.is_required() else spelled(field.get_default(call_default_factory=True))


def spelled(value: Any) -> str:
    """A value as YAML writes it, in one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Section):
        return "{" + ", ".join(f"{k}: {spelled(v)}" for k, v in value.model_dump(exclude_defaults=True).items()) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {spelled(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(spelled, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
