"""Darknet networks: what they cost is what their authors published, what they compute is what Darknet's rules say."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from specforge.analysis import analyse
from specforge.diagnostics import SpecError
from specforge.importing.darknet import read_darknet
from specforge.importing.network import Network
from specforge.importing.specs import spec_of
from specforge.source import Overlaid
from tests.importing.darknet_networks import (
    PUBLISHED,
    conv,
    darknet19,
    net,
    pool,
    route,
    section,
    shortcut,
    yolov3_tiny,
)
from tests.importing.flat_specs import compiled, macs, same_outputs


def read(text: str) -> Network:
    return read_darknet(text.encode(), "net.cfg")[0]


def words(network: Network) -> list[str]:
    return [operation.word for operation in network.operations]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_operations_are_those_that_are_published(name: str) -> None:
    text, published, _ = PUBLISHED[name]
    digits = len(published.partition(".")[2])
    assert f"{2 * macs(read(text)) / 1e9:.{digits}f}" == published


@pytest.mark.parametrize(
    "name", ["alexnet", "darknet19", "darknet53", "resnet18", "densenet201", "yolov2", "yolov3-spp"]
)
def test_the_spec_validates_and_claims_the_same(name: str) -> None:
    network = read(PUBLISHED[name][0])
    text = spec_of(network, comment="Imported.").text
    path = Path("imported.yaml").absolute()
    analysis = analyse(path, files=Overlaid({path: text}))
    assert [found for found in analysis.findings if not found.accepted] == []
    _, graph = analysis.require()
    assert graph.output == network.shape_of(network.output)
    if not network.side_outputs:  # those of side branches are not counted in a spec
        assert graph.macs == macs(network)
    for key in ("description:", "source:", "expect:"):
        assert key in text


@pytest.mark.parametrize("name", ["darknet19", "resnet18", "yolov2", "yolov3-tiny", "yolov4-tiny"])
def test_folding_changes_nothing(name: str, tmp_path: Path) -> None:
    network = read(re.sub(r"(width|height)=\d+", r"\1=64", PUBLISHED[name][0]))
    imported = spec_of(network, comment="Imported.")
    assert same_outputs(network, imported, torch.rand(1, *network.input), tmp_path)


def test_darknet19_reads_as_people_write_it() -> None:
    text = spec_of(read(darknet19(256)), comment="Imported.").text
    assert text.count("\n") <= 45
    assert "conv_unit: {out_channels: 512, kernel_size: 1}" in text
    assert "repeat:" in text


def run(text: str, image: Tensor, folder: Path) -> Tensor:
    torch.manual_seed(0)
    network = compiled(read(text), folder)
    with torch.no_grad():
        result = network(image)
    assert isinstance(result, Tensor)
    return result


def darknet_maxpool(image: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """Darknet's own loops: the window begins half of the padding in front, and what lies outside counts nowhere."""
    _, channels, height, width = image.shape
    rows, columns = ((length + padding - size) // stride + 1 for length in (height, width))
    result = torch.full((1, channels, rows, columns), float("-inf"))
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride - padding // 2, column * stride - padding // 2
            window = image[:, :, max(0, top) : top + size, max(0, left) : left + size]
            result[:, :, row, column] = window.amax((2, 3))
    return result


@pytest.mark.parametrize("length", [8, 9])
@pytest.mark.parametrize(
    ("size", "stride", "padding"),
    [
        (2, 2, None),
        (2, 1, None),
        (3, 2, None),
        (3, 2, 0),
        (3, 1, None),
        (5, 1, None),
        (3, 3, None),
        (2, 2, 0),
        (4, 2, 3),
    ],
)
def test_max_pooling_looks_where_darknet_looks(
    length: int, size: int, stride: int, padding: int | None, tmp_path: Path
) -> None:
    image = -torch.rand(1, 2, length, length)  # no padding with zeros could hide among negative values
    given_padding = {} if padding is None else {"padding": padding}
    found = run(net(length, pool(size, stride, **given_padding), channels=2), image, tmp_path)
    expected = darknet_maxpool(image, size, stride, size - 1 if padding is None else padding)
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(8, [("max_pool", {"kernel_size": 2})]), (9, [("max_pool", {"kernel_size": 2, "ceil_mode": True})])],
)
def test_the_usual_pooling_is_written_shortly(length: int, expected: list[tuple[str, dict[str, object]]]) -> None:
    found = [(each.word, dict(each.arguments)) for each in read(net(length, pool())).operations]
    assert found == expected


def test_the_old_reorg_moves_values_as_darknets_loop_does(tmp_path: Path) -> None:
    channels, size, stride = 8, 4, 2
    image = torch.arange(channels * size * size, dtype=torch.float32).reshape(1, channels, size, size)
    found = run(net(size, section("reorg", stride=stride), channels=channels), image, tmp_path)
    source, fewer = image.flatten(), channels // stride**2
    expected = torch.zeros_like(source)
    for k in range(channels):
        for j in range(size):
            for i in range(size):
                offset, channel = k // fewer, k % fewer
                column, row = i * stride + offset % stride, j * stride + offset // stride
                place = column + size * stride * (row + size * stride * channel)
                expected[i + size * (j + size * k)] = source[place]
    assert torch.equal(found, expected.reshape(1, channels * stride**2, size // stride, size // stride))


def test_the_new_reorg_makes_channels_of_pixels(tmp_path: Path) -> None:
    image = torch.rand(1, 3, 4, 4)
    found = run(net(4, section("reorg3d", stride=2)), image, tmp_path)
    expected = torch.cat([image[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)], 1)
    assert torch.equal(found, expected)


def test_an_uneven_shortcut_adds_what_both_have(tmp_path: Path) -> None:
    body = conv(6, 3, 2, activation="linear", norm=False)
    image = torch.rand(1, 4, 8, 8)
    plain = run(net(8, body, channels=4), image, tmp_path)
    # the first layer's own values are what is added: an identity before it
    first = section("upsample", stride=1)
    found = run(net(8, first, body, shortcut(-2), channels=4), image, tmp_path)
    expected = plain.clone()
    expected[:, :4] += image[:, :, ::2, ::2]
    torch.testing.assert_close(found, expected)


def test_a_shortcut_from_more_channels_adds_the_first(tmp_path: Path) -> None:
    body = conv(2, 1, activation="linear", norm=False)
    image = torch.rand(1, 4, 4, 4)
    plain = run(net(4, body, channels=4), image, tmp_path)
    found = run(net(4, section("upsample", stride=1), body, shortcut(-2), channels=4), image, tmp_path)
    torch.testing.assert_close(found, plain + image[:, :2])


def test_routes_join_and_divide_channels(tmp_path: Path) -> None:
    image = torch.rand(1, 4, 4, 4)
    layers = [section("empty"), section("upsample", stride=1), route(0, -1, groups=4, group_id=3)]
    assert torch.equal(run(net(4, *layers, channels=4), image, tmp_path), image[:, 2:])


def test_channels_are_scaled_by_a_branch(tmp_path: Path) -> None:
    image = torch.rand(1, 3, 4, 4)
    layers = [section("empty"), section("avgpool"), section("scale_channels", **{"from": 0})]
    expected = image * image.mean((2, 3), keepdim=True)
    torch.testing.assert_close(run(net(4, *layers), image, tmp_path), expected)


def test_squeeze_and_excitation_is_one_layer() -> None:
    gate = [
        section("avgpool"),
        conv(2, 1, activation="relu", norm=False),
        conv(8, 1, activation="logistic", norm=False),
    ]
    network = read(net(8, conv(8), *gate, section("scale_channels", **{"from": -4}), conv(4)))
    squeezed = network.operations[3]
    assert (squeezed.word, dict(squeezed.arguments)) == ("squeeze_excite", {"channels": 2})
    assert macs(network) == 8 * 3 * 9 * 64 + 2 * 8 * 2 + 4 * 8 * 9 * 64


@pytest.mark.parametrize(
    ("activation", "value", "expected"),
    [("leaky", -1.0, -0.1), ("ramp", 2.0, 2.2), ("ramp", -2.0, -0.2), ("logistic", 0.0, 0.5), ("relu6", 9.0, 6.0)],
)
def test_activations_are_darknets(activation: str, value: float, expected: float, tmp_path: Path) -> None:
    image = torch.full((1, 3, 2, 2), value)
    found = run(net(2, section("activation", activation=activation)), image, tmp_path)
    torch.testing.assert_close(found, torch.full_like(image, expected))


def test_the_classifier_behind_the_last_pooling_is_linear() -> None:
    layers = [
        conv(4),
        section("avgpool"),
        section("dropout", probability=0.2),
        conv(10, 1, activation="linear", norm=False),
    ]
    network = read(net(8, *layers, section("softmax")))
    assert words(network)[-3:] == ["global_avg_pool", "dropout", "linear"]
    assert network.shape_of(network.output) == (10,)


def test_a_convolution_with_a_group_for_each_channel_is_depthwise() -> None:
    network = read(net(8, conv(6, groups=3)))
    assert network.operations[0].word == "depthwise_conv"
    assert network.operations[0].arguments["depth_multiplier"] == 2


def test_detection_heads_become_the_output_and_side_branches() -> None:
    network, findings = read_darknet(yolov3_tiny().encode(), "net.cfg")
    assert network.shape_of(network.output) == (255, 26, 26)
    assert [network.shape_of(value) for value in network.side_outputs] == [(255, 13, 13)]
    told = [found.message for found in findings if "[yolo]" in found.message]
    assert len(told) == 2
    assert "auxiliary" in told[0]
    assert "output" in told[1]
    assert spec_of(network, comment="Imported.").text.count("auxiliary:") == 1


def test_what_is_left_out_is_told_with_its_place() -> None:
    _, findings = read_darknet(PUBLISHED["alexnet"][0].encode(), "net.cfg")
    told = {(found.code, found.severity) for found in findings}
    assert told == {("SF627", "warning")}
    lines = PUBLISHED["alexnet"][0].splitlines()
    for found in findings:
        assert lines[found.span.line - 1].startswith("[")


def test_a_misspelt_setting_is_told() -> None:
    _, findings = read_darknet(
        net(8, section("convolutional", filters=4, sizze=3, activation="relu")).encode(), "n.cfg"
    )
    found = next(found for found in findings if found.code == "SF628")
    assert "`sizze`" in found.message
    assert found.hint == "did you mean `size`?"


BROKEN = [
    ("", "SF621", "empty"),
    ("hello = 1\n", "SF621", "first line"),
    ("[convolutional]\nfilters=3\n", "SF621", "first section must be [net]"),
    ("\0\1\2", "SF621", "binary"),
    ("[net]\nwidth=8\n", "SF623", "`channels`, `height`"),
    (net(8), "SF623", "no layer"),
    (net(8, section("lstm")), "SF622", "[lstm]"),
    (net(8, section("convolutoinal", filters=3)), "SF622", "unknown section"),
    (net(8, section("local", filters=3, size=3)), "SF622", "differ from place to place"),
    (net(8, conv(-4)), "SF623", "from 1 to 1000000, found -4"),
    (net(8, conv(0)), "SF623", "found 0"),
    (net(8, conv(10**9)), "SF623", "found 1000000000"),
    (net(8, conv(10**40)), "SF623", "`filters`"),
    (net(8, section("convolutional", filters="many")), "SF623", "whole number, found `many`"),
    (net(8, conv(4, activation="snake")), "SF622", "`snake`"),
    (net(8, conv(4, 9, pad=0)), "SF626", "kernel"),
    (net(8, conv(5, groups=2)), "SF623", "2 groups"),
    (net(8, conv(4, xnor=1)), "SF625", "one bit"),
    (net(8, conv(4), route(-5)), "SF624", "layers 0 to 0 come before"),
    (net(8, conv(4), route(1)), "SF624", "names layer 1"),
    (net(8, route(-1)), "SF624", "first layer"),
    (net(8, conv(4), section("route")), "SF623", "needs `layers`"),
    (net(8, conv(4), section("route", layers="a")), "SF623", "found `a`"),
    (net(8, conv(4), pool(), route(-1, -2)), "SF626", "joined"),
    (net(8, conv(4), conv(4, 3, 3), shortcut(-2)), "SF626", "thinned out"),
    (net(8, conv(4), section("shortcut", **{"from": -1, "weights_type": "per_channel"})), "SF625", "learned weights"),
    (net(8, pool(20, 1, padding=0)), "SF626", "larger than"),
    (net(8, section("connected", output=4), conv(4)), "SF626", "needs an image"),
    (net(8, section("dropout", probability=7)), "SF623", "from 0 to 1"),
    (net(8, conv(4), "filters 3"), "SF623", "key = value"),
    ("[net]\n[", "SF623", "brackets"),
]


@pytest.mark.parametrize(("text", "code", "said"), BROKEN)
def test_a_broken_file_is_refused_with_its_place(text: str, code: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_darknet(text.encode(), "net.cfg")
    found = [each for each in caught.value.diagnostics if each.code == code]
    assert any(said in each.message for each in found), caught.value
    count = max(1, len(text.splitlines()))
    assert all(each.span.file == "net.cfg" and 1 <= each.span.line <= count for each in found)


def test_the_place_is_that_of_the_value() -> None:
    text = "[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters = -4 # few\nactivation=relu\n"
    with pytest.raises(SpecError) as caught:
        read_darknet(text.encode(), "net.cfg")
    (found,) = caught.value.diagnostics
    assert (found.span.line, found.span.column, found.span.end_column) == (6, 11, 13)


def test_too_large_a_file_is_refused() -> None:
    with pytest.raises(SpecError, match="larger than 16 MiB"):
        read_darknet(b"#" * (16 * 1024 * 1024 + 1), "net.cfg")


def test_too_many_layers_are_refused() -> None:
    with pytest.raises(SpecError, match="more than 20,000"):
        read_darknet(net(8, *["[empty]"] * 20_001).encode(), "net.cfg")


def test_comments_blanks_and_other_line_ends_are_read() -> None:
    head = "; a comment\r\n [net] \r\nwidth = 8\r\nheight= 8\r\nchannels=3\r\n\r\n"
    text = head + "[conv]\r\nfilters=2 # two\r\nactivation=relu"
    assert words(read(text)) == ["conv", "relu"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mutated_files_give_a_network_or_an_error(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([yolov3_tiny(), PUBLISHED["yolov2"][0], PUBLISHED["resnet18"][0]]))
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        number = data.draw(
            st.sampled_from(["-1", "0", "1", "3", "999999", "1e9", "x", "", "-99999999999999999999", "2,-3"])
        )
        change = data.draw(st.sampled_from(["drop", "twice", "value", "junk"]))
        if change == "drop":
            del lines[place]
        elif change == "twice":
            lines.insert(place, lines[place])
        elif change == "value":
            lines[place] = re.sub("=.*", f"={number}", lines[place])
        else:
            lines.insert(place, data.draw(st.text(max_size=20)))
        if not lines:
            break
    found = outcome("\n".join(lines).encode(errors="surrogatepass"))
    assert found.operations if isinstance(found, Network) else found.diagnostics


def outcome(data: bytes) -> Network | SpecError:
    try:
        return read_darknet(data, "net.cfg")[0]
    except SpecError as error:
        return error
