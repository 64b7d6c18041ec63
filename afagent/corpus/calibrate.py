"""Runs a corpus and makes the calibration record of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import afagent
from afagent import engine
from afagent.corpus import score
from afagent.corpus.case import Case, Corpus
from afagent.corpus.record import CalibrationRecord
from afagent.corpus.run import Outcome, run_cases
from afagent.corpus.service import read_services
from afagent.errors import UsageError

SHIPPED = Path(afagent.__file__).parent.parent / "tests" / "corpus"
"""Where the corpus lies in a checkout; an installed package has none."""


def find_corpus(folder: Path | None) -> Path:
    """The folder of the corpus: the one that is named, else the checkout's.

    Raises:
        UsageError: it is not there.
    """
    found = folder or SHIPPED
    if not found.is_dir():
        raise UsageError(f"there is no corpus at {found}; it lies in tests/corpus of a checkout")
    return found


def calibrate(
    corpus: Corpus, cases: Sequence[Case], at_once: int, tell: Callable[[Outcome], None]
) -> CalibrationRecord:  # fmt: skip
    """Runs cases of a corpus. If it is interrupted (Ctrl-C), the record is of the cases that had ended, and not met.

    Args:
        corpus: the whole.
        cases: those of it to run.
        at_once: how many labs run at the same time.
        tell: is called with each outcome as it comes.

    Raises:
        LabError: no engine answers, or it has not the lab's images.
    """
    digests = image_digests()
    started, begun = datetime.now(UTC), time.monotonic()
    outcomes: list[Outcome] = []
    # A run of half an hour: what has ended is not lost.
    with suppress(KeyboardInterrupt):
        for outcome in run_cases(cases, at_once):
            outcomes.append(outcome)
            tell(outcome)
    outcomes.sort(key=lambda outcome: outcome.case.name)  # they come in the order in which they end
    demanded, broken = score.targets(outcomes), score.broken(outcomes)
    return CalibrationRecord(
        when=started,
        suite=afagent.__version__,
        images=digests,
        corpus=corpus.digest,
        whole=len(outcomes) == len(corpus.cases),
        ran=dict(Counter(outcome.case.kind for outcome in outcomes)),
        seconds=round(time.monotonic() - begun, 1),
        rows=score.rows(outcomes),
        fraction=score.fraction_error(outcomes),
        targets=demanded,
        misses=list(score.misses(outcomes)),
        broken=broken,
        met=len(outcomes) == len(cases) and bool(demanded) and all(target.met for target in demanded) and not broken,
    )


def image_digests() -> dict[str, str]:
    """The digests (`engine.image_digest`) of the images that the labs run.

    Raises:
        LabError: no engine answers, or one of them is not there.
    """
    client = engine.connect()
    try:
        names = [service.image for service in read_services()]
        return {name: engine.image_digest(client, name) for name in names}
    finally:
        client.close()
