"""Specs that are small to write and large to read: many of one thing, deep, doubled, or long."""

import re
from collections.abc import Callable
from random import Random

from tests.fuzz.hostile import EXPRESSIONS, layer_words
from tests.fuzz.recipe_floods import recipe_flood

HEAD = "specforge: 1\nname: flood\nmodel:\n  input: [3, 32, 32]\n  layers:\n"
COUNTS = (10, 100, 1_000, 1_000, 5_000, 20_000)


def flood(random: Random) -> bytes:
    return random.choice(FLOODS)(random).encode("utf-8", "surrogatepass")


def _items(random: Random) -> str:
    """One item many times, its mistake with it; `#` becomes its number."""
    item = random.choice(
        (
            *(
                "relu",
                "nope",
                "nope#",
                "convv#: 3",
                "conv: {out_channel: 8}",
                "conv: {out_channels: 8, kernel_size: #}",
            ),
            *(
                "{id: same, relu: }",
                "{id: a#, relu: }",
                "{id: 'a-#', relu: }",
                "{name: a, relu: }",
                "linear: #",
                "- relu",
            ),
            *(
                "{from: nope#, relu: }",
                "{from: input, relu: }",
                "{from: a#, relu: }",
                "{shared: w, linear: 4}",
                "$nope#",
            ),
            *("{from: [input, previous], add: }", "{from: [input, previous], concat: }", "{when: '$nope', relu: }"),
            *(
                "{shared: w#, linear: 4}",
                "{shared: w, linear: #}",
                "dropout: #",
                "conv: #",
                "{relu: , tanh: }",
                "3",
                "",
            ),
            *(
                "{init: {weight: nope#}, linear: 3}",
                "{init: {nope: zeros}, linear: 3}",
                "batch_norm: {eps: a}",
                "flatten",
            ),
            *(
                "repeat: {times: 2, layers: [relu]}",
                "repeat: {times: 9}",
                "residual: {layers: [relu]}",
                "residual: [relu]",
            ),
            *(
                "sequential: {layers: [nope#]}",
                "residual: {layers: [linear: #]}",
                "relu: {a#: 1}",
                "max_pool: 2",
                "a\tb",
            ),
            *(
                "conv: {out_channels: $(1/0), kernel_size: 3}",
                f'conv: {{out_channels: "{random.choice(EXPRESSIONS)}"}}',
            ),
            *("conv: {out_channels: 8, kernel_size: 3, a#: 1, b#: 2, c#: 3}", "&a# relu", "&a relu", "!t# relu", "*a"),
            random.choice(layer_words()),
        )
    )
    return HEAD + "".join(f"    - {item.replace('#', str(number))}\n" for number in range(random.choice(COUNTS)))


def _keys(random: Random) -> str:
    """Many keys where few belong."""
    place = random.choice(("", "model:\n", "train:\n", "params:\n", "blocks:\n", "accept:\n", "expect:\n", "data:\n"))
    indent = "  " if place else ""
    value = random.choice(
        ("1", "{layers: [relu]}", "$k0", "reason", "[a]", "$(1/0)", "{params: {a: required}, layers: [k0]}")
    )
    keys = "".join(f"{indent}k{number}: {value}\n" for number in range(random.choice(COUNTS)))
    return "specforge: 1\nname: keys\n" + place + keys


def _aliases(random: Random) -> str:
    """Each anchor repeats the one before it several times."""
    each, levels = random.choice(((2, 25), (9, 9), (10, 60), (1, 300), (3, 13)))
    lines = ["a0: &a0 [relu]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * each)}]" for n in range(1, levels)]
    tail = random.choice(
        ("", f"<<: *a{levels - 1}\n", f"model: {{input: [3], layers: *a{levels - 1}}}\n", "x: &x {<<: *x}\n")
    )
    return "\n".join(lines) + "\n" + tail


def _depth(random: Random) -> str:
    count = random.choice((50, 63, 64, 65, 500, 20_000, 100_000))
    opened, closed = random.choice(
        (("[", "]"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]"), ("- sequential: {layers: [", "]}"))
    )
    return (
        HEAD.removesuffix("  layers:\n")
        + "  layers: "
        + "\n    " * (opened[0] == "-")
        + opened * count
        + "1"
        + closed * count
    )


def _numbers(random: Random) -> str:
    digits = random.choice((19, 399, 400, 401, 5_000, 200_000))
    forms = ("{9}", "-{9}", "0.{1}", "1e{9}", "0x{f}", "$({9})", "'{9}'", "1{0}")
    number = re.sub(r"{(.)}", lambda form: form[1] * digits, random.choice(forms))
    where = random.choice(
        ("linear: {}", "dropout: {}", "conv: {{out_channels: {}, kernel_size: 3}}", "{}", "{{id: {}, relu: }}")
    )
    return HEAD + f"    - {where.format(number)}\n"


def _blocks(random: Random) -> str:
    """Blocks that use the next one several times: a few lines that expand to more than any network."""
    levels, each = random.choice(((5, 3), (14, 2), (20, 2), (60, 1), (70, 1), (6, 10), (40, 3)))
    lines = ["specforge: 1", "name: blocks", "blocks:"]
    for n in range(levels):
        inside = (
            ", ".join([f"b{n + 1}"] * each) if n < levels - 1 else random.choice(("relu", "nope", "b0", "linear: $x"))
        )
        params = random.choice(("", "params: {x: 3}, ", "params: {x: [relu]}, "))
        lines.append(f"  b{n}: {{{params}layers: [{inside}]}}")
    return "\n".join([*lines, "model: {input: [3], layers: [b0]}"]) + "\n"


def _repeats(random: Random) -> str:
    levels, times = random.choice(
        ((1, 10_000), (1, 10_001), (2, 100), (2, 1_000), (3, 30), (6, 10), (30, 2), (61, 1), (1, 20_000))
    )
    body = random.choice(
        (
            *("relu", "nope", "conv: {out_channels: 4, kernel_size: 1}", "linear: $(index + 1)", "{id: a, relu: }"),
            *("{shared: w, linear: 3}", "{from: input, relu: }", "dropout: $(1/index)", "{when: $(index > 3), relu: }"),
        )
    )
    for _ in range(levels):
        body = (
            f"repeat: {{times: {times}, layers: [{body}]}}"
            if random.random() < 0.9
            else f"residual: {{layers: [{body}]}}"
        )
    return HEAD + f"    - {body}\n"


def _params(random: Random) -> str:
    """Params that double, splice and nest each other."""
    step = random.choice(
        ("$(p{0} + p{0})", "[$p{0}, $p{0}]", "$p{0}", "$p{0}$p{0}", "$([p{0}])", "{{sequential: {{layers: $p{0}}}}}")
    )
    first = random.choice(("[relu]", "[1, 2]", "a", "{linear: 3}", "3", "[$q]"))
    lines = ["specforge: 1", "name: params", "params:", f"  p0: {first}"]
    lines += [f"  p{n + 1}: {step.format(n)}" for n in range(random.choice((5, 20, 70, 990, 1_001)))]
    name = lines[-1].strip().split(":")[0]
    return "\n".join([*lines, "model:", "  input: [3]", f"  layers: [linear: 2, ${name}]"]) + "\n"


def _text(random: Random) -> str:
    """One very long value, line or comment."""
    size = random.choice((1_000, 100_000, 3_000_000))
    return random.choice(
        (
            "# " + "x" * size + "\nspecforge: 1\n",
            "specforge: 1\nname: " + "x" * size + "\n",
            HEAD + "    - " + "x" * size + "\n",
            HEAD + "    - conv: {" + "x" * min(size, 900) + ": 1}\n",
            HEAD + "    - {id: " + "é" * size + ", relu: }\n",
            HEAD + "    - linear: " + "$" * size + "\n",
            HEAD + "    - linear: $(" + "(" * size + "\n",
            HEAD + "    - linear: $" + "x" * size + "\n",
            HEAD + "    - linear: '" + "$x" * min(size, 10_000) + "'\n",
            "a: [" + "1," * (size // 2) + "]\n",
            "a: " + "[[],\n" * (size // 5),
            "\n" * size + "specforge: 1\n",
            "specforge: 1\nname: |\n" + "  x\n" * (size // 4),
            "\t" * size,
            "- " * (size // 2),
            "? " * (size // 2),
            '"' + "\\x41" * (size // 4) + '": 1\n',
            "extends: " + "a/" * (size // 2) + "\n",
        )
    )


FLOODS: tuple[Callable[[Random], str], ...] = (
    *(
        _items,
        _items,
        _items,
        recipe_flood,
        recipe_flood,
        recipe_flood,
        _keys,
        _aliases,
        _depth,
        _numbers,
        _blocks,
        _repeats,
        _params,
        _text,
    ),
)
