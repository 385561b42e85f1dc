"""Expressions -> lines of at most 120 columns, as ruff and black lay them out.

What fits stays on one line; brackets that don't fit are opened, one entry a line, with a comma behind the last.
"""

from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap

WIDTH = 120
STEP = "    "


@dataclass(frozen=True)
class Brackets:
    """`opening entry, entry closing`, as a call or a tuple; `comma` keeps the comma of a tuple of one."""

    opening: str
    entries: tuple["Code", ...]
    closing: str
    comma: bool = False

    @cached_property
    def flat(self) -> str:
        comma = "," if self.comma and len(self.entries) == 1 else ""
        return f"{self.opening}{', '.join(flat(entry) for entry in self.entries)}{comma}{self.closing}"


@dataclass(frozen=True)
class Each:
    """`[what for names in values]`, with what stands before the bracket; several names only have brackets when long."""

    opening: str
    what: "Code"
    names: "str | Brackets"
    values: "Code"

    @cached_property
    def flat(self) -> str:
        return f"{self.opening}{flat(self.what)} for {self.shown_names} in {flat(self.values)}]"

    @property
    def shown_names(self) -> str:
        return self.names if isinstance(self.names, str) else self.names.flat[1:-1]


@dataclass(frozen=True)
class Choice:
    """`prefix yes if condition else no`; `prefix` is a keyword with its equals sign, or nothing."""

    prefix: str
    yes: "Code"
    condition: str
    no: str

    @cached_property
    def flat(self) -> str:
        return f"{self.prefix}{flat(self.yes)} if {self.condition} else {self.no}"


@dataclass(frozen=True)
class Operation:
    """`a + b + c`, in brackets with a line for each where it is long."""

    operator: str
    values: tuple[str, ...]

    @cached_property
    def flat(self) -> str:
        return f" {self.operator} ".join(self.values)


Code = str | Brackets | Each | Choice | Operation


def flat(code: Code) -> str:
    """On one line."""
    return code if isinstance(code, str) else code.flat


def lines(code: Code, *, indent: str, before: str = "", behind: str = "") -> list[str]:
    """The lines of a statement or an entry: `before` is on its first line, `behind` on its last."""
    whole = f"{indent}{before}{flat(code)}{behind}"
    if len(whole) <= WIDTH or isinstance(code, str):
        return [whole]
    inner = indent + STEP
    if isinstance(code, Operation):
        rest = [f"{inner}{code.operator} {value}" for value in code.values[1:]]
        return [f"{indent}{before}(", f"{inner}{code.values[0]}", *rest, f"{indent}){behind}"]
    if isinstance(code, Brackets):
        if not code.entries:
            return [whole]
        body = [line for entry in code.entries for line in lines(entry, indent=inner, behind=",")]
        return [f"{indent}{before}{code.opening}", *body, f"{indent}{code.closing}{behind}"]
    if isinstance(code, Each):
        head = [f"for {code.shown_names} in "]
        if isinstance(code.names, Brackets) and len(inner + head[0]) + 1 > WIDTH:
            head = ["for (", *[f"{STEP}{name}," for name in map(flat, code.names.entries)], ") in "]
        values = lines(code.values, indent=inner, before=head[-1])
        body = [*lines(code.what, indent=inner), *[inner + line for line in head[:-1]], *values]
        return [f"{indent}{before}{code.opening}", *body, f"{indent}]{behind}"]
    body = [*lines(code.yes, indent=inner), f"{inner}if {code.condition}", f"{inner}else {code.no}"]
    return [f"{indent}{before}{code.prefix}(", *body, f"{indent}){behind}"]


def docstring(paragraphs: list[str], *, indent: str) -> list[str]:
    """A docstring of paragraphs; one that is already laid out has its lines in it."""
    shown = [paragraph.replace("\\", "\\\\").replace('"""', "'''") for paragraph in paragraphs]
    first, *rest = shown
    found: list[str] = []
    for paragraph in (f'"""{first}', *rest):
        block = [line for text in paragraph.split("\n") for line in _wrapped(text, WIDTH - len(indent) - 3)]
        found += ([""] if found else []) + [f"{indent}{line}".rstrip() for line in block]
    last = found[-1]
    if not rest and len(found) == 1:
        space = " " if last.endswith('"') and not last.endswith('"""') else ""
        return [f'{last}{space}"""']
    return [*found, f'{indent}"""']


def _wrapped(text: str, width: int) -> list[str]:
    lead = text[: len(text) - len(text.lstrip())]
    if len(text) <= width or lead:
        return [text]
    return wrap(text, width, break_long_words=True, break_on_hyphens=False) or [""]
