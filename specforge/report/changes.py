"""What `environment.json` says of changes to a run's spec -> sentences.

{"changes": [{"epoch": 10, "settings": [{"path": "train.epochs", "before": 10, "after": 20}]}]}
->  The spec was changed after epoch 10: train.epochs: 10 -> 20.
"""

from collections.abc import Mapping
from typing import Any

from specforge.diagnostics import one_line

KEY = "changes"
_LONGEST = 80


def changes(environment: Mapping[str, Any]) -> tuple[str, ...]:
    """One sentence for each time that the spec was changed; what is not readable as such is left out."""
    found = environment.get(KEY)
    return tuple(filter(None, map(_sentence, found))) if isinstance(found, list) else ()


def _sentence(entry: Any) -> str:
    settings = entry.get("settings") if isinstance(entry, dict) else None
    listed = [_setting(each) for each in settings if isinstance(each, dict)] if isinstance(settings, list) else []
    if not listed:
        return ""
    epoch = entry.get("epoch")
    when = f"after epoch {epoch}" if isinstance(epoch, int) and epoch > 0 else "before its first checkpoint"
    return one_line(f"The spec was changed {when}: {'; '.join(listed)}.")


def _setting(setting: Mapping[str, Any]) -> str:
    return f"{_shown(setting.get('path'))}: {_shown(setting.get('before'))} -> {_shown(setting.get('after'))}"


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
