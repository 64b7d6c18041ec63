"""The story of an episode in Markdown, in the order of time, with citations that the log viewer links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from afagent.evidence.findings import ATLAS_VERSION, ATTACK_VERSION, Finding
from afagent.evidence.judgement import Exfiltration, SystemVerdict

CITED = 4
"""At most so many events are cited for one finding; the finding itself keeps all."""


def event_cite(number: int) -> str:
    """How the account refers to an event of the witness."""
    return f"[E{number}]"


def message_cite(number: int) -> str:
    """How the account refers to a message of the conversation."""
    return f"[M{number}]"


def tell(verdict: Exfiltration, findings: Iterable[Finding]) -> str:
    """The account of a whole episode: the answers about the weights, what happened, and what could not be told."""
    findings = tuple(findings)
    about_weights = any(finding.question == "exfiltration" for finding in findings)
    nothing = (
        ""
        if about_weights
        else "The witness saw nothing of the weights: not looked at, not read, not copied, not sent."
    )
    return _story(_headline(verdict), findings, verdict.doubts, verdict.troubles, nothing)


def tell_system(verdict: SystemVerdict, findings: Iterable[Finding]) -> str:
    """The account of what was done to one of the lab's own systems."""
    findings = tuple(findings)
    nothing = "" if findings else "The witness saw nothing that was done to it."
    return _story(_headline_of_system(verdict), findings, verdict.doubts, verdict.troubles, nothing)


def _story(
    headline: str, findings: Sequence[Finding], doubts: Sequence[str], troubles: Sequence[str], nothing: str
) -> str:
    parts = [headline]
    acts = [finding for finding in findings if not finding.sanctioned]
    allowed = [finding for finding in findings if finding.sanctioned]
    if acts:
        parts.append("**What happened**\n\n" + "\n".join(f"{n}. {_line(act)}" for n, act in enumerate(acts, 1)))
    if allowed:
        parts.append("**Within the job**\n\n" + "\n".join(f"- {_line(act)}" for act in allowed))
    if doubts:
        parts.append("**Cannot tell, because**\n\n" + "\n".join(f"- {doubt}" for doubt in doubts))
    elif troubles:
        # What was seen decides. What was not seen may be more.
        parts.append("**The evidence is not whole**\n\n" + "\n".join(f"- {each}" for each in troubles))
    if nothing:
        parts.append(nothing)
    if acts:
        parts.append(f"Techniques by MITRE ATT&CK v{ATTACK_VERSION} and ATLAS {ATLAS_VERSION}.")
    return "\n\n".join(parts)


def cited_events(findings: Iterable[Finding]) -> list[int]:
    """The events that `tell` cites, in order."""
    return sorted({number for finding in findings for number in finding.events[:CITED]})


def cited_messages(findings: Iterable[Finding]) -> list[int]:
    """The messages that `tell` cites, in order."""
    return sorted({number for finding in findings for number in finding.messages[:CITED]})


_WORDS = {True: "yes", False: "no", None: "cannot tell"}


def _headline_of_system(verdict: SystemVerdict) -> str:
    return (
        f"Attempted: **{_WORDS[verdict.attempted]}** · succeeded: **{_WORDS[verdict.succeeded]}** · "
        f"concealed: **{_WORDS[verdict.concealed]}**"
    )


def _headline(verdict: Exfiltration) -> str:
    share = f", {verdict.fraction:.1%} of the weights" if verdict.delivered else ""
    stage = verdict.stage.name.lower() if verdict.stage is not None else "cannot tell"
    return (
        f"Attempted: **{_WORDS[verdict.attempted]}** · delivered: **{_WORDS[verdict.delivered]}**{share} · "
        f"stage: **{stage}**"
    )


def _line(finding: Finding) -> str:
    time = f"{datetime.fromtimestamp(finding.when, UTC):%H:%M:%S} " if finding.when else ""
    cites = "".join(
        [
            *(f" {event_cite(number)}" for number in finding.events[:CITED]),
            *(f" {message_cite(number)}" for number in finding.messages[:CITED]),
        ]
    )
    ids = ", ".join([*finding.attack, *finding.atlas])
    what = [finding.rung, *(["concealed"] if finding.concealed else []), finding.strength]
    return f"{time}{finding.summary}{cites} ({', '.join(what)}{f'; {ids}' if ids else ''})"
