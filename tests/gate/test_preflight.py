"""A run that could be no PASS is refused before anything is played, and the ledger says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from afagent import __version__
from afagent.cli import afagent
from afagent.errors import UsageError
from afagent.gate.located import Located, load
from afagent.gate.running.preflight import preflight
from afagent.gate.running.run import Subject, run
from afagent.gate.signing.envelopes import keygen, read_private_key
from afagent.gate.signing.waivers import make_grant, write_waiver
from tests.gate.test_awareness import asking, judge_of
from tests.gate.test_check import TOY, WIDE, record

NOW = datetime.now(UTC)
MODEL = "lab/new"
COMPARED = [{"question": "exfiltration.attempted", "margin": 0.9}]
NEVER = [{**TOY["limits"][0], "max_rate": 0.01}]


def gate(folder: Path, **changed: Any) -> Located:
    """A policy in a file."""
    (folder / "policy.yaml").write_text(yaml.safe_dump({**TOY, **changed}))
    return load(folder / "policy.yaml")


def detector(folder: Path, **changed: Any) -> dict[str, Any]:
    """What a policy says that has a calibration record, which fits but for what is changed."""
    return {"detector": record(folder, **{"suite": __version__, **changed}), "limits": [WIDE]}


def without(folder: Path, name: str, said: dict[str, Any]) -> dict[str, Any]:
    """The same, after a file was taken away."""
    (folder / name).unlink()
    return said


def with_another(folder: Path, said: dict[str, Any]) -> dict[str, Any]:
    """The same, after another record was written in its place."""
    record(folder, seconds=2.0)
    return said


LONG_AGO = NOW - timedelta(days=400)
REFUSED: dict[str, tuple[Callable[[Path], dict[str, Any]], str]] = {
    "a comparison without a baseline": (lambda _: {"comparisons": COMPARED}, "name it with --baseline"),
    "a limit that nothing can show": (lambda _: {"limits": NEVER}, "the policy can never pass: exfiltration.attempted"),
    "no calibration record": (lambda at: without(at, "record.json", detector(at)), "there is no calibration record"),
    "another one": (lambda at: with_another(at, detector(at)), "not the one that the policy names"),
    "a stale one": (lambda at: detector(at, when=LONG_AGO), "400.0 days old"),
    "one of another version": (lambda at: detector(at, suite="0.0.0"), "is of afagent 0.0.0"),
    "one of a part": (lambda at: detector(at, whole=False), "of a part of the corpus"),
    "no record of the judge": (lambda at: without(at, "judge.json", asking(judge_of(at))), "no record of the judge"),
    "a stale one of the judge": (lambda at: asking(judge_of(at, {"when": LONG_AGO})), "400.0 days old"),
    "one of another judge": (lambda at: asking(judge_of(at, {"model": "judges/other"})), "is of judges/other"),
    "one of other prompts": (lambda at: asking(judge_of(at, checked={"prompts": "0"})), "of other prompts"),
    "a judge of itself": (lambda at: asking(judge_of(at, judge=MODEL)), "would judge itself"),
    "no key to sign with": (lambda _: {"signature": {"key": "gate.key"}}, "cannot read the private key"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_could_be_no_pass_is_refused_before_it_is_played(tmp_path: Path, why: str) -> None:
    said, sentence = REFUSED[why]
    one = gate(tmp_path, **said(tmp_path))
    with pytest.raises(UsageError, match=sentence):
        run(one, Subject(MODEL, None), NOW, "none")
    opened, closed = one.ledger().events()
    assert (opened.event, closed.event, closed.outcome) == ("opened", "closed", "REFUSED")
    assert sentence in str(closed.why)
    assert not (tmp_path / "logs").exists()
    assert not (tmp_path / "verdicts").exists()


@pytest.mark.parametrize("why", REFUSED)
def test_no_schedule_is_made_for_it_either(tmp_path: Path, why: str) -> None:
    said, sentence = REFUSED[why]
    gate(tmp_path, **said(tmp_path))
    asked = ["gate", "schedule", str(tmp_path / "policy.yaml"), "--model", MODEL, "--as", "github"]
    result = CliRunner().invoke(afagent, asked)
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_schedule_for_another_machine_is_made_unchecked_and_says_so(tmp_path: Path) -> None:
    gate(tmp_path, **without(tmp_path, "record.json", detector(tmp_path)))
    asked = ["gate", "schedule", str(tmp_path / "policy.yaml"), "--model", MODEL, "--as", "github"]
    refused, made = CliRunner().invoke(afagent, asked), CliRunner().invoke(afagent, [*asked, "--unchecked"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert (made.exit_code, made.stderr) == (0, "whether a run would be refused was not looked at\n")
    assert "gate run" in made.stdout


def test_a_model_is_no_baseline_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be its own baseline"):
        preflight(gate(tmp_path), MODEL, MODEL, NOW)


LET_THROUGH: dict[str, Callable[[Path], dict[str, Any]]] = {
    "a plain policy": lambda _: {},
    "an advisory comparison": lambda _: {"comparisons": [{**COMPARED[0], "tier": "advisory"}]},
    "an advisory limit that nothing can show": lambda _: {"limits": [*TOY["limits"], {**NEVER[0], "tier": "advisory"}]},
    "a calibration record that fits": detector,
    "a record of the judge that fits": lambda at: asking(judge_of(at)),
    "a key": lambda at: {"signature": {"key": keygen(at / "gate.key").with_suffix("").name}},
}


@pytest.mark.parametrize("what", LET_THROUGH)
def test_what_could_pass_is_let_through(tmp_path: Path, what: str) -> None:
    preflight(gate(tmp_path, **LET_THROUGH[what](tmp_path)), MODEL, None, NOW)


def test_a_waiver_may_let_through_what_could_not_pass_by_itself(tmp_path: Path) -> None:
    key = tmp_path / "person.key"
    one = gate(tmp_path, limits=NEVER, signature={"waiver_keys": [keygen(key).name]})
    expires = f"{NOW + timedelta(days=9):%Y-%m-%d}"
    said = {"question": NEVER[0]["question"], "task": None, "arm": None, "codes": ["bound_above_limit"]}
    grant = make_grant(one.policy, model=MODEL, name="A. Person", reason="Known", expires=expires, **said)
    one.waivers.mkdir()
    (one.waivers / "one.json").write_bytes(write_waiver(grant, one.policy, read_private_key(key), NOW))
    preflight(one, MODEL, None, NOW)


def test_a_key_for_waivers_that_is_none_is_told_before_too(tmp_path: Path) -> None:
    one = gate(tmp_path, signature={"waiver_keys": ["absent.pub"]})
    one.waivers.mkdir()
    with pytest.raises(UsageError, match="cannot read the public key"):
        preflight(one, MODEL, None, NOW)


def test_a_model_that_cannot_be_asked_is_told_before_the_controls_are_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    one = gate(tmp_path)
    with pytest.raises(UsageError, match=r"anthropic/some-model cannot be asked: .*ANTHROPIC_API_KEY"):
        run(one, Subject("anthropic/some-model", None), NOW, "none")
    (attempt,) = one.ledger().attempts("toy", "anthropic/some-model")
    assert attempt.outcome == "REFUSED"
