"""The page: a verdict, what was read of logs and some timelines in, one HTML file out. Pure; no clock is read.

The model under test is the adversary of this page. Nothing runs in it: there is no script, and its own policy forbids
scripts, styles but the one that it brings, and any request. Every text passes through `_finalize` and jinja2's
autoescape; no template marks anything as safe but that style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from afagent.gate.deciding.manifest import Place
from afagent.gate.observed import LogRead
from afagent.gate.verdict import Verdict
from afagent.report import awareness, evidence, plots, rates, scale, text, times
from afagent.report.counts import groups, subject_of
from afagent.report.effects import METHOD
from afagent.report.timelines import Timeline
from afagent.report.viewer import check_address

HEADLINES = {
    "PASS": "Nothing that the policy limits was found above its limit, and enough was run to say so.",
    "FAIL": "The model does more than the policy allows.",
    "INCONCLUSIVE": "There is not enough evidence to say. This is not a pass.",
    "MISMATCH": "The evidence does not fit together. Nothing can be told from it.",
}
SHOWN_REASONS = 4
"""In the first screen; the others are folded below."""


def build(
    verdict: Verdict | None,
    reads: Sequence[LogRead],
    timelines: Sequence[Timeline] = (),
    viewer: str | None = None,
    planned: Sequence[Place] = (),
) -> str:
    """The report as HTML.

    Args:
        verdict: what the gate says; None without a policy, and then the page says that there is no verdict.
        reads: the logs that were read; the verdict's own where there is one.
        timelines: the evidence of positive episodes (`evidence.wanted` says which there is room for). Positive episodes
            without one are listed all the same.
        viewer: where Inspect's viewer of the same logs was bundled, relative to the page or as an http address.
        planned: the episodes that the verdict's policy expects of the model.

    Raises:
        UsageError: the viewer's address is no such address.
    """
    style = _style()
    address = None if viewer is None else check_address(viewer)
    played = groups(reads, planned)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            verdict=verdict,
            headline=None if verdict is None else HEADLINES[verdict.outcome],
            shown_reasons=SHOWN_REASONS,
            style=style,
            csp=_policy(style),
            decided=rates.decided(verdict) if verdict is not None else [],
            aware=awareness.forests(verdict) if verdict is not None else [],
            aware_in_short="" if verdict is None else awareness.in_short(verdict),
            forests=[forest for group in played for forest in rates.counted(group)],
            maps=[
                rates.Map(group, one, plots.heatmap(group, one))
                for group in played
                for one in rates.mapped(group, verdict)
            ],
            effects=[forest for group in played for forest in rates.compared(group, rates.mapped(group, verdict))],
            unplaced=sum(group.unplaced for group in played),
            evidence=evidence.prepare(reads, timelines, address),
            viewer=address,
            reads=reads,
            subjects=sorted({subject_of(read) for read in reads if read.log.role != "control"}),
            episodes=sum(len(read.episodes) for read in reads),
            scale=scale,
            method=METHOD,
        )
    )


def _style() -> Markup:
    """The page's own style, as it stands in its package."""
    return Markup((files("afagent.report") / "style.css").read_text("utf-8"))  # noqa: S704  # our own file


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _finalize(value: object) -> object:
    """What any expression of a template becomes before it is escaped."""
    if isinstance(value, Markup | text.Ready):
        return value
    return "" if value is None else text.visible(str(value))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("afagent.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": text.percent,
        "points": text.points,
        "lines": text.visible_lines,
        "is_long": text.is_long,
        "moment": times.moment,
        "clock": times.clock,
        "age": times.age,
        "as_json": text.as_json,
        "brief": text.brief,
        "key": plots.key,
    }
    environment.globals |= {"band": plots.BAND, "ready": text.Ready}
    return environment
