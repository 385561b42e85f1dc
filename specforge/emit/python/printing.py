"""Terms -> code: how constructors, loops and formulas are written."""

import re
from collections.abc import Mapping
from typing import Any

from specforge.emit.python.layout import Brackets, Choice, Code, Each, flat
from specforge.emit.python.names import is_plain
from specforge.emit.python.terms import (
    ABSENT,
    Comprehension,
    Formula,
    Group,
    Held,
    Literal,
    Make,
    Maybe,
    Name,
    Reference,
    Term,
    Tuple,
)

# what torch's constructors take without a name, from the first on
_POSITIONAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"nn\.(Lazy)?Conv\w*", ("in_channels", "out_channels")),
    (r"nn\.Linear", ("in_features", "out_features")),
    (r"nn\.(Batch|Instance)Norm\w*", ("num_features",)),
    (r"nn\.(Layer|RMS)Norm", ("normalized_shape",)),
    (r"nn\.\w*Dropout\w*", ("p",)),
    (r"nn\.(Max|Avg)Pool\w*", ("kernel_size",)),
    (r"nn\.Adaptive\w*", ("output_size",)),
    (r"nn\.(ZeroPad|ConstantPad|ReflectionPad|ReplicationPad|CircularPad)\w*", ("padding",)),
    (r"nn\.(Pixel\w+)", ("upscale_factor",)),
    (r"nn\.ChannelShuffle", ("groups",)),
)
_BINDS = re.compile(r"\*|//|\+|not ")  # more tightly than what may stand inside
_NEVER_PLAIN = ("dim", "size")
FEW = 2  # arguments of a class of the file that need no names


class Printer:
    """Writes terms; `positional` gives what the constructors of inlined modules take without a name."""

    def __init__(self, positional: Mapping[str, tuple[str, ...]]):
        self.positional = positional

    def code(self, term: Term) -> Code:
        if isinstance(term, Literal):
            return literal(term.value)
        if isinstance(term, Reference):
            return term.variable.name
        if isinstance(term, Formula):
            binds = bool(_BINDS.search(term.template))
            parts = [flat(self.code(part)) for part in term.parts]
            return term.template.format(*[_atom(part) if binds or " if " in part else part for part in parts])
        if isinstance(term, Tuple):
            return Brackets("(", tuple(self.code(entry) for entry in term.entries), ")", comma=True)
        if isinstance(term, Make):
            return self._call(term)
        if isinstance(term, Group):
            return self._group(term)
        if isinstance(term, Held):
            return self._held(term)
        if isinstance(term, Comprehension):
            return Brackets("nn.Sequential(", (self._loop(term),), ")")
        if isinstance(term, Maybe):
            return Choice("", self.code(term.term), flat(self.code(term.present)), "nn.Identity()")
        raise AssertionError(term)

    def _call(self, make: Make) -> Code:
        target = make.target if isinstance(make.target, str) else flat(self.code(make.target))
        given = [(name, value) for name, value in make.arguments if not self._is_default(make, name, value)]
        plain = self._without_names(make, target, [name for name, _ in given])
        entries: list[Code] = []
        for number, (name, value) in enumerate(given):
            code = self.code(value)
            entries.append(code if number < plain else keyword_argument(name, code))
        return Brackets(f"{target}(", tuple(entries), ")")

    @staticmethod
    def _is_default(make: Make, name: str, value: Term) -> bool:
        """Whether a class of the file has this value where none is given."""
        if not make.is_own or make.defaults.get(name, ABSENT) is ABSENT or not isinstance(value, Literal):
            return False
        return repr(value.value) == repr(make.defaults[name])

    def _without_names(self, make: Make, target: str, given: list[str]) -> int:
        """How many of the first arguments need no name."""
        if make.is_own:
            required = [name for name in given if make.defaults.get(name, ABSENT) is ABSENT]
            return len(required) if len(required) <= FEW else 0
        names = self.positional.get(target, ())[:1]
        if target not in self.positional:
            names = next((names for pattern, names in _POSITIONAL if re.fullmatch(pattern, target)), ())
        count = 0
        for name, wanted in zip(given, names, strict=False):
            if name != wanted or name in _NEVER_PLAIN:
                break
            count += 1
        return count

    def _group(self, group: Group) -> Code:
        names = [name for name, _ in group.children]
        codes = [self.code(child) for _, child in group.children]
        if names == [*map(str, range(len(names)))]:
            return Brackets("nn.Sequential(", tuple(codes), ")")
        if all(is_plain(name) for name in names):
            entries = tuple(keyword_argument(name, code) for name, code in zip(names, codes, strict=True))
            return Brackets("nn.Sequential(", (Brackets("OrderedDict(", entries, ")"),), ")")
        pairs = tuple(Brackets("(", (literal(name), code), ")") for name, code in zip(names, codes, strict=True))
        return Brackets("nn.Sequential(", (Brackets("OrderedDict(", (Brackets("[", pairs, "]"),), ")"),), ")")

    def _held(self, held: Held) -> Code:
        if held.join is None:
            return self.code(held.group)
        assert isinstance(held.group, Group)
        paths = tuple(self.code(child) for _, child in held.group.children)
        return Brackets("nn.ModuleList(", (Brackets("[", paths, "]"),), ")")

    def _loop(self, loop: Comprehension) -> Code:
        body = self.code(loop.body)
        if loop.rows is None:
            return Each("*[", body, loop.index or "_", f"range({flat(self.code(loop.count))})")
        names = ", ".join(loop.variables)
        rows = self.code(loop.rows)
        if loop.index is None:
            return Each("*[", body, Brackets("(", loop.variables, ")") if len(loop.variables) > 1 else names, rows)
        names = f"({names})" if len(loop.variables) > 1 else names
        return Each("*[", body, f"{loop.index}, {names}", Brackets("enumerate(", (rows,), ")"))


def keyword_argument(name: str, code: Code) -> Code:
    """`name=code`."""
    if isinstance(code, str):
        return f"{name}={code}"
    if isinstance(code, Brackets):
        return Brackets(f"{name}={code.opening}", code.entries, code.closing, code.comma)
    if isinstance(code, Each):
        return Each(f"{name}={code.opening}", code.what, code.names, code.values)
    assert isinstance(code, Choice)
    return Choice(f"{name}=", code.yes, code.condition, code.no)


def literal(value: Any) -> Code:
    """A value as Python writes it, with short exponents."""
    if value is ABSENT:
        return "None"
    if isinstance(value, Name):
        return value.text
    if isinstance(value, tuple):
        return Brackets("(", tuple(literal(entry) for entry in value), ")", comma=True)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return quoted(value)
    return repr(value)


def number(value: float) -> str:
    """`1e-5` for what Python shows as `1e-05`, and `1e-3` for `0.001`."""
    if value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    text = re.sub(r"e([+-])0+(\d)", r"e\1\2", repr(value)).replace("e+", "e")
    exponent = re.fullmatch(r"0\.(00+)([1-9])", text)
    return f"{exponent[2]}e-{len(exponent[1]) + 1}" if exponent else text


def quoted(text: str) -> str:
    """Text in double quotes, all but plain characters written out."""
    shown = text.replace("\\", "\\\\").replace('"', '\\"')
    if '"' in text and "'" not in text:
        shown = text.replace("\\", "\\\\")
        return "'" + _escaped(shown) + "'"
    return f'"{_escaped(shown)}"'


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _atom(text: str) -> str:
    """In brackets where it is more than a name, a number or a call."""
    return f"({text})" if " " in text else text
