"""Texts expanded for the tests, and expanded trees in a short form."""

from pathlib import Path
from textwrap import dedent
from typing import Any

from specforge.analysis import choices
from specforge.binding import plain, signature
from specforge.diagnostics import Findings, Rule
from specforge.expand import Expanded, expand
from specforge.expand.words import ITEM_KEYS
from specforge.recipe import Recipe
from specforge.source import Mapping, Node, Scalar, parse

RECIPE = frozenset(Recipe.model_fields) - {"epochs"}


def no_parent(path: Path, reference: Scalar, rule: Rule) -> Node | None:
    raise AssertionError(f"this text stands alone, it reads {path}")


def expanded(text: str, findings: Findings, settings: tuple[str, ...] = ()) -> Expanded | None:
    tree = parse(dedent(text), "a.yaml", findings)
    assert tree is not None, [found.message for found in findings]
    return expand(
        tree,
        file=Path("a.yaml"),
        load=no_parent,
        settings=settings,
        choices=choices(),
        signature=signature,
        recipe=RECIPE,
        findings=findings,
    )


def tree_of(text: str, settings: tuple[str, ...] = ()) -> Mapping:
    """The expanded tree of a text without mistakes."""
    findings = Findings()
    found = expanded(text, findings, settings)
    assert not len(findings), said(findings)
    assert found is not None
    return found.tree


def data_of(text: str, settings: tuple[str, ...] = ()) -> Any:
    return plain(tree_of(text, settings))


def said(findings: Findings) -> list[str]:
    """Findings in short: `a.yaml:3:4 SF205 message`."""
    return [f"{found.span} {found.code} {found.message}" for found in findings]


def mistakes(text: str, settings: tuple[str, ...] = ()) -> list[str]:
    """What is said about a text with mistakes."""
    findings = Findings()
    expanded(text, findings, settings)
    return said(findings)


def network(layers: str, *, params: str = "", blocks: str = "") -> str:
    """A spec of these layers (lines of `- …`), params and blocks."""
    parts = [f"params: {params}" if params else "", "blocks:" if blocks else "", _indented(blocks, 2)]
    return (
        "\n".join([*(part for part in parts if part), "model:", "  input: [3]", "  layers:", _indented(layers, 4)])
        + "\n"
    )


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in dedent(text).strip().splitlines())


def layers_of(layers: str, *, params: str = "", blocks: str = "") -> list[str]:
    """The paths and arguments of the expanded leaf layers, in order: `unit_1.conv_1 {"out_channels": 8}`."""
    return leaves_of(data_of(network(layers, params=params, blocks=blocks))["model"]["layers"])


def leaves_of(items: Any) -> list[str]:
    """The leaf layers of expanded items, as `layers_of` gives them."""
    return [f"{path} {arguments}".removesuffix(" None") for path, arguments in _leaves(items, "")]


def _leaves(items: Any, prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for item in items:
        kind = next(key for key in item if key not in ITEM_KEYS)
        arguments, path = item[kind], prefix + item["id"]
        inside = arguments if isinstance(arguments, dict) else {}
        if "iterations" in inside or "paths" in inside:
            for number, layers in enumerate(inside.get("iterations", inside.get("paths"))):
                found += _leaves(layers, f"{path}.{number}.")
        elif "layers" in inside:
            found += _leaves(inside["layers"], f"{path}.")
            if isinstance(inside.get("shortcut"), tuple):
                found += _leaves(inside["shortcut"], f"{path}.shortcut.")
        else:
            found.append((path, arguments))
    return found
