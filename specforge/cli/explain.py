"""`specforge explain`: the documentation of one word or of one diagnostic code."""

import inspect
from typing import Annotated, Any

import typer

from specforge.catalog.definition import Definition
from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.cli import console
from specforge.cli.guard import guarded
from specforge.diagnostics import RULES, did_you_mean


def explain(
    name: Annotated[str, typer.Argument(help="A word such as conv or adam, or a code such as SF304.")],
) -> None:
    """Explain a layer, an optimizer, a data set, or a diagnostic code."""
    import specforge.analysis  # noqa: F401  every phase defines its rules when imported

    rules = {rule.code.lower(): rule for rule in RULES.values()} | {rule.name: rule for rule in RULES.values()}
    rule = rules.get(name.lower())
    found = [(family, definition(family, name)) for family in FAMILIES if name in index(family)]
    if rule is None and not found:
        words = {word for family in FAMILIES for word in index(family)} | {r.code for r in RULES.values()}
        raise typer.BadParameter(f"`{name}`: {did_you_mean(name, words) or 'see `specforge list`'}", param_hint="NAME")
    if rule is not None:
        console.write((f"{rule.code} {rule.name}", "bold"), f" ({rule.severity})")
        console.write()
        console.write(" ".join(rule.explanation.split()))
    for family, kind in found:
        assert kind is not None
        _explain_word(name, family, kind)


def _explain_word(name: str, family: str, kind: type[Definition]) -> None:
    console.write((name, "bold"), f" (one of the {family})")
    console.write()
    console.write(inspect.cleandoc(kind.__doc__ or ""))
    if kind.model_fields:
        console.write()
        rows = [(_argument(word, kind), _type(f.annotation), _default(f)) for word, f in kind.model_fields.items()]
        console.table(("argument", "type", "default"), rows, numbers=frozenset())
    console.write()


def _argument(word: str, kind: type[Definition]) -> str:
    return f"{word} (main)" if kind.main == word else word


def _type(annotation: Any) -> str:
    from specforge.cli.wording import type_words

    return type_words(annotation)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return "[]" if value == () else str(value)


command = guarded(explain)
