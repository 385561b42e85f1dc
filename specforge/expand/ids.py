"""Path segments of items: an item's `id`, which must be usable as the name of a torch module's child."""

import keyword
import re

from specforge.diagnostics import Findings, define
from specforge.source import Entry, Scalar

ID = define(
    "SF206",
    "bad-id",
    """
An `id` is the item's segment in every path: the state_dict prefix and the address in messages. It must be an
identifier, unique among its siblings, and not an attribute of torch.nn.Module (`forward`, `train`, `type`, …).
`previous` and `input` have a meaning of their own in `from`.""",
)

# Attributes of torch.nn.Module that a child of the same name would hide (a test compares this with torch).
_ATTRIBUTES = """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
    extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
    mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory
    state_dict to to_empty train training type xpu zero_grad append extend insert pop keys values items
    """
MODULE_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
# what modules that hold children keep beside them, and what `from` gives a meaning
RESERVED = frozenset(
    ("_program", "_output", "_heads", "_training_only", "head_weights", "_paths", "_join", "previous", "input")
)
_TAKEN = MODULE_ATTRIBUTES | RESERVED


def segment(given: Entry | None, default: str, findings: Findings) -> str:
    """The item's `id` if it has a good one, else its default name."""
    if given is None:
        return default
    node = given.value
    if isinstance(node, Scalar) and node.broken:
        return default
    text = node.value if isinstance(node, Scalar) else None
    if isinstance(text, str) and text.isidentifier() and not keyword.iskeyword(text) and text not in _TAKEN:
        return text
    findings.add(ID, node.span, *_problem(text, node.text if isinstance(node, Scalar) else "a list or mapping"))
    return default


def _problem(text: object, written: str) -> tuple[str, str]:
    """Why an id is none, and one that would do."""
    if text is None and not written:
        return "an `id` is given but empty", "write a name, or remove `id`"
    if not isinstance(text, str):
        message = f"an `id` must be an identifier, found `{written or text}`"
        return message, "use letters, digits and `_`, as in `stem_1`"
    if text in RESERVED:
        return f"the id `{text}` is taken by specforge", f"choose another id: `{text}_layer`"
    if text in MODULE_ATTRIBUTES:
        return f"`{text}` is an attribute of every torch module", f"choose another id: `{text}_layer`"
    if keyword.iskeyword(text):
        return f"`{text}` is a reserved word of Python", f"choose another id: `{text}_layer`"
    proposal = re.sub(r"\W", "_", text)
    proposal = proposal if proposal.isidentifier() else f"layer_{proposal}"
    return f"an `id` must be an identifier, found `{text}`", f"use letters, digits and `_`, as in `{proposal}`"


def check_unique(own: Scalar, seen: dict[str, Scalar], findings: Findings) -> None:
    """Siblings have different segments; `seen` are those that are taken, by their text."""
    first = seen.setdefault(own.text, own)
    if first is not own:
        message = f"`{own.text}` is already the path of the item on line {first.span.line}"
        findings.add(ID, own.span, message, "give one of them another `id`")
