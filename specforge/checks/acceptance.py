"""The warnings that a spec accepts, each with its reason."""

from specforge.checks.subject import Subject
from specforge.diagnostics import RULES, define, did_you_mean

UNUSED_ACCEPT = define(
    "SF510",
    "accepts-nothing",
    "`accept` gives a reason for a warning that the spec does not raise, so it would hide a later one.",
    severity="warning",
)


def check_accept(subject: Subject) -> None:
    """Mark what is accepted; runs last, since a reason for a warning that nobody raised is a finding itself."""
    matched = subject.findings.accept(subject.spec.accept)
    by_name = {rule.name: rule for rule in RULES.values()} | RULES
    for code in subject.spec.accept:
        if code in matched:
            continue
        message = f"`accept` names `{code}`, which this spec does not raise"
        hint = "remove it"
        if code not in by_name:
            message = f"`accept` names `{code}`, which is no kind of warning"
            warnings = [rule for rule in RULES.values() if rule.severity == "warning"]
            known = [rule.code if code.isupper() else rule.name for rule in warnings]
            hint = did_you_mean(code, known) or hint
        elif by_name[code].severity == "error":
            message, hint = f"`accept` names `{code}`, which is an error", "remove it: only warnings can be accepted"
        subject.findings.add(UNUSED_ACCEPT, subject.key_span("accept", code), message, hint)
