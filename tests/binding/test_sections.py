"""Mappings with fixed keys: every mistake is told, each once."""

import pytest

from specforge.binding import Binder
from specforge.catalog.optimizers.adam import Adam
from specforge.diagnostics import Findings
from specforge.recipe import Train
from specforge.source import Mapping, Scalar
from specforge.spec import Data, Model, Spec
from tests.binding.nodes import bound, node_of, word

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
