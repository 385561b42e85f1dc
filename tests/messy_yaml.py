"""YAML as careless people write it: random trees in random styles, and specs whose white space was shaken up."""

import random
import re
from collections.abc import Iterator

# joined at random these are YAML now and then, and nearly YAML mostly
PIECES = (
    *(" ", "  ", "\t", "\n", "\r\n", "\r", "\n  ", "\n    ", "\u2028", "\x85", "a", "b", "1", "é", "😀", "a: ", "b: "),
    *(":", ": ", "- ", "\n- ", "? ", "#", " # c\n", "{", "}", "[", "]", ", ", ",", "&a ", "*a", "'", '"', "\\", "%"),
    *("|", ">", "|+", "|-", "|2", ">-", "\nc: ", "\nd:\n", "|\n  x\n", ">+\n  x\n\n", "---", "..."),
)

WORDS = ("relu", "1e-3", "no", "$width", "$(a + b)", "two words", "é ü", "😀", "a#b", "x:y", "-1", "~", "http://a.b/c")
QUOTED = ('"$(widths[0], 1)"', "'it''s'", '"tab\\t # no comment"', "''", '"a: {b}"', '"\\u00e9"')
FLAT = ("[]", "{}", "[1,2 ,  3]", "{ a : 1,b: [x , y] }", '{"a":1}', "{when: $x, relu: }", "[ {a: 1}, b ]", "[a,]")


class Scribe:
    """Writes one document. Its choices come from `random` alone."""

    def __init__(self, choices: random.Random):
        self.random, self.anchors = choices, 0

    def document(self) -> str:
        lines = [*self.noise(), *self.mapping(0, self.random.choice((0, 0, 2)))]
        head = self.random.choice(("", "", "---\n", "--- # start\n", "%YAML 1.2\n---\n"))
        end = self.random.choice(("\n", "\n", "", "\n\n", "\n# end", "\n...\n"))
        return self.random.choice(("\n", "\n", "\r\n")).join((head + "\n".join(lines) + end).split("\n"))

    def one_of(self, *options: str) -> str:
        return self.random.choice(options)

    def noise(self) -> Iterator[str]:
        """Blank lines and comments between lines."""
        while self.random.random() < 0.25:
            yield self.one_of("", "", "   ", " " * self.random.randrange(9) + self.one_of("# a", "#b", "#  - c: 1  "))

    def behind(self) -> str:
        """What may stand behind a value."""
        spaces = " " * self.random.randrange(1, 9)
        return self.one_of("", "", "", "", "  ", f"{spaces}# one", f"{spaces}#two ", "\t# tab")

    def mapping(self, depth: int, indent: int) -> Iterator[str]:
        for number in range(self.random.randrange(1, 4)):
            key = self.one_of(f"key{number}", f"k{number} ", f'"q{number}"')
            yield from self.entry(" " * indent + key + ":", depth, indent, is_key=True)
            yield from self.noise()

    def sequence(self, depth: int, indent: int) -> Iterator[str]:
        for _ in range(self.random.randrange(1, 4)):
            if depth < 3 and self.random.random() < 0.4:  # a mapping that begins behind the dash
                space = self.random.randrange(1, 4)
                first, *others = self.mapping(depth + 1, indent + 1 + space)
                yield " " * indent + "-" + first[indent + 1 :] if first.startswith(" " * (indent + 1)) else first
                yield from others
            else:
                yield from self.entry(" " * indent + "-", depth, indent, is_key=False)
            yield from self.noise()

    def entry(self, head: str, depth: int, indent: int, *, is_key: bool) -> Iterator[str]:
        """What follows a key or a dash."""
        kind = self.random.randrange(9 if depth < 3 else 7)
        deeper = indent + self.random.randrange(1, 6)
        head += " " * self.random.randrange(1, 3)
        if kind == 8 or (kind == 7 and not is_key):
            yield head.rstrip() + self.behind()
            yield from self.noise()
            yield from self.mapping(depth + 1, deeper)
        elif kind == 7:
            yield head.rstrip() + self.behind()
            yield from self.noise()
            yield from self.sequence(depth + 1, self.random.choice((indent, deeper)))
        else:
            anchor = self.anchor() if self.random.random() < 0.1 else ""
            yield from self.value(head + anchor, " " * deeper, kind)

    def anchor(self) -> str:
        self.anchors += 1
        return f"&n{self.anchors} "

    def value(self, head: str, deeper: str, kind: int) -> Iterator[str]:
        more = self.one_of("", "  ", "\t")
        if kind == 3:
            yield head + self.one_of("", f"*n{self.anchors}" if self.anchors else "", "two", *QUOTED) + self.behind()
        elif kind == 4:
            yield from (head + self.one_of("|", ">", "|-", ">+", "|2-") + self.one_of("", "  ", "  # of a text"), "")
            yield from (deeper + line for line in ("one", "  two  ", "", "three # no comment", " "))
        elif kind == 5:
            quote = self.one_of("", "'", '"')
            yield from (f"{head}{quote}one  ", "", f"{deeper}{more}two", f"{deeper}three{quote}{self.behind()}")
        elif kind == 6:
            yield from (head + "[" + self.behind(), f"{deeper}a ,{self.behind()}", *self.noise(), f"{deeper}{{b: 1,")
            yield from (f"{deeper}{more}c : [d,{self.behind()}", f"{deeper}e]}}", f"{deeper}]{self.behind()}")
        else:
            yield head + self.random.choice(WORDS + FLAT) + self.behind()


def widened(text: str, width: int) -> str:
    """A canonical text with levels of `width` spaces, its dashes among them."""
    return re.sub("^(?:  |- )+", lambda found: (" " * (width - 1)).join([*found[0][::2], ""]), text, flags=re.MULTILINE)


def shaken(text: str, choices: random.Random) -> str:
    """A spec with other indentation, spaces, blank lines, comments and line ends."""
    width, ends = choices.choice((2, 3, 4)), choices.choice(("\n", "\r\n"))
    lines: list[str] = []
    for line in widened(text, width).splitlines():
        indent = len(line) - len(line.lstrip(" "))
        body = line[indent:]
        if choices.random() < 0.3 and '"' not in body and "#" not in body:
            body = re.sub(r" *([,}\]])", lambda found: " " * choices.randrange(3) + found[1], body)
            body = re.sub(r"([{\[,]) *", lambda found: found[1] + " " * choices.randrange(3), body)
            body = re.sub(r": (?=\S)", lambda _: ":" + " " * choices.randrange(1, 4), body)
        lines.append(" " * indent + body + " " * choices.choice((0, 0, 0, 2)))
        if choices.random() < 0.1:
            lines += [""] * choices.randrange(3) + [" " * choices.randrange(12) + choices.choice(("# note", "#"))]
    return ends.join(lines) + ends * choices.randrange(4)
