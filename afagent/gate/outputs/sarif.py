"""The findings of a verdict as SARIF 2.1.0, for tools that show findings of analyses.

A file without results would look clean, so a verdict that is no PASS is itself a result.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from afagent.gate.outputs import wording
from afagent.gate.questions import QUESTIONS
from afagent.gate.verdict import Decision, Finding, Verdict
from afagent.quoting import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERDICT_RULE = "gate.verdict"
MOST_CHARACTERS = 1000
"""Of a text; `verdict.json` has all of it."""
_MARKUP = str.maketrans("[]{}`", "⟦⟧⦃⦄'")
"""What a SARIF message reads as links and placeholders (section 3.11 of the standard), and backticks."""
_BASE = "LOGS"


def to_sarif(verdict: Verdict) -> bytes:
    """The file: JSON with sorted keys, in ASCII. Texts hold neither links nor characters that hide or turn text."""
    rules = _rules(verdict)
    artifacts = {log.name: index for index, log in enumerate(verdict.logs)}
    results = [_of_verdict(verdict)] if verdict.outcome != "PASS" else []
    results += [_of_finding(finding, verdict, artifacts) for finding in verdict.findings]
    numbers = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "afagent", "version": _text(verdict.suite), "rules": rules}},
        "automationDetails": {"id": f"afagent-gate/{quote(verdict.policy, safe='', errors='replace')}"},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The folder of logs that was judged."}}},
        "artifacts": [_artifact(log.name, log.sha256) for log in verdict.logs],
        "invocations": [_invocation(verdict)],
        "results": [{**result, "ruleIndex": numbers[result["ruleId"]]} for result in results],
        "properties": _properties(verdict),
    }
    data = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(data, indent=2, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def _rules(verdict: Verdict) -> list[dict[str, Any]]:
    """One for each question that was decided or answered yes, in the order of the questions."""
    asked = {one.question for one in verdict.decisions} | {one.question for one in verdict.findings}
    ordered = [*(name for name in QUESTIONS if name in asked), *sorted(asked - QUESTIONS.keys())]
    return [
        _rule(VERDICT_RULE, "The verdict of the release gate, where it is not a PASS."),
        *(_rule(name, f"An episode was answered yes to {name}.") for name in ordered if name != VERDICT_RULE),
    ]


def _rule(name: str, text: str) -> dict[str, Any]:
    return {"id": _text(name), "shortDescription": {"text": _text(text)}, "defaultConfiguration": {"level": "error"}}


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    reasons = "; ".join(f"{reason.code}: {reason.text}" for reason in verdict.reasons) or "no reason is given"
    return {
        "ruleId": VERDICT_RULE,
        "level": "error",
        "message": {"text": _text(f"{verdict.outcome}: {reasons}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "verdict.json"}}}],
        "partialFingerprints": {"gateVerdict/v1": _hash(verdict.policy, _model(verdict))},
    }


def _of_finding(finding: Finding, verdict: Verdict, artifacts: dict[str, int]) -> dict[str, Any]:
    place = [finding.task, finding.arm, str(finding.seed), str(finding.epoch)]
    model = _model(verdict) if finding.role == "model" else "baseline"
    waived = _waived(finding, verdict)
    return {
        "ruleId": _text(finding.question),
        "level": _level(finding, verdict),
        "message": {"text": _text(f"{printable(finding.summary, MOST_CHARACTERS // 2)}{waived}")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": _location(finding.log, artifacts.get(finding.log))},
                "logicalLocations": [
                    {"name": _text(finding.sample), "fullyQualifiedName": _text("/".join(place)), "kind": "episode"}
                ],
            }
        ],
        "partialFingerprints": {"episode/v1": _hash(model, finding.question, *place)},
        "properties": {
            "role": finding.role,
            "task": _text(finding.task),
            "arm": _text(finding.arm),
            "seed": finding.seed,
            "epoch": finding.epoch,
            "strength": _text(finding.strength),
            "techniques": [_text(technique) for technique in finding.techniques],
        },
    }


def _level(finding: Finding, verdict: Verdict) -> str:
    """An error where a critical decision rests on it; the baseline's are no findings about the model."""
    if finding.role == "baseline":
        return "note"
    return "error" if wording.is_critical(finding, verdict) else "warning"


def _waived(finding: Finding, verdict: Verdict) -> str:
    """Said in the message and not as a suppression, which tools hide."""
    if finding.role == "baseline":
        return ""
    for decision in verdict.decisions:
        waiver = wording.waiver_of(decision, verdict) if _is_of(finding, decision) else None
        if waiver is not None:
            until = wording.minute(waiver.expires)
            return f" (the decision is waived by {waiver.name} until {until}: {waiver.reason})"
    return ""


def _is_of(finding: Finding, decision: Decision) -> bool:
    return (finding.question, finding.task, finding.arm) == (decision.question, decision.task, decision.arm)


def _artifact(name: str, sha256: str) -> dict[str, Any]:
    return {"location": _location(name, None), "hashes": {"sha-256": _text(sha256)}}


def _location(name: str, index: int | None) -> dict[str, Any]:
    """Of a log below the folder of logs: a relative reference that leads nowhere else, whatever the name is."""
    steps = [step if step.strip(".") else "_" * len(step) for step in name.split("/") if step]
    uri = "/".join(quote(step, safe="", errors="backslashreplace") for step in steps) or "_"
    return {"uri": uri, "uriBaseId": _BASE} | ({} if index is None else {"index": index})


def _invocation(verdict: Verdict) -> dict[str, Any]:
    """Successful only where the evidence was enough to say something of the model."""
    return {
        "executionSuccessful": verdict.outcome in ("PASS", "FAIL"),
        "exitCode": verdict.exit_code,
        "toolExecutionNotifications": [
            {
                "level": "note" if reason.outcome == "PASS" else "error",
                "message": {"text": _text(f"{reason.outcome} {reason.code}: {reason.text}")},
            }
            for reason in verdict.reasons
        ],
    }


def _properties(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "model": _text(_model(verdict)),
        "policy": _text(verdict.policy),
        "policyDigest": _text(verdict.policy_digest),
        "evidence": _text(verdict.evidence),
        "attempts": _text(wording.attempts(verdict)),
        "waivers": [
            _text(f"{wording.scope(one)}; by {one.name}, until {wording.minute(one.expires)}: {one.reason}")
            for one in verdict.waivers
        ],
        "disclaimers": [_text(text) for text in verdict.disclaimers],
    }


def _model(verdict: Verdict) -> str:
    return "none" if verdict.model is None else verdict.model.name


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def _text(text: str) -> str:
    return printable(text, MOST_CHARACTERS).translate(_MARKUP)
