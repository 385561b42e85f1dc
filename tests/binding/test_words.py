"""The three ways to write a word, one finding for one mistake, and the words of messages."""

import pytest

from specforge.binding import Binder, plain
from specforge.binding.wording import found, listed, value_hint
from specforge.catalog.definition import Initializer
from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.catalog.distributions.choice import Choice
from specforge.catalog.distributions.ranges import Uniform
from specforge.catalog.optimizers.adam import Adam
from specforge.diagnostics import Findings, Span
from specforge.search_space import Search
from specforge.source import Mapping
from tests.binding.nodes import bound, items, node_of, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adam", Adam()),
        ("adam:", Adam()),
        ("{adam: {}}", Adam()),
        ("adam: 0.1", Adam(lr=0.1)),
        ("adam: {lr: 0.1, betas: [0.8, 0.9]}", Adam(lr=0.1, betas=(0.8, 0.9))),
        ("adam: {lr: 1}", Adam(lr=1)),
    ],
)
def test_a_word_is_written_in_three_ways(text: str, expected: Adam) -> None:
    assert word(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("adma", "unknown optimizer `adma`", "did you mean `adam`?"),
        ("torch.optim.Adam", "unknown optimizer `torch.optim.Adam`", "did you mean `adam`?"),
        ("rms_prop", "unknown optimizer `rms_prop`", "specforge calls it `rmsprop`"),
        ("RMSprop: 0.1", "unknown optimizer `RMSprop`", None),
        ("adam(0.1)", "unknown optimizer `adam(0.1)`", "write `adam: …`, or `adam: {…}` for several arguments"),
        ("adam:0.1", "unknown optimizer `adam:0.1`", "put a space after `:`, as in `adam: 0.1`"),
        ("0.1", "expected a word for the optimizer, found `0.1`", None),
        ("[adam]", "expected a word for the optimizer, found the list [adam]", None),
        ("{}", "expected a word for the optimizer, found a mapping", None),
        ("{adam: , sgd: , rmsprop: }", "expected one optimizer, found 3: adam, sgd and rmsprop", "keep one of them"),
        (
            "{adam: , lr: 0.1}",
            "expected one word for the optimizer, found 2 keys",
            "arguments go inside: `adam: {lr: …}`",
        ),
        (
            "{type: adam, lr: 0.1}",
            "expected one word for the optimizer, found 2 keys",
            "the word is the key: `adam: {…}`",
        ),
        ("{a: 1, b: 2}", "expected one word for the optimizer, found 2 keys", None),
        ("adam: {rate: 1}", "`adam` has no `rate`", "expected one of `amsgrad`, `betas`, `eps`, `lr`, `weight_decay`"),
        ("adam: {epsilon: 1}", "`adam` has no `epsilon`", "specforge calls it `eps`"),
        ("adam: {sgd: 1}", "`adam` has no `sgd`", "`sgd` is not an argument but another optimizer: write it instead"),
        ("adam: fast", "`lr` of `adam` must be a number greater than 0, or `find`, found the text `fast`", None),
        (
            "adam: [0.1]",
            "`lr` of `adam` must be a number greater than 0, or `find`, found the list [0.1]",
            "write `0.1`",
        ),
        ("adam: {betas: 0.9}", "`betas` must be a list, found `0.9`", "write `[0.9]`"),
        ("adam: {betas: [0.9]}", "`betas` must be a list of 2, found the list [0.9]", None),
        ("adam: {betas: [0.9, 0.9, 0.9]}", "`betas` must be a list of at most 2, found the list [0.9, 0.9, 0.9]", None),
        ("adam: {betas: [0.9, 2]}", "`betas` must be less than 1, found `2`", None),
    ],
)
def test_a_word_that_is_wrong(text: str, message: str, hint: str | None) -> None:
    value, said = word(text)
    assert value is None
    assert [line for line, _ in said] == [message]
    assert hint is None or hint == said[0][1]


def aliases() -> list[tuple[str, str, str]]:
    """Every other name of every word, with its family and the word."""
    words = [(family, word, definition(family, word)) for family in FAMILIES for word in index(family)]
    return [(family, word, alias) for family, word, entry in words if entry for alias in entry.also_known_as]


@pytest.mark.parametrize("alias", aliases(), ids="-".join)
def test_what_other_frameworks_call_it_is_told(alias: tuple[str, str, str]) -> None:
    family, name, other = alias
    findings = Findings()
    Binder(findings).unknown_word(family, other, Span("a.yaml", 1, 1, 1, 2))
    (said,) = findings
    assert said.hint == f"specforge calls it `{name}`"


def test_an_initializer_is_a_word_like_any_other() -> None:
    assert word("zeros", Initializer)[1] == []
    assert word("{constant: 0.1}", Initializer)[1] == []
    assert word("glorot_uniform", Initializer)[1] == [
        ("unknown initializer `glorot_uniform`", "specforge calls it `xavier_uniform`")
    ]


@pytest.mark.parametrize(
    ("text", "wanted", "hint"),
    [
        ("no", "true or false", "in YAML 1.2 `no` is text: write `false`"),
        ("On", "true or false", "in YAML 1.2 `On` is text: write `true`"),
        ("'true'", "true or false", "remove the quotes: write `true`"),
        ("maybe", "true or false", None),
        ("'40'", "a whole number", "remove the quotes: a quoted number is text"),
        ("'1e-3'", "a number", "remove the quotes: a quoted number is text"),
        ("1_000", "a whole number", "in YAML 1.2 `1_000` is text: write `1000`"),
        ("1_0.5", "a number", "in YAML 1.2 `1_0.5` is text: write `10.5`"),
        ("12,345,678", "a whole number", "in YAML 1.2 `12,345,678` is text: write `12345678`"),
        ("80%", "a number", "in YAML 1.2 `80%` is text: write `0.8`"),
        ("12.5 %", "a number", "in YAML 1.2 `12.5 %` is text: write `0.125`"),
        ("4/5", "a number", "in YAML 1.2 `4/5` is text: write `0.8`"),
        ("1/0", "a number", None),
        ("0b11", "a whole number", "in YAML 1.2 `0b11` is text: write `3`"),
        ("“3”", "a whole number", "in YAML 1.2 `“3”` is text: write `3`"),
        ("12:30", "a whole number", None),
        ("|\n  64\n", "a whole number", "write `64` on the key's line"),
        ("sme", "`same` or `valid`", "did you mean `same`?"),
        ("xyz", "`same` or `valid`", None),
        ("3", "text", 'write it in quotes: `"3"`'),
        ("true", "text", 'write it in quotes: `"true"`'),
        ("16.0", "a whole number", "write `16`; in an expression, `//` divides to a whole number"),
        ("8.5", "a whole number", None),
        ("50", "less than 1", "write 50 percent as `0.5`"),
        ("2", "less than 1", None),
        ("3", "a list", "write `[3]`"),
        ("a", "a list", "write `[a]`"),
        ("[3]", "a whole number", "write `3`"),
        ("[3, 4]", "a whole number", None),
        ("{a: 1}", "a list", "write the values in `[…]`, without names"),
        ("{a: 1}", "a list of layers", "start each layer with `- `"),
        ("[a]", "a mapping", "write `key: value` pairs, in `{…}` or a line each"),
        ("", "a number", "give it a value, or remove the key"),
    ],
)
def test_hints_for_values(text: str, wanted: str, hint: str | None) -> None:
    node = node_of(f"x: {text}\n")
    assert isinstance(node, Mapping)
    assert value_hint(node.entries["x"].value, wanted) == hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing"),
        ("3", "`3`"),
        ("1e-3", "`1e-3`"),
        ("true", "`true`"),
        ("no", "the text `no`"),
        ("x" * 50, f"the text `{'x' * 37}…`"),
        ("[1, -2]", "the list [1, -2]"),
        ("[]", "the list []"),
        ("[[1]]", "a list"),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9]", "a list"),
        ("{a: 1}", "a mapping"),
    ],
)
def test_what_was_found(text: str, words: str) -> None:
    node = node_of(f"x: {text}\n")
    assert isinstance(node, Mapping)
    assert found(node.entries["x"].value) == words


def test_lists_of_words() -> None:
    assert listed(["a"], "or") == "a"
    assert listed(["a", "b"], "or") == "a or b"
    assert listed(["a", "b", "c"], "and") == "a, b and c"


def test_plain_values() -> None:
    assert plain(node_of("{a: [1, {b: x}], c: }")) == {"a": (1, {"b": "x"}), "c": None}


def test_equal_arguments_are_one_layer_in_items_of_their_own() -> None:
    conv = "conv: {out_channels: 8, kernel_size: [3, 3]}"
    (a, b), _ = items(f"- {{id: a, {conv}}}\n- {{id: b, {conv}}}\n")
    assert a.layer is b.layer
    assert [item.argument_spans["kernel_size"].line for item in (a, b)] == [1, 2]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("dropout: 0", "dropout: false", "`p` of `dropout` must be a number, found `false`"),
        ("dropout: {p: 0}", "dropout: {p: '0'}", "`p` must be a number, found the text `0`"),
        (
            "conv: {out_channels: 1, kernel_size: 1}",
            "conv: {out_channels: true, kernel_size: 1}",
            "`out_channels` must be a whole number, found `true`",
        ),
        ("max_pool: [2, 2]", "max_pool: [2.0, 2]", "`kernel_size` of `max_pool` must be a whole number"),
        ("relu: {}", "relu: []", "`relu` takes no arguments, found the list []"),
    ],
)
def test_arguments_that_python_holds_for_equal_are_not(right: str, wrong: str, said: str) -> None:
    bound_items, messages = items(f"- {{id: a, {right}}}\n- {{id: b, {wrong}}}\n- {{id: c, {wrong}}}\n")
    assert bound_items is None
    assert [message[: len(said)] for message in messages] == [said] * 2


def test_equal_arguments_over_other_defaults_are_another_layer() -> None:
    binder = Binder(Findings(), defaults={"dropout": Mapping(Span("a.yaml", 1, 1, 1, 2), {})})
    listed = node_of("- {id: a, dropout: }\n")
    first = binder.items(listed, "`layers`")
    defaults = node_of("p: 0.25")
    assert isinstance(defaults, Mapping)
    binder.defaults = {"dropout": defaults}
    second = binder.items(listed, "`layers`")
    assert first is not None
    assert second is not None
    assert [item.layer.model_dump()["p"] for item in (*first, *second)] == [0.5, 0.25]


def test_layers_of_layers_keep_their_own_items() -> None:
    body = "sequential: {layers: [{id: x, relu: }]}"
    (a, b), _ = items(f"- {{id: a, {body}}}\n- {{id: b, {body}}}\n")
    assert [item.layer.layers[0].span.line for item in (a, b)] == [1, 2]


def test_each_key_of_a_mapping_holds_a_word() -> None:
    found, messages = bound("space: {a.b: {choice: [1, x]}, c: {uniform: [0, 1]}}", Search)
    assert messages == []
    assert isinstance(found, Search)
    assert found.space == {"a.b": Choice(values=(1, "x")), "c": Uniform(bounds=(0, 1))}


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("space: {a: {chioce: [1]}, b: 3}", ["1:13 SF304 unknown distribution `chioce`",
                                             "1:30 SF305 expected a word for the distribution, found `3`"]),
        ("space: [1]", ["1:8 SF303 `space` must be a mapping, found the list [1]"]),
        ("space:", ["1:7 SF303 `space` must be a mapping, found nothing"]),
    ],
)  # fmt: skip
def test_what_is_no_mapping_of_words(text: str, messages: list[str]) -> None:
    assert bound(text, Search) == (None, messages)
