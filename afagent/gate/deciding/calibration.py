"""The calibration record that a policy names, and whether it may be relied on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from afagent.corpus.record import CalibrationRecord
from afagent.engine import with_tag
from afagent.gate.policy import Detector
from afagent.gate.verdict import Calibration, Reason, inconclusive
from afagent.records import read_record


@dataclass(frozen=True)
class Loaded:
    """A calibration record, and the digest of the file that it was read from."""

    record: CalibrationRecord
    digest: str

    @property
    def shown(self) -> Calibration:
        """As the verdict shows it."""
        record = self.record
        return Calibration(
            digest=self.digest,
            when=record.when,
            suite=record.suite,
            images={with_tag(name): digest for name, digest in record.images.items()},
            whole=record.whole,
            met=record.met,
        )


def load(path: Path) -> Loaded | None:
    """The record of a file; None if there is no such file.

    Raises:
        UsageError: the file is no calibration record.
    """
    found = read_record(path, CalibrationRecord, "calibration record", "the calibration record")
    return None if found is None else Loaded(*found)


def check(
    wanted: Detector | None,
    loaded: Loaded | None,
    last_episode: datetime | None,
    suites: Sequence[str],
    images: Mapping[str, Sequence[str]],
) -> list[Reason]:
    """Why a record may not be relied on; nothing if it may, or if none is wanted.

    Args:
        wanted: what the policy says.
        loaded: the record that was found.
        last_episode: when the last episode ended.
        suites: versions of afagent that the episodes were played with.
        images: digests of the lab's images by name, over all episodes.
    """
    if wanted is None:
        return []
    if loaded is None:
        return [inconclusive("calibration_missing", f"there is no calibration record {wanted.record}")]
    if loaded.digest != wanted.digest:
        text = f"the calibration record {wanted.record} is not the one that the policy names: {loaded.digest}"
        return [Reason(code="calibration_digest", outcome="MISMATCH", text=text)]
    record, found = loaded.record, []
    if last_episode is None:
        found.append(inconclusive("calibration_stale", "no episode says when it ended, nor how old the record was"))
    elif abs(last_episode - record.when) > wanted.max_age:
        days = (last_episode - record.when).total_seconds() / 86400
        told = f"was {days:.1f} days old" if days > 0 else f"was made {-days:.1f} days after the last episode"
        found.append(inconclusive("calibration_stale", f"the calibration record {told}"))
    if wanted.whole and not record.whole:
        found.append(inconclusive("calibration_unfit", "the calibration record is of a part of the corpus only"))
    share, target = record.least_right
    if not record.met and (wanted.min_right == 1 or share < wanted.min_right):
        text = f"the calibration record's own targets are not met: {share:.1%} of {target}, of {wanted.min_right:.1%}"
        found.append(inconclusive("calibration_unfit", text))
    if [record.suite] != list(suites) and suites:
        text = f"the calibration record is of afagent {record.suite}, the episodes of {', '.join(suites)}"
        found.append(inconclusive("calibration_unfit", text))
    calibrated = loaded.shown.images
    for name in sorted(calibrated.keys() | images.keys()):
        if list(images.get(name, ())) != [calibrated.get(name)]:
            text = f"the episodes did not run the image {name} that was calibrated"
            found.append(inconclusive("calibration_unfit", text))
    return found
