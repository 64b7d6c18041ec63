"""Which unfinished attempt is taken up again, and which is too unlike what would be played now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

import afagent
from afagent import images
from afagent.gate.located import Located, load
from afagent.gate.running import attempt as attempts
from afagent.gate.running import blocks
from tests.gate.test_check import TOY

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def gate(tmp_path: Path) -> Located:
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(TOY))
    return load(tmp_path / "policy.yaml")


def begin(gate: Located, now: datetime = NOW) -> attempts.Attempt:
    """An attempt as a run takes it, which then breaks off."""
    attempt = attempts.find(gate, "lab/new", None, now)
    attempts.keep(attempt, gate, "lab/new", None, attempt.entry or "entry")
    return attempt


def test_an_unfinished_attempt_is_taken_up_again(gate: Located) -> None:
    first = begin(gate)
    assert (first.entry, begin(gate, NOW + timedelta(hours=1)).entry) == (None, "entry")


def test_one_that_was_begun_longer_ago_than_a_verdict_is_valid_is_not(gate: Located) -> None:
    first = begin(gate)
    assert attempts.find(gate, "lab/new", None, NOW + WEEK - timedelta(seconds=1)).folder == first.folder
    anew = attempts.find(gate, "lab/new", None, NOW + WEEK)
    assert (anew.folder == first.folder, anew.entry) == (False, None)


def test_taking_it_up_again_does_not_make_it_younger(gate: Located) -> None:
    begin(gate)
    begin(gate, NOW + timedelta(days=6))
    assert begin(gate, NOW + WEEK).entry is None


def test_one_of_another_version_or_of_other_images_is_not_taken_up(
    gate: Located, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(gate)
    later = NOW + timedelta(hours=1)
    with monkeypatch.context() as other:
        other.setattr(afagent, "__version__", "another")
        assert attempts.find(gate, "lab/new", None, later).entry is None
    with monkeypatch.context() as other:
        other.setattr(images, "SANDBOXES", gate.folder)
        assert attempts.find(gate, "lab/new", None, later).entry is None
    assert attempts.find(gate, "lab/new", None, later).entry == "entry"


def test_one_whose_scenarios_were_divided_otherwise_is_not_taken_up(
    gate: Located, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(gate)
    monkeypatch.setattr(blocks, "FIRST", 1)
    assert attempts.find(gate, "lab/new", None, NOW + timedelta(hours=1)).entry is None


@pytest.mark.parametrize("field", ["begun", "suite", "images", "folders"])
def test_one_that_does_not_say_how_it_was_begun_is_not_taken_up(gate: Located, field: str) -> None:
    file = begin(gate).folder / attempts.FILE
    kept = json.loads(file.read_bytes())
    del kept[field]
    file.write_text(json.dumps(kept))
    assert attempts.find(gate, "lab/new", None, NOW + timedelta(hours=1)).entry is None
