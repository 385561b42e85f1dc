"""Nodes to frozen objects: what fields hold, the three ways to write a word, and one finding for one mistake."""

from textwrap import dedent
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from specforge.binding import Binder, ChoicePaths, choice_paths, held, plain, signature
from specforge.binding.annotations import Held
from specforge.binding.wording import found, listed, value_hint
from specforge.catalog.definition import Count, Initializer, Items, Optimizer, Section
from specforge.catalog.discovery import FAMILIES, definition, index
from specforge.catalog.distributions.choice import Choice
from specforge.catalog.distributions.ranges import Uniform
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.optimizers.adam import Adam
from specforge.diagnostics import Findings, Span
from specforge.recipe import Train
from specforge.search_space import Search
from specforge.source import Mapping, Node, Scalar, parse
from specforge.spec import Data, Model, Spec, Split


def node_of(text: str) -> Node:
    findings = Findings()
    node = parse(dedent(text), "a.yaml", findings)
    assert node is not None, [found.message for found in findings]
    return node


def bound(text: str, kind: type[Section] = Train, **options: Any) -> tuple[Section | None, list[str]]:
    findings = Findings()
    section = Binder(findings, **options).section(node_of(text), kind, "it")
    return section, [f"{f.span.line}:{f.span.column} {f.code} {f.message}" for f in findings]


def word(text: str, family: type[Any] = Optimizer) -> tuple[Any, list[tuple[str, str | None]]]:
    findings = Findings()
    return Binder(findings).word(node_of(text), family), [(f.message, f.hint) for f in findings]


# --- annotations


@pytest.mark.parametrize(
    ("annotation", "arms"),
    [
        (int, ()),
        (str | None, ()),
        (Count, ()),
        (Literal["a"] | float, ()),
        (Optimizer, (Held("word", Optimizer, 0),)),
        (Optimizer | None, (Held("word", Optimizer, 0),)),
        (tuple[Optimizer, ...], (Held("word", Optimizer, 1),)),
        (Annotated[Optimizer, Field()], (Held("word", Optimizer, 0),)),
        (Split, (Held("section", Split, 0),)),
        (Literal["auto"] | Split, (Held("section", Split, 0),)),
        (Items, (Held("items", None, 1),)),
        (tuple[Items, ...], (Held("items", None, 2),)),
        (Literal["identity"] | Items, (Held("items", None, 1),)),
        (dict[str, Optimizer], (Held("word", Optimizer, 0, by_name=True),)),
        (dict[str, str], ()),
    ],
)
def test_what_a_field_holds_is_read_from_its_annotation(annotation: Any, arms: tuple[Held, ...]) -> None:
    assert held(annotation) == arms


def test_the_paths_of_choices() -> None:
    paths = set(choice_paths(Spec))
    assert {("data", "dataset"), ("train", "optimizer"), ("train", "schedule"), ("train", "loss")} <= paths
    assert {("data", "augment", "*"), ("train", "stages", "*", "optimizer")} <= paths
    assert ("train", "epochs") not in paths
    assert ("search", "space", "train.optimizer.lr") in ChoicePaths(Spec)
    assert ("train", "space", "train.optimizer.lr") not in ChoicePaths(Spec)


def test_signatures_of_layers() -> None:
    assert signature("covn") is None
    residual, repeat, conv = signature("residual"), signature("repeat"), signature("conv")
    assert residual is not None
    assert repeat is not None
    assert conv is not None
    assert residual.layers == {"layers", "shortcut"}
    assert repeat.lists == {"iterations"}
    assert conv.layers == conv.lists == frozenset()
    assert "kernel_size" in conv.arguments


# --- words


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


# --- sections

RECIPE = "epochs: 5\nbatch_size: 64\noptimizer: adam\nloss: cross_entropy\n"


def test_a_section_without_mistakes() -> None:
    section, said = bound(RECIPE)
    assert said == []
    assert isinstance(section, Train)
    assert section.optimizer == Adam()


def test_all_mistakes_of_a_section_are_told_at_once() -> None:
    text = "epoch: 5\nbatch_size: 0\noptimizer: {adam: {lr: 0, betas: [2, 0.9]}}\nschedule: cosin\nloss: 3\nseed: -1\n"
    section, said = bound(text)
    assert section is None
    assert said == [
        "1:1 SF301 it has no `epoch`",
        "2:13 SF303 `batch_size` must be at least 1, found `0`",
        "3:24 SF303 `lr` must be a number greater than 0, or `find`, found `0`",
        "3:35 SF303 `betas` must be less than 1, found `2`",
        "4:11 SF304 unknown schedule `cosin`",
        "5:7 SF305 expected a word for the loss, found `3`",
        "6:7 SF303 `seed` must be at least 0, found `-1`",
    ]


def test_keys_that_are_missing_are_one_finding() -> None:
    assert bound("epochs: 5\n")[1] == ["1:1 SF302 it needs `batch_size`, `optimizer` and `loss`"]


def test_a_base_may_lack_keys() -> None:
    assert bound("epochs: 5\n", partial=True)[1] == []
    assert bound("epochs: 0\n", partial=True)[1] == ["1:9 SF303 `epochs` must be at least 1, found `0`"]


def test_a_misspelt_key_is_not_missing_too() -> None:
    assert bound(RECIPE.replace("epochs", "epchs"))[1] == ["1:1 SF301 it has no `epchs`"]


def test_null_is_none_where_that_is_allowed() -> None:
    section, said = bound(RECIPE + "schedule:\n")
    assert (section is not None, said) == (True, [])
    assert bound(RECIPE.replace("adam", ""))[1] == ["3:11 SF305 expected a word for the optimizer, found nothing"]
    assert bound(RECIPE.replace("5", ""))[1] == ["1:8 SF303 it needs `epochs`, or `stages` with theirs"]


def test_a_broken_value_says_nothing_and_gives_nothing() -> None:
    node = node_of(RECIPE)
    assert isinstance(node, Mapping)
    for key, entry in node.entries.items():
        findings = Findings()
        broken = Scalar(entry.value.span, None, "", plain=False, broken=True)
        tree = node.with_entry(key, type(entry)(entry.key, broken))
        assert Binder(findings).section(tree, Train, "it") is None
        assert not len(findings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dataset: cifar10\nsplit: {train: [[0, 1]]}\n", []),
        ("dataset: cifar10\nsplit: {train: [[0]]}\n", ["2:17 SF303 `train` must be a list of 2, found the list [0]"]),
        ("dataset: cifar10\nsplit: {train: [0, 1]}\n", None),
        (
            "dataset: cifar10\nsplit: {train: [[0, half]]}\n",
            ["2:21 SF303 `train` must be a number, found the text `half`"],
        ),
        (
            "dataset: cifar10\nsplit: {train: all}\n",
            ["2:16 SF303 `train` must be a number or a list, found the text `all`"],
        ),
        ("dataset: cifar10\nsplit: 0.9\n", ["2:8 SF303 `split` must be a mapping, found `0.9`"]),
        (
            "dataset: cifar10\nnormalize: no\n",
            ["2:12 SF303 `normalize` must be `auto`, `none` or a mapping, found the text `no`"],
        ),
        (
            "dataset: cifar10\naugment: horizontal_flip\n",
            ["2:10 SF303 `augment` must be a list, found the text `horizontal_flip`"],
        ),
        ("dataset: cifar10\naugment: [{crop: 0}]\n", ["2:18 SF303 `padding` of `crop` must be at least 1, found `0`"]),
    ],
)
def test_unions_tell_the_arm_that_was_meant(text: str, said: list[str] | None) -> None:
    found_now = bound(text, Data)[1]
    assert found_now == said if said is not None else len(found_now) >= 1


def test_a_rule_about_several_arguments_is_told_at_the_one_it_names() -> None:
    value, said = word("sgd: {lr: 0.1, nesterov: true}")
    assert value is None
    ((message, _),) = said
    assert message.startswith("`sgd`: `nesterov` needs `momentum`")


def test_keys_that_expansion_takes_out_are_suggested() -> None:
    findings = Findings()
    Binder(findings, expanded={Model: ("defaults",)}).section(node_of("default: {}\n"), Model, "`model`")
    (said,) = findings
    assert said.hint == "did you mean `defaults`?"


def test_a_key_that_belongs_elsewhere_is_sent_there() -> None:
    findings = Findings()
    Binder(findings, partial=True).section(node_of("layers: []\nlr: 1\nepochs: 3\n"), Spec, "the spec")
    hints = {said.message: said.hint for said in findings}
    assert hints["the spec has no `layers`"] == "`layers` belongs below `model`"
    assert hints["the spec has no `epochs`"] == "`epochs` belongs below `train`"
    assert word("adam: 1")[1] == []
    section = Findings()
    Binder(section, partial=True).section(node_of("momentum: 1\nlr: 0.1\n"), Train, "`train`")
    hints = {said.message: said.hint for said in section}
    told = "`lr` belongs to the optimizer: write `optimizer: {WORD: {lr: …}}`, with your optimizer for WORD"
    assert hints["`train` has no `lr`"] == told


# --- layers


def items(text: str, **options: Any) -> tuple[Any, list[str]]:
    findings = Findings()
    return Binder(findings, **options).items(node_of(text), "`layers`"), [f.message for f in findings]


def test_an_item_carries_its_layer_and_where_it_was_written() -> None:
    text = "- {id: stem, conv: {out_channels: 8, kernel_size: 3}, init: {bias: zeros}, trainable: false}\n"
    bound_items, said = items(text)
    assert said == []
    (item,) = bound_items
    assert (item.id, item.kind, item.trainable) == ("stem", "conv", False)
    assert item.layer == Conv(out_channels=8, kernel_size=3)
    assert (item.span.column, item.span.end_column) == (14, 18)
    assert item.argument_spans["kernel_size"].column == 51
    assert item.argument_spans["init.bias"].column == 62
    assert list(item.initializers) == ["bias"]


def test_defaults_are_under_the_layer_s_own_arguments() -> None:
    defaults = node_of("conv: {bias: false, kernel_size: 5}")
    assert isinstance(defaults, Mapping)
    arguments = defaults.entries["conv"].value
    assert isinstance(arguments, Mapping)
    bound_items, _ = items("- {id: a, conv: {out_channels: 8, kernel_size: 3}}\n", defaults={"conv": arguments})
    assert bound_items[0].layer == Conv(out_channels=8, kernel_size=3, bias=False)


def test_every_broken_item_is_told() -> None:
    value, said = items(
        "- {id: a, covn: 3}\n- {id: b, relu: }\n- {id: c, dropout: 2}\n- {id: d, relu: , trainable: 1}\n"
    )
    assert value is None
    assert said == [
        "unknown layer or block `covn`",
        "`p` of `dropout` must be less than 1, found `2`",
        "`trainable` must be true or false, found `1`",
    ]


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        ("conv: {filters: 8, kernel_size: 3}", "specforge calls it `out_channels`"),
        ("conv: {out_channels: 8, kernel_size: 3, strides: 2}", "specforge calls it `stride`"),
        ("conv: {out_channels: 8, kernel_size: 3, use_bias: false}", "specforge calls it `bias`"),
        ("conv: {in_channels: 3, out_channels: 8, kernel_size: 3}", "it is inferred from what arrives: remove it"),
        ("linear: {units: 8}", "specforge calls it `out_features`"),
        ("linear: {in_features: 3, out_features: 8}", "it is inferred from what arrives: remove it"),
        (
            "linear: {out_features: 8, activation: relu}",
            "an activation is a layer of its own: add one after it, such as `- relu`",
        ),
        ("max_pool: {pool_size: 2}", "specforge calls it `kernel_size`"),
        ("dropout: {rate: 0.5}", "specforge calls it `p`"),
        ("relu: {inplace: true}", "remove it: it changes no result"),
        ("batch_norm: {num_features: 3}", "it is inferred from what arrives: remove it"),
        ("dropout: {p:0.5}", "put a space after `:`, as in `p: 0.5`"),
        ("batch_norm: 3", "write `batch_norm: {…}` with `eps`, `momentum`, `affine` or `track_running_stats`"),
        ("flatten: 3", "write `flatten: {…}` with `start_dim` or `end_dim`"),
        ("relu: 3", "write just `relu`"),
        ("sequential: [relu]", "write `sequential: {layers: […]}`"),
        ("linear:", "write `linear: …`"),
        ("conv: 8", "write `conv: {out_channels: 8, kernel_size: …}`"),
        ("conv: {kernel_size: 3}", "add `out_channels: …` to its arguments"),
        ("conv:", "write `conv: {out_channels: …, kernel_size: …}`"),
    ],
)
def test_arguments_of_layers_that_are_wrong(layer: str, hint: str) -> None:
    findings = Findings()
    Binder(findings).items(node_of(f"- {{id: a, {layer} }}\n"), "`layers`")
    assert [said.hint for said in findings] == [hint]


@pytest.mark.parametrize("text", ["relu", "3", "{relu: }", ""])
def test_layers_are_a_list(text: str) -> None:
    findings = Findings()
    node = node_of(f"layers: {text}\n")
    assert isinstance(node, Mapping)
    assert Binder(findings).items(node.entries["layers"].value, "`layers`") is None
    (said,) = findings
    assert said.message.startswith("`layers` must be a list of layers, found ")


# --- words of messages


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


# --- words by name


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
