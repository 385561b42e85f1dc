"""What stages freeze and groups select."""

from pathlib import Path

import pytest

from specforge.analysis import analyse
from tests.checks.recipes import recipe_findings


@pytest.mark.parametrize(
    "stages",
    [
        "[{epochs: 5, freeze: backbone}, {epochs: 5, unfreeze: all}]",
        "[{epochs: 5, freeze: backbone}, {epochs: 5, unfreeze: backbone.conv_1}]",
        "[{epochs: 5, freeze: [backbone.conv_1, head]}]",
        "[{epochs: 5, freeze: {kind: [conv, linear], parameter: bias}}]",
        "[{epochs: 5, freeze: all, unfreeze: head}]",
        "[{epochs: 5, freeze: backbone}, {epochs: 5, freeze: backbone}]",
    ],
)
def test_sound_stages(tmp_path: Path, stages: str) -> None:
    assert recipe_findings(tmp_path, f"stages: {stages}") == []


@pytest.mark.parametrize(
    ("chosen", "at", "message"),
    [
        ("backbon", "backbon", "the network has no layer `backbon`"),
        ("[backbone, hed]", "hed", "the network has no layer `hed`"),
        ("backbone.relu_1", "backbone.relu_1", "`backbone.relu_1` has no parameters"),
        ("{path: hed}", "hed", "the network has no layer `hed`"),
        ("{path: [head, hed]}", "hed", "the network has no layer `hed`"),
        ("{kind: conv3d}", "conv3d", "the network has no `conv3d`"),
        ("{kind: relu}", "relu", "`relu` has no parameters"),
        ("{kind: lstm}", "lstm", "the network has no `lstm`"),
        ("{parameter: gamma}", "gamma", "no parameter is called `gamma`"),
        ("{path: head, kind: conv}", "{path: head, kind: conv}", "no parameter matches all of path head, kind conv"),
    ],
)
def test_selections_of_nothing(tmp_path: Path, chosen: str, at: str, message: str) -> None:
    assert recipe_findings(tmp_path, f"stages: [{{epochs: 5, freeze: {chosen}}}]") == [("SF525", at, message)]
    if chosen.startswith("{"):
        group = f"{{select: {chosen}, l2: 0.1}}"
        assert recipe_findings(tmp_path, f"epochs: 5\ngroups: [{group}]") == [("SF525", at, message)]
        (found,) = recipe_findings(tmp_path, f"stages: [{{epochs: 5, groups: [{group}]}}]")
        assert found == ("SF525", at, message)


def test_a_group_of_all_stages_is_told_once(tmp_path: Path) -> None:
    keys = "groups: [{select: {kind: lstm}, l2: 0.1}]\nstages: [{epochs: 5}, {epochs: 5}]"
    (found,) = recipe_findings(tmp_path, keys)
    assert found[1] == "lstm"


def test_layers_that_are_never_trained(tmp_path: Path) -> None:
    still = {"- {id: head, linear: 10}": "- {id: head, trainable: false, linear: 10}"}
    (found,) = recipe_findings(tmp_path, "stages: [{epochs: 5, freeze: head}]", **still)
    assert found == ("SF525", "head", "`head` is never trained: it has `trainable: false`")
    assert recipe_findings(tmp_path, "stages: [{epochs: 5}]", **still) == []


@pytest.mark.parametrize(
    ("stages", "at", "message"),
    [
        ("[{epochs: 5, unfreeze: all}]", "all", "`unfreeze: all` finds nothing that is frozen"),
        ("[{epochs: 5, freeze: head}, {epochs: 5, unfreeze: backbone}]", "backbone", "`backbone` is not frozen here"),
        (
            "[{epochs: 1, freeze: head}, {epochs: 1, unfreeze: all}, {epochs: 1, unfreeze: head}]",
            "head",
            "`head` is not frozen here",
        ),
    ],
)
def test_what_is_not_frozen_is_not_thawed(tmp_path: Path, stages: str, at: str, message: str) -> None:
    assert recipe_findings(tmp_path, f"stages: {stages}") == [("SF525", at, message)]


def test_something_trains_in_every_stage(tmp_path: Path) -> None:
    (alone,) = recipe_findings(tmp_path, "stages: [{epochs: 5, freeze: all}]")
    assert alone == ("SF526", "all", "every parameter is frozen in this stage")
    (both,) = recipe_findings(tmp_path, "stages: [{epochs: 5, freeze: backbone}, {epochs: 5, freeze: head}]")
    assert both[:2] == ("SF526", "head"), "what was frozen stays frozen"
    assert "with what was frozen before" in both[2]


def test_a_stage_behind_one_that_trains_nothing_is_not_told_again(tmp_path: Path) -> None:
    assert len(recipe_findings(tmp_path, "stages: [{epochs: 5, freeze: all}, {epochs: 5}]")) == 1


@pytest.mark.parametrize(
    ("layers", "hint"),
    [
        ("[flatten, {trainable: false, linear: 10}]", "remove a `trainable: false`"),
        ("[{conv: {out_channels: 10, kernel_size: 8}, trainable: false}, flatten]", "remove a `trainable: false`"),
        ("[global_avg_pool]", "add a layer with weights"),
    ],
)
def test_a_network_without_anything_to_train(tmp_path: Path, layers: str, hint: str) -> None:
    file = tmp_path / "net.yaml"
    recipe = "train: {epochs: 5, batch_size: 8, optimizer: adam, loss: cross_entropy}\n"
    file.write_text(f"specforge: 1\nname: still\nmodel: {{input: [1, 8, 8], layers: {layers}}}\n{recipe}")
    (found,) = analyse(file).findings
    assert (found.code, found.message, found.hint) == ("SF526", "the network has no parameter to train", hint)
    assert (found.span.line, found.span.column) == (4, 1)


def test_the_first_group_that_matches_takes_a_parameter(tmp_path: Path) -> None:
    wide, narrow = "{select: {parameter: weight}, l2: 0.1}", "{select: {path: head, parameter: weight}, l2: 0.2}"
    assert recipe_findings(tmp_path, f"epochs: 5\ngroups: [{narrow}, {wide}]") == []
    (found,) = recipe_findings(tmp_path, f"epochs: 5\ngroups: [{wide}, {narrow}]")
    assert found[:2] == ("SF525", "{path: head, parameter: weight}")
    assert "gets no parameter" in found[2]


def test_groups_above_may_cover_one_together(tmp_path: Path) -> None:
    groups = "{select: {path: head}, l2: 0.1}, {select: {path: backbone}, l2: 0.2}, {select: {}, l2: 0.3}"
    (found,) = recipe_findings(tmp_path, f"epochs: 5\ngroups: [{groups}]")
    assert found[1:] == ("{}", "this group (all) gets no parameter: those above it take all of them")


def test_muon_trains_matrices(tmp_path: Path) -> None:
    muon = {"{sgd: {lr: 0.1, momentum: 0.9}}": "{muon: {lr: 0.02}}"}
    (found,) = recipe_findings(tmp_path, "epochs: 5", **muon)
    assert found[:2] == ("SF520", "{muon: {lr: 0.02}}")
    group = "{select: {SELECT}, optimizer: {muon: {lr: 0.01}}}"
    (in_group,) = recipe_findings(tmp_path, f"epochs: 5\ngroups: [{group.replace('SELECT', 'path: head')}]")
    assert in_group == (
        "SF520",
        "{muon: {lr: 0.01}}",
        "`muon` can't train `head.bias` of shape [10]: it needs a matrix",
    )
    matrices = group.replace("SELECT", "kind: [conv, linear], parameter: weight")
    assert recipe_findings(tmp_path, f"epochs: 5\ngroups: [{matrices}]") == []


def test_frozen_parameters_need_no_optimizer(tmp_path: Path) -> None:
    groups = "[{select: {path: head}, optimizer: {muon: {lr: 0.01}}}]"
    assert recipe_findings(tmp_path, f"stages: [{{epochs: 5, freeze: {{parameter: bias}}, groups: {groups}}}]") == []
