"""The words of binding's messages: what was expected, what was found, and what to write instead."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from specforge.binding.annotations import Held, held
from specforge.catalog.definition import Definition, Section
from specforge.catalog.discovery import index
from specforge.diagnostics import folded, nearest
from specforge.source import Mapping, Node, Scalar, Sequence

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "is_instance_of": "a list of layers",
}
_BOUNDS = {
    "greater_than": "greater than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}

# What other frameworks call a value, folded; used where the value is one of those expected.
_OTHER_VALUES = {
    "fp16": "float16",
    "half": "float16",
    "16": "float16",
    "bf16": "bfloat16",
    "fp32": "float32",
    "single": "float32",
    "32": "float32",
    "valloss": "validation_loss",
    "testloss": "validation_loss",
    "valacc": "validation_accuracy",
    "valaccuracy": "validation_accuracy",
    "testaccuracy": "validation_accuracy",
}


def listed(words: Iterable[str], last: str) -> str:
    """`a, b or c`, with `last` as the word before the last one."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def expected(detail: Any) -> list[str]:
    """The alternatives that one of Pydantic's errors expected."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _EXPECTED:
        return [_EXPECTED[kind]]
    if kind == "literal_error":
        words = str(context["expected"]).replace(" or ", ", ").split(", ")
        return [re.sub("^'(.*)'$", r"`\1`", word) for word in words]
    if kind in _BOUNDS:
        return [f"{_BOUNDS[kind]} {next(iter(context.values())):g}"]
    if kind == "value_error":
        return [str(context["error"])]
    if kind in ("too_short", "too_long"):
        limit = "at least" if kind == "too_short" else "at most"
        return [f"a list of {limit} {context.get('min_length', context.get('max_length'))}"]
    if kind in ("string_too_short", "string_too_long"):
        return ["longer text" if kind == "string_too_short" else "shorter text"]
    return [str(detail["msg"])]


def found(node: Node) -> str:
    """What stands there: `the text `no``, `the list [3, -1]`."""
    if isinstance(node, Sequence):
        words = [item.text or str(item.value).lower() for item in node.items if isinstance(item, Scalar)]
        short = len(words) == len(node.items) <= 8 and len(", ".join(words)) <= 40
        return f"the list [{', '.join(words)}]" if short else "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        shown = node.value if len(node.value) <= 40 else node.value[:37] + "…"
        return f"the text `{shown}`"
    return f"`{node.text or str(node.value).lower()}`"


def value_hint(node: Node, wanted: str) -> str | None:
    """What to write instead of a value that is not `wanted`."""
    if isinstance(node, Mapping):
        if "of layers" in wanted:
            return "start each layer with `- `"
        return "write the values in `[…]`, without names" if "list" in wanted else None
    if isinstance(node, Sequence):
        alone = node.items[0] if len(node.items) == 1 else None
        if "a mapping" in wanted:
            return "write `key: value` pairs, in `{…}` or a line each"
        return f"write `{alone.text}`" if isinstance(alone, Scalar) and "list" not in wanted else None
    if node.value is None:
        return "give it a value, or remove the key"
    called = _OTHER_VALUES.get(folded(node.text or str(node.value)))
    if called is not None and f"`{called}`" in wanted:
        return f"did you mean `{called}`?"
    if isinstance(node.value, str):
        return _text_hint(node, node.value, wanted)
    shown = node.text or str(node.value).lower()
    if "text" in wanted:
        return f'write it in quotes: `"{shown}"`'
    if "of layers" in wanted:
        words = re.findall(r"`([^`]+)`", wanted)
        return f"write a word, as in `{words[0]}`" if words else "start each layer with `- `"
    if "list" in wanted and "number" not in wanted:
        return f"write `[{shown}]`"
    if "whole number" in wanted and isinstance(node.value, float) and node.value.is_integer():
        return f"write `{node.value:.0f}`; in an expression, `//` divides to a whole number"
    if wanted in ("less than 1", "at most 1") and isinstance(node.value, int | float) and 10 <= node.value <= 100:
        return f"write {shown} percent as `{node.value / 100:g}`"
    return None


def _text_hint(node: Scalar, text: str, wanted: str) -> str | None:
    """What to write instead of a text: the traps of YAML 1.1, of Python and of quotes by name."""
    bare = text.strip().strip("“”„‘’")
    if "list" in wanted and bare.startswith("("):
        inside = bare.strip("()") if bare.endswith(")") else "3, 3"
        return f"a list stands in square brackets: `[{', '.join(part.strip() for part in inside.split(','))}]`"
    if "true or false" in wanted and text.lower() in ("yes", "no", "on", "off", "y", "n"):
        word = "true" if text.lower() in ("yes", "on", "y") else "false"
        return f"in YAML 1.2 `{text}` is text: write `{word}`"
    if "true or false" in wanted and bare.lower() in ("true", "false"):
        return f"remove the quotes: write `{bare.lower()}`"
    if "number" in wanted:
        number = _as_number(bare)
        if number is not None:
            if bare == text.strip() == number:
                quoted = node.plain or text == text.strip()
                return "remove the quotes: a quoted number is text" if quoted else f"write `{number}` on the key's line"
            return f"in YAML 1.2 `{text.strip()}` is text: write `{number}`"
    if "`" in wanted:
        close = nearest(text, re.findall(r"`([^`]+)`", wanted))
        return f"did you mean `{close}`?" if close else None
    if "list" in wanted and "number" not in wanted:
        return f"write `[{text}]`"
    return None


def _as_number(text: str) -> str | None:
    """The number that a text was meant to be: `1_000`, `1,024`, `80%`, `4/5`, `0b11`."""
    if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", text, re.IGNORECASE):
        return text
    if re.fullmatch(r"[-+]?\d[\d_]*(\.[\d_]*)?", text):
        return text.replace("_", "")
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return text.replace(",", "")
    percent = re.fullmatch(r"(\d{1,3}(?:\.\d+)?) ?%", text)
    if percent:
        return f"{float(percent.group(1)) / 100:g}"
    fraction = re.fullmatch(r"(\d{1,9}) ?/ ?([1-9]\d{0,8})", text)
    if fraction:
        return f"{int(fraction.group(1)) / int(fraction.group(2)):g}"
    return str(int(text, 2)) if re.fullmatch(r"0b[01]{1,60}", text) else None


def entry_of(place: str) -> str:
    """How messages call one entry of a list of sections: `stages` has stages."""
    name = place.strip("`")
    return f"a {name[:-1]}" if name.endswith("s") else f"an entry of {place}"


def section_hint(kind: type[Section], node: Node, name: str | None = None) -> str:
    """How to write a section of which a bare value was given; an entry of a list has no `name`."""
    given = _as_argument(kind, node)
    if given is None:
        return f"its keys: {', '.join(kind.model_fields)}"
    return f"write `{{{given}}}`" if name is None else f"write `{name}: {{{given}}}`"


def _as_argument(kind: type[Section], node: Node) -> str | None:
    """A bare value with the key that it was probably meant for: `norm: 1.0`."""
    for name, field in kind.model_fields.items():
        arms = held(field.annotation)
        if isinstance(node, Scalar) and node.text and not arms and _takes(kind, name, node.value):
            return f"{name}: {node.text}"
        for arm in arms:
            first = node.items[0] if isinstance(node, Sequence) and node.items and arm.levels == 1 else node
            family = family_of(arm)
            if family and isinstance(first, Scalar) and isinstance(first.value, str) and first.value in index(family):
                return f"{name}: {_as_written(node, is_list=arm.levels > 0)}"
    return None


def _as_written(node: Node, *, is_list: bool) -> str:
    if isinstance(node, Sequence):
        words = [item.text for item in node.items if isinstance(item, Scalar)]
        return f"[{', '.join(words)}]" if len(words) == len(node.items) else "[…]"
    text = node.text if isinstance(node, Scalar) else "…"
    return f"[{text}]" if is_list else text


def _takes(kind: type[Section], name: str, value: object) -> bool:
    try:
        kind.model_validate({name: value})
    except ValidationError as error:
        return all(detail["loc"][:1] != (name,) for detail in error.errors(include_url=False))
    return True


def family_of(arm: Held) -> str:
    """The family of the words that a field holds, "" where it holds something else."""
    return arm.type.family if arm.kind == "word" and arm.type is not None and issubclass(arm.type, Definition) else ""


def named_only(kind: type[Definition], word: str, node: Node) -> tuple[str, str]:
    """What is wrong with a bare value of a word that has no main argument, and how to write it."""
    fields = list(kind.model_fields)
    if not fields:
        return f"`{word}` takes no arguments", f"write just `{word}`"
    if kind.units:
        value = node.text if isinstance(node, Scalar) and node.text else "…"
        ways = [f"`{word}: {{{unit}: {value}}}`" for unit in kind.units]
        return f"`{word}` needs to know what its value counts", f"write {listed(ways, 'or')}"
    return f"`{word}` takes named arguments only", named_hint(word, fields, node)


def named_hint(word: str, fields: list[str], node: Node) -> str:
    """How to write the arguments of a word that has no main one."""
    if "layers" in fields:
        return f"write `{word}: {{layers: […]}}`"
    if len(fields) == 1 and isinstance(node, Scalar) and node.text:
        return f"write `{word}: {{{fields[0]}: {node.text}}}`"
    return f"write `{word}: {{…}}` with " + listed([f"`{name}`" for name in fields], "or")


def singular(family: str) -> str:
    """`optimizers -> optimizer`, as messages say it."""
    irregular = {"losses": "loss", "mixes": "mix", "datasets": "data set", "layers": "layer or block"}
    return irregular.get(family, family[:-1])


def missing_hint(kind: type[Section], word: str, missing: list[str], given: dict[str, str | None]) -> str:
    """How to give the keys that are missing; `given` are those that are there, with the text of a short form."""
    if not issubclass(kind, Definition):
        return "add " + listed([f"`{name}: …`" for name in missing], "and")
    if not given and missing == [kind.main]:
        return f"write `{word}: …`"
    short = [f"{name}: {text}" for name, text in given.items() if text is not None]
    if given and not short:
        return "add " + listed([f"`{name}: …`" for name in missing], "and") + " to its arguments"
    return f"write `{word}: {{{', '.join([*short, *(f'{name}: …' for name in missing)])}}}`"


def names_in(message: str) -> list[str]:
    """The arguments that a message names: "`padding: same` needs stride 1" -> ["padding"]."""
    return re.findall(r"`(\w+)", message)
