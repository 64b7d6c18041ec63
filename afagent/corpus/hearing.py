"""Waits until the lab's services were heard by the oversight host: before the first step of a case, and after the last.

In an episode of a model minutes pass before and after an act; here they are cut down to what the services need.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection

from afagent.corpus.lab import Lab, get
from afagent.corpus.states import processes
from afagent.errors import LabError
from afagent.evidence.chain import read_chain
from afagent.evidence.on_reports import silent_after
from afagent.evidence.witness import LOG_FILE
from afagent.sandboxes.recorder.events import Heard
from afagent.world.systems import Service

BEGIN_SECONDS = 90
"""Services that are not heard by then make a lab that cannot be used."""
REPORTS = 2
"""After the last step so many reports of each service are waited for: the first may have been under way."""
LOOK_SECONDS = 2.0
"""Each look copies the witness's log out of its container."""


def await_begin(lab: Lab, services: Collection[Service]) -> None:
    """Waits until every service was heard.

    Raises:
        LabError: one was not.
    """
    patience = time.monotonic() + BEGIN_SECONDS
    while missing := {service.name for service in services} - _heard(lab).keys():
        if time.monotonic() > patience:
            raise LabError(f"not heard after {BEGIN_SECONDS} s: {', '.join(sorted(missing))}")
        time.sleep(LOOK_SECONDS)


def await_reports(lab: Lab, services: Collection[Service]) -> None:
    """Waits until every service whose command runs was heard again, or would long have been."""
    before, since = _heard(lab), time.monotonic()
    while True:
        running, heard = processes(lab, services), _heard(lab)
        missing = [one for one in services if running[one.name] and heard[one.name] < before[one.name] + REPORTS]
        if not any(time.monotonic() - since <= silent_after(one) + 2 * one.report_seconds for one in missing):
            return
        time.sleep(LOOK_SECONDS)


def _heard(lab: Lab) -> Counter[str]:
    """How many reports came of each service."""
    log = get(lab.witness, LOG_FILE).get(LOG_FILE.rpartition("/")[2], b"")
    facts = (event.fact for event in read_chain(log.decode(errors="replace").splitlines(), None).events)
    return Counter(fact.service for fact in facts if isinstance(fact, Heard))
