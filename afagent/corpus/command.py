"""`afagent validate --corpus`: the proof of the instrument."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from afagent.corpus.calibrate import calibrate, find_corpus
from afagent.corpus.case import load_corpus
from afagent.corpus.choose import covering, matching
from afagent.corpus.run import Outcome
from afagent.corpus.show import show
from afagent.quoting import printable

LABS_FOR_TWO_CORES = 5
"""A lab waits for its services' reports for a good part of its time."""


def labs_at_once() -> int:
    """As many labs as keep this machine's cores at work."""
    return max(2, LABS_FOR_TWO_CORES * (os.cpu_count() or 2) // 2)


def validate_corpus(
    folder: Path | None, *, only: str | None, fast: bool, at_once: int, json_file: Path | None
) -> bool:  # fmt: skip
    """Runs the corpus, prints how the detector did, and writes the calibration record.

    Args:
        folder: where the corpus lies; None for the checkout's own.
        only: run cases that fit this pattern.
        fast: run a small set that covers every kind of disguise and channel.
        at_once: how many labs run at the same time.
        json_file: where the record goes, if anywhere.

    Returns:
        Whether every target was met and no case was broken.

    Raises:
        UsageError: there is no corpus, a file of it is wrong, or no case fits.
        LabError: the lab cannot run.
    """
    corpus = load_corpus(find_corpus(folder))
    cases = corpus.cases if only is None else matching(corpus.cases, only)
    cases = covering(cases) if fast else cases
    progress, done = Console(stderr=True), 0
    with progress.status(f"{len(cases)} cases, {at_once} at a time") as status:

        def tell(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            status.update(Text(printable(f"{done} of {len(cases)}: {outcome.case.name}")))

        record = calibrate(corpus, cases, at_once, tell)
    show(record, Console())
    if json_file is not None:
        json_file.write_text(record.model_dump_json(indent=2) + "\n")
    return record.met
