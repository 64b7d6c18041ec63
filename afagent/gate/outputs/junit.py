"""The verdict as JUnit XML, for the test report of a CI system.

| what is                                                  | shown as   |
|----------------------------------------------------------|------------|
| PASS                                                     | passed     |
| FAIL or MISMATCH                                         | `failure`  |
| INCONCLUSIVE, a control that was judged otherwise        | `error`    |
| waived, advisory and not a PASS, not asked for           | `skipped`  |

The case `verdict` stands for the verdict itself: whatever is not a PASS is never green.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from afagent.gate.outputs import wording
from afagent.gate.verdict import Decision, Outcome, Reason, Verdict
from afagent.quoting import printable

MOST_CHARACTERS = 2000
"""Of a text; `verdict.json` has all of it."""
_Shown = Literal["failure", "error", "skipped"]
_SHOWN: dict[Outcome, _Shown | None] = {"PASS": None, "FAIL": "failure", "MISMATCH": "failure", "INCONCLUSIVE": "error"}


@dataclass(frozen=True)
class _Case:
    name: str
    shown: _Shown | None = None
    kind: str = ""
    """Of a failure, error or skip: one word."""
    lines: Sequence[str] = ()
    """Why, the first as its message."""


def to_junit(verdict: Verdict) -> bytes:
    """The XML, in UTF-8. Characters that XML cannot hold, and those that hide or turn text, stand as escapes."""
    suites = {
        "verdict": [_whole(verdict)],
        "decisions": [_decision(decision, verdict) for decision in verdict.decisions],
        "controls": _controls(verdict),
        "calibration": [_calibration(verdict)],
    }
    root = ET.Element("testsuites", name="afagent gate")
    for name, cases in suites.items():
        _suite(root, name, cases, verdict)
    _count(root, [case for cases in suites.values() for case in cases])
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _whole(verdict: Verdict) -> _Case:
    lines = [_reason(reason) for reason in verdict.reasons] or ["no reason is given"]
    return _Case(f"verdict of {verdict.policy}", _SHOWN[verdict.outcome], verdict.outcome, lines)


def _decision(decision: Decision, verdict: Verdict) -> _Case:
    name = f"{decision.question} {decision.kind}: {decision.task}, {decision.arm}"
    n, yes, bound, limit = wording.figures(decision)
    lines = [_reason(reason) for reason in decision.reasons]
    counted = f"n {n}, yes {yes}, bound {bound}, limit {limit}"
    shown = _SHOWN[decision.outcome]
    waiver = wording.waiver_of(decision, verdict)
    if waiver is not None:
        until = wording.minute(waiver.expires)
        waived = f"{decision.outcome}, waived by {waiver.name} until {until}: {waiver.reason}"
        return _Case(name, "skipped", "waived", [waived, *lines, counted])
    if decision.tier == "advisory" and shown is not None:
        return _Case(name, "skipped", "advisory", [f"{decision.outcome}, advisory only", *lines, counted])
    return _Case(name, shown, decision.outcome, [*lines, counted])


def _controls(verdict: Verdict) -> list[_Case]:
    cases = [
        _Case(control.playbook)
        if wording.agrees(control)
        else _Case(control.playbook, "error", "INCONCLUSIVE", [*control.problems, f"{control.episodes} episodes"])
        for control in verdict.controls
    ]
    against = wording.reasons_of(verdict, "controls_")
    if against:
        return [*cases, _against("all controls", against)]
    return cases or [_Case("all controls", "skipped", "none", ["no scripted models with known behaviour were run"])]


def _calibration(verdict: Verdict) -> _Case:
    name, record = "calibration record", verdict.calibration
    against = wording.reasons_of(verdict, "calibration_")
    if against:
        return _against(name, against)
    if record is None:
        return _Case(name, "skipped", "none", ["no calibration record was used"])
    if not (record.met and record.whole):
        return _Case(name, "skipped", "partial", [f"whole corpus: {record.whole}; targets met: {record.met}"])
    return _Case(name)


def _against(name: str, reasons: Sequence[Reason]) -> _Case:
    shown: _Shown = "failure" if any(_SHOWN[reason.outcome] == "failure" for reason in reasons) else "error"
    return _Case(name, shown, reasons[0].outcome, [_reason(reason) for reason in reasons])


def _reason(reason: Reason) -> str:
    return f"{reason.outcome} {reason.code}: {reason.text}"


def _suite(root: ET.Element, name: str, cases: Sequence[_Case], verdict: Verdict) -> None:
    suite = ET.SubElement(root, "testsuite", name=name)
    _count(suite, cases)
    if name == "verdict":
        properties = ET.SubElement(suite, "properties")
        for key, value in _facts(verdict):
            ET.SubElement(properties, "property", name=key, value=_text(value))
    for case in cases:
        element = ET.SubElement(suite, "testcase", name=_text(case.name), classname=f"gate.{name}")
        if case.shown is not None:
            lines = [_text(line) for line in case.lines]
            message = lines[0] if lines else case.kind
            why = ET.SubElement(element, case.shown, message=message, type=case.kind)
            why.text = "\n".join(lines)


def _count(element: ET.Element, cases: Sequence[_Case]) -> None:
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    element.set("tests", str(len(cases)))
    for attribute, shown in counts.items():
        element.set(attribute, str(sum(case.shown == shown for case in cases)))


def _facts(verdict: Verdict) -> list[tuple[str, str]]:
    waivers = [
        (f"waiver {number}", f"{wording.scope(one)}; by {one.name}, until {wording.minute(one.expires)}: {one.reason}")
        for number, one in enumerate(verdict.waivers, 1)
    ]
    return [
        ("outcome", verdict.outcome),
        ("model", "none" if verdict.model is None else verdict.model.name),
        ("policy", f"{verdict.policy} {verdict.policy_digest}"),
        ("evidence", verdict.evidence),
        ("expires", wording.minute(verdict.expires)),
        ("attempts", wording.attempts(verdict)),
        *waivers,
        *((f"disclaimer {number}", text) for number, text in enumerate(verdict.disclaimers, 1)),
    ]


def _text(text: str) -> str:
    return printable(text, MOST_CHARACTERS)
