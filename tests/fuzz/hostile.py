"""Values, words and snippets that have broken readers of YAML and configuration before."""

from functools import cache
from typing import Any

from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.schema.sections import reached
from specforge.spec import Spec

ITEM_KEYS = ("id", "from", "when", "shared", "init", "trainable")
OTHER_KEYS = (
    *("params", "blocks", "extends", "include", "edit", "defaults", "times", "for", "index"),
    *("at", "replace", "set", "insert_before", "insert_after", "remove", "wrap", "required"),
    *("<<", "_target_", "__class__", "__init__", "self", "cls", "model_config", "file", "", "a.b", "0", "null", "true"),
)
EXPRESSIONS = (
    *("$w", "$width", "$channels", "$index", "$nope", "$", "$$", "${w}", "$(", "$()", "$(w", "$(1/0)", "$(10**18*10)"),
    *("$(9**64)", "$('a'*10000)", "$([0]*9999)", "$(len([[]]*9999))", "$(w if w else 1)", "$(w[0])", "$(w[::-1])"),
    *("$(-1 % 3)", "$(1 < 2 < 3)", "$(not w)", "$(min([]))", "$(max(1))", "$(sum(['a']))", "$(round(1.5, 1))"),
    *("$(floor(1e18))", "$(ceil('x'))", "$([1,2]+[3])", "$('%s' % 1)", "$(1 if)", "$(lambda: 0)", "$(x:=1)"),
    *("$([i for i in [1]])", "$(().__class__)", "$(__import__('os'))", "$(f'{1}')", "$(1j)", "$(0x10)", "$(1_000)"),
    *("$('a' in 'abc')", "$(1 in 2)", "$(True + True)", "$(None)", "$(...)", "$(b'x')", "$(*w)", "$(1,)", "$({})"),
    *("$(" + "(" * 70 + "1" + ")" * 70 + ")", "$(" + "-" * 200 + "1)", "$(" + "1+" * 400 + "1)", "stage_$w$w$w"),
    *("$(w and w or w)", "$([[[[[[[[1]]]]]]]])", "$(w == w)", "$(float)", "$(w.real)", "$(2**-64)", "$(0**-1)"),
    *("$('\\ud800')", "$(1e308*10)", "$(round(1e17+0.5))", "$([1]*-1)", "$(10//0)", "$(w is w)", "$(1 @ 2)"),
)
NUMBERS = (
    *(0, 1, -1, 2, 3, 7, 64, 255, 10**6, 2**31, 2**53 + 1, 2**63, 10**18, -(10**18), 10**30),
    *(0.0, -0.0, 0.5, 1.5, 1e-308, 5e-324, 1e308, -1e308, float("inf"), float("-inf"), float("nan"), 1e-3),
)
TEXTS = (
    *("", " ", "x", "same", "valid", "projection", "identity", "required", "official", "auto", "none", "previous"),
    *("input", "a.b", "train.optimizer.lr", "no", "yes", "1_000", "12:30", "2001-01-01", "0o17", "1e3", "~", "NULL"),
    *("é", "\u202e", "\u2028", "\x85", "\ufeff", "\u00a0", "😀", "a" * 3_000, "\t", "\n", "a\nb", "x\r\n", "#", "- "),
    *("../../etc/passwd", "/", ".", "..", "spec.yaml", "parent.yaml", "zoo/resnet18", "git:HEAD:x", "con", "a\0b"),
    *("os.system", "torch.nn.Conv2d", "!new", "*a", "&a", "<<", "{", "]", "'", '"', "%", "@", "`", "|", ">"),
)
SHAPES: tuple[Any, ...] = (
    *([], [[]], [1], [3, 32, 32], [0, 0], [1] * 5, [10**9] * 3, [10**18] * 4, [[1, 2], [3]], [None], [True], ["a"]),
    *(
        [[0, 0.5]],
        [[0.5, 0.2]],
        [["c"], [1]],
        [["c", "c"], [1, 2]],
        ["relu"],
        [["relu"]],
        [{"relu": None}],
        [[[["relu"]]]],
    ),
    *({}, {"a": 1}, {"relu": None}, {"relu": {}}, {"layers": []}, {"layers": ["relu"]}, {"layers": [["relu"]]}),
    *(
        {"conv": {"out_channels": 8, "kernel_size": 3}},
        {"times": 2, "layers": ["relu"]},
        {"times": 10**4, "layers": []},
    ),
    *(
        {"for": {"c": [1, 2]}, "layers": ["relu"]},
        {"for": [], "layers": []},
        {"iterations": [["relu"]]},
        {"paths": [[]]},
    ),
    *({"paths": [["relu"], []], "merge": "concat"}, {"select": {}, "initializer": "zeros"}, {"normal": {"std": -1}}),
)
SNIPPETS = (
    *"{}[]:,-#&*!|>'\"%@`$() \t\n\r0aé?~<=",
    *(
        "- ",
        ": ",
        "? ",
        "$(",
        "\n  ",
        "\n- ",
        "\u00a0",
        "\u2028",
        "\x85",
        "\ufeff",
        "\x1b[31m",
        "\0",
        "<<: *a",
        "&a ",
        "*a",
    ),
    *(
        "!!python/object/apply:os.system ",
        "!new ",
        "!!str ",
        "!!binary ",
        "---\n",
        "...\n",
        "%YAML 1.1\n---\n",
        "|\n",
        ">-\n",
    ),
    *(
        "\ud800",
        "1" * 500,
        "9" * 5_000,
        "0" * 500,
        "1e999999",
        "[" * 70,
        "{a: " * 70,
        "- " * 70,
        "  " * 200,
        "a" * 2_000,
    ),
    *EXPRESSIONS[:30],
)


@cache
def words() -> tuple[str, ...]:
    """Every word of the catalogue."""
    return tuple(word for family in FAMILIES for word in index(family))


@cache
def section_keys() -> tuple[str, ...]:
    """Every key of every section, and every argument of what is no layer."""
    kinds = [Spec, *reached(Spec).values()]
    kinds += [found for family in FAMILIES[1:] for word in index(family) if (found := definition(family, word))]
    return tuple(dict.fromkeys(key for kind in kinds for key in kind.model_fields))


@cache
def layer_words() -> tuple[str, ...]:
    return tuple(index("layers"))
