"""What joins values: Darknet's `route`, `shortcut`, `scale_channels` and `sam`."""

from specforge.importing.darknet.reading import Reading
from specforge.importing.darknet.text import Section
from specforge.importing.rules import BAD_SETTING, FOREIGN_MISFIT, UNSUPPORTED_SETTING


def route(reading: Reading, section: Section) -> int:
    values = reading.refer(section, "layers")
    groups, group = section.whole("groups", 1), section.whole("group_id", 0, low=0)
    if values is None:
        return reading.previous
    value = values[0] if len(values) == 1 else reading.recorder.add("concat", {}, values, section.span)
    if groups == 1:
        return value
    channels = reading.recorder.shape(value)[0]
    if channels % groups or group >= groups:
        message = f"{channels} channels have no group {group} of {groups}"
        reading.findings.add(BAD_SETTING, section.at("groups" if channels % groups else "group_id"), message)
        return value
    width = channels // groups
    part = {"start": group * width, "stop": (group + 1) * width}
    if group == 0:
        del part["start"]
    if group == groups - 1:
        del part["stop"]
    return reading.recorder.add("slice", part, [value], section.span)


def shortcut(reading: Reading, section: Section) -> int:
    others = reading.refer(section, "from")
    if section.text("weights_type", "none") != "none":
        message = "specforge has no sum with learned weights"
        reading.findings.add(UNSUPPORTED_SETTING, section.at("weights_type"), message, "write `weights_type = none`")
    section.ignore(("weights_normalization",))
    for key in ("alpha", "beta"):
        if section.number(key, 1) != 1:
            reading.findings.add(UNSUPPORTED_SETTING, section.at(key), "specforge has no sum with weights")
    if others is None:
        return reading.previous
    shape = reading.recorder.shape(reading.previous)
    if all(reading.recorder.shape(other) == shape for other in others):
        value = reading.recorder.add("add", {}, [reading.previous, *others], section.span)
    elif len(others) == 1:
        value = _uneven_sum(reading, section, others[0])
    else:
        reading.findings.add(FOREIGN_MISFIT, section.at("from"), "values of different shapes can't be added")
        value = reading.previous
    return reading.activate(section, value, "linear")


def _uneven_sum(reading: Reading, section: Section, other: int) -> int:
    """Darknet adds what both have: every n-th pixel of a larger image, and as many channels as the narrower one."""
    recorder, span, value = reading.recorder, section.span, reading.previous
    mine, theirs = recorder.shape(value), recorder.shape(other)
    if len(mine) != 3 or len(theirs) != 3:
        reading.findings.add(FOREIGN_MISFIT, section.at("from"), f"{list(theirs)} can't be added to {list(mine)}")
        return value
    stride = theirs[1] // mine[1]
    if stride < 1 or (mine[1] * stride, mine[2] * stride) != theirs[1:]:
        message = f"an image of {list(theirs)} can't be thinned out to {list(mine)}"
        reading.findings.add(FOREIGN_MISFIT, section.at("from"), message)
        return value
    if stride > 1:
        other = recorder.add("max_pool", {"kernel_size": 1, "stride": stride}, [other], span)
    if theirs[0] > mine[0]:
        other = recorder.add("slice", {"stop": mine[0]}, [other], span)
    if theirs[0] < mine[0]:  # only the last two axes can be padded
        last, first = {"dims": [2, 3, 1]}, {"dims": [3, 1, 2]}
        padding = {"padding": [0, [0, mine[0] - theirs[0]]]}
        other = recorder.chain(other, [("permute", last), ("pad", padding), ("permute", first)], span)
    return recorder.add("add", {}, [value, other], span)


def product(reading: Reading, section: Section) -> int:
    others = reading.refer(section, "from")
    if section.flag("scale_wh"):
        reading.findings.add(UNSUPPORTED_SETTING, section.at("scale_wh"), "specforge scales channels, not places")
    if others is None:
        return reading.previous
    if len(others) > 1:
        reading.findings.add(BAD_SETTING, section.at("from"), f"[{section.kind}] reads one other layer")
    value = reading.recorder.add("multiply", {}, [others[0], reading.previous], section.span)
    return reading.activate(section, value, "linear")
