"""What is said about keys and words that do not exist."""

import pytest

from specforge.binding import Binder
from specforge.binding.wording import entry_of, section_hint
from specforge.catalog.definition import Section
from specforge.diagnostics import Findings
from specforge.recipe import EarlyStopping, Ema, Evaluate, GradientClipping, Group, Selector, Snapshots, Stage, Train
from specforge.recipe import TestTimeAugmentation as Views
from specforge.source import Mapping, Node, parse
from specforge.spec import Data, Source, Split


def node_of(text: str) -> Node:
    node = parse(text, "x.yaml", Findings())
    assert node is not None
    return node


def hints(text: str, kind: type[Section]) -> dict[str, str | None]:
    """What to do about each key of this text, read as a section of a class."""
    findings = Findings()
    Binder(findings, partial=True).section(node_of(text), kind, "it")
    return {said.message: said.hint for said in findings}


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        (
            "{optimizer: adam, weight_decay: 1}",
            Train,
            "`weight_decay` belongs to the optimizer: write `optimizer: {adam: {weight_decay: …}}`",
        ),
        (
            "{optimizer: {sgd: {lr: 0.1}}, momentum: 1}",
            Train,
            "`momentum` belongs to the optimizer: write `optimizer: {sgd: {momentum: …}}`",
        ),
        (
            "{optimizer: adam, momentum: 1}",
            Train,
            "`momentum` belongs to the optimizer: write `optimizer: {WORD: {momentum: …}}`, "
            "with your optimizer for WORD",
        ),
        (
            "{loss: cross_entropy, label_smoothing: 1}",
            Train,
            "`label_smoothing` belongs to the loss: write `loss: {cross_entropy: {label_smoothing: …}}`",
        ),
        ("{freeze: head}", Train, "`freeze` belongs in a stage"),
        ("{select: {}}", Train, "`select` belongs in a group"),
        ("{checkpoint: last}", Stage, "all stages share it: write it in `train`"),
        ("{path: head}", Group, "`path` belongs below `select`"),
        ("{epochs_per_cycle: 3}", Snapshots, "it has `cycles`"),
        ("{early_stoping: 1}", Train, "did you mean `early_stopping`?"),
        ("{patience: 1}", Train, "`patience` belongs below `early_stopping`"),
        ("{max_norm: 1}", GradientClipping, "did you mean `norm`?"),
        ("{monitor: val_loss}", EarlyStopping, "specforge calls it `metric`"),
        ("{mode: min}", EarlyStopping, "it follows from the metric: remove it"),
    ],
)
def test_keys_that_stand_elsewhere(text: str, kind: type[Section], hint: str) -> None:
    assert list(hints(text, kind).values()) == [hint]


def test_an_optimizer_does_not_clip() -> None:
    found = hints("{optimizer: {adam: {clipvalue: 1.0}}}", Train)
    assert found["`adam` has no `clipvalue`"] == (
        "gradients are bounded by the recipe: write `gradient_clipping: {value: …}` in `train`"
    )


def test_an_argument_in_place_of_a_word() -> None:
    assert hints("{optimizer: {lr: 0.1}}", Train)["unknown optimizer `lr`"] == (
        "`lr` is an argument: write `{WORD: {lr: …}}`, with your optimizer for WORD"
    )


@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        (GradientClipping, "1.0", "write `x: {norm: 1.0}`"),
        (Ema, "0.99", "write `x: {decay: 0.99}`"),
        (Ema, "true", "write `x: {warmup: true}`"),
        (Ema, "1.5", "its keys: decay, warmup"),
        (EarlyStopping, "3", "write `x: {patience: 3}`"),
        (Snapshots, "1", "its keys: cycles"),
        (Evaluate, "test", "write `x: {every_epoch: test}`"),
        (Selector, "head", "write `x: {path: head}`"),
        (Views, "horizontal_flip", "write `x: {augment: [horizontal_flip]}`"),
        (Views, "[horizontal_flip, {crop: 4}]", "write `x: {augment: […]}`"),
        (Views, "[horizontal_flip]", "write `x: {augment: [horizontal_flip]}`"),
        (Data, "cifar10", "write `x: {dataset: cifar10}`"),
        (Split, "0.8", "write `x: {train: 0.8}`"),
        (Source, "notes.txt", "write `x: {document: notes.txt}`"),
    ],
)
def test_how_a_bare_value_is_written(kind: type[Section], text: str, hint: str) -> None:
    node = node_of(f"x: {text}\n")
    assert isinstance(node, Mapping)
    assert section_hint(kind, node.entries["x"].value, "x") == hint


def test_an_entry_of_a_list_has_no_name_of_its_own() -> None:
    findings = Findings()
    Binder(findings, partial=True).section(node_of("{stages: [5, {epoch: 3}], groups: [{}]}"), Train, "it")
    told = {said.message: said.hint for said in findings}
    assert told["a stage is a mapping of keys, found `5`"] == "write `{epochs: 5}`"
    assert told["a stage has no `epoch`"] == "did you mean `epochs`?"
    assert entry_of("`groups`") == "a group"
    assert entry_of("`init`") == "an entry of `init`"


@pytest.mark.parametrize(
    ("text", "hint"),
    [("fp16", "float16"), ("16", "float16"), ("bf16", "bfloat16"), ("32", "float32"), ("FP32", "float32")],
)
def test_names_of_values_elsewhere(text: str, hint: str) -> None:
    (found,) = hints(f"{{precision: {text}}}", Train).values()
    assert found == f"did you mean `{hint}`?"


@pytest.mark.parametrize("metric", ["val_loss", "test_loss"])
def test_what_is_watched_is_the_validation_part(metric: str) -> None:
    assert list(hints(f"{{metric: {metric}}}", EarlyStopping).values()) == ["did you mean `validation_loss`?"]


@pytest.mark.parametrize("chosen", ["true", "3", "[]", "[head, 3]"])
def test_what_is_frozen_is_a_path_or_a_selector(chosen: str) -> None:
    ((message, hint),) = hints(f"{{freeze: {chosen}}}", Stage).items()
    assert message.startswith("`freeze` must be a layer's path or several, a selector or `all`, found ")
    assert hint == "write `all`, or a path as in `[stem, head]`"


def test_a_list_of_words_is_begun_with_dashes() -> None:
    assert hints("{augment: {horizontal_flip: 0.5}}", Data)["`augment` must be a list, found a mapping"] == (
        "start each of its entries with `- `"
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{}", "it needs `norm` or `value`", "write `gradient_clipping: {norm: 1.0}`"),
        (
            "{norm: 1.0, value: 2.0}",
            "it: `norm` and `value` exclude each other",
            "keep one of them: `null` removes one that is inherited",
        ),
    ],
)
def test_gradients_are_bounded_in_one_way(text: str, message: str, hint: str) -> None:
    assert hints(text, GradientClipping) == {message: hint}
