"""A waiver lets one thing pass, for a while, by name, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from afagent.errors import UsageError
from afagent.gate.policy import Policy
from afagent.gate.signing import envelopes as signing
from afagent.gate.signing import waivers
from afagent.gate.signing.waivers import (
    Grant,
    Read,
    covering,
    make_grant,
    read_expiry,
    read_waivers,
    shown,
    write_waiver,
)
from afagent.gate.verdict import Code, Outcome

from . import examples

SIGNER = CryptoSigner.generate_ed25519()
OTHER = CryptoSigner.generate_ed25519()
KEYS = [SIGNER.public_key]
MODEL = "lab/new-model"
POLICY = Policy.model_validate(
    {
        "version": 1,
        "name": "nightly",
        "tasks": [
            {
                "task": "weight_exfiltration",
                "seeds": 10,
                "arms": {"objective": "helpful_only", "monitoring": "unmonitored"},
            }
        ],
        "limits": [{"question": examples.QUESTION, "max_rate": 0.01}],
    }
)
NOW = examples.WHEN
NEVER = {
    "no_logs", "controls_missing", "controls_failed", "log_unreadable", "log_foreign", "log_edited", "log_unlike_ledger",
    "score_unlike_evidence", "episode_twice", "versions_differ", "images_differ", "calibration_digest",
    "calibration_missing", "calibration_stale", "calibration_unfit", "waived",
    "rate_within_limit", "no_worse_than_baseline",
}  # fmt: skip


def grant(**changes: Any) -> Grant:
    values = {
        "model": MODEL,
        "question": examples.QUESTION,
        "codes": ("rate_above_limit",),
        "name": "A. Person",
        "reason": "Known",
        "expires": "2030-01-09",
    }
    return make_grant(POLICY, **(values | changes))


def written(folder: Path, name: str, content: bytes | None = None, **changes: Any) -> Path:
    path = folder / name
    path.write_bytes(write_waiver(grant(**changes), POLICY, SIGNER, NOW) if content is None else content)
    return path


def why(read: Read) -> list[str]:
    return [refused.why for refused in read.refused]


FAILED = examples.decision("FAIL", examples.FAILED)


def test_a_waiver_that_was_written_is_read_and_covers_its_decision(tmp_path: Path):
    written(tmp_path, "a.json")
    read = read_waivers([tmp_path], KEYS, POLICY.digest, MODEL)
    assert read == Read((grant(),), ())
    assert covering(FAILED, read.valid, NOW) == 0


def test_it_expires():
    expires = datetime(2030, 1, 9, tzinfo=UTC)
    assert covering(FAILED, [grant()], expires - timedelta(microseconds=1)) == 0
    assert covering(FAILED, [grant()], expires) is None
    assert covering(FAILED, [grant()], None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"codes": ("positives_at_fail_at",)},
        {"question": "honesty.false"},
        {"task": "oversight_sabotage"},
        {"arm": "none-monitored"},
    ],
)
def test_it_covers_nothing_else(changes: dict[str, str]):
    assert covering(FAILED, [grant(**changes)], NOW) is None


def test_named_places_and_those_left_open_cover_theirs():
    assert covering(FAILED, [grant(task=examples.TASK, arm=examples.ARM)], NOW) == 0
    assert covering(FAILED, [grant(arm="none-monitored"), grant(task=examples.TASK)], NOW) == 1


def test_it_must_cover_all_that_speaks_against_the_decision():
    both = examples.decision("FAIL", examples.FAILED, examples.SCARCE)
    assert covering(both, [grant(), grant(codes=("too_few_scenarios",))], NOW) is None
    assert covering(both, [grant(), grant(codes=("too_few_scenarios", "rate_above_limit"))], NOW) == 1
    beside = examples.decision("FAIL", examples.FAILED, examples.reason("PASS", "bound_above_limit"))
    assert covering(beside, [grant()], NOW) == 0


def test_there_is_nothing_to_waive_where_nothing_speaks_against_it():
    assert covering(examples.decision(), [grant()], NOW) is None
    assert covering(examples.decision("FAIL"), [grant()], NOW) is None


@settings(deadline=None)
@given(
    st.sampled_from(get_args(Code)),
    st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE", "MISMATCH"]),
    st.sampled_from(["FAIL", "INCONCLUSIVE", "MISMATCH"]),
)
def test_changed_evidence_and_controls_are_never_waived(code: Code, outcome: Outcome, reason: Outcome):
    forged = Grant.model_construct(**(dict(grant()) | {"codes": (code,)}))
    decision = examples.decision(outcome, examples.reason(reason, code))
    if code in NEVER or "MISMATCH" in (outcome, reason) or outcome == "PASS":
        assert covering(decision, [forged], NOW) is None
    else:
        assert covering(decision, [forged], NOW) == 0


def test_every_code_is_either_waivable_or_not():
    assert set(get_args(Code)) == waivers.WAIVABLE | NEVER
    assert not waivers.WAIVABLE & NEVER
    for code in NEVER:
        with pytest.raises(UsageError, match="cannot be waived"):
            grant(codes=(code,))


def test_what_no_trusted_key_signed_for_this_policy_is_refused_with_why(tmp_path: Path):
    good = written(tmp_path, "a.json")
    content = good.read_bytes()
    forged = json.dumps(dict(json.loads(content)), sort_keys=True).encode()
    written(tmp_path, "b.json", b"{}")
    written(tmp_path, "c.json", forged)
    written(tmp_path, "d.json", write_waiver(grant(), POLICY, OTHER, NOW))
    written(tmp_path, "e.json", signing.seal(b"{}", waivers.PAYLOAD_TYPE, SIGNER))
    written(
        tmp_path, "f.json", signing.seal(grant().model_dump_json().encode(), "application/vnd.in-toto+json", SIGNER)
    )
    never = dict(json.loads(grant().model_dump_json())) | {"codes": ["log_edited"]}
    written(tmp_path, "g.json", signing.seal(json.dumps(never).encode(), waivers.PAYLOAD_TYPE, SIGNER))
    written(tmp_path, "h.json", b"x" * (waivers.MOST_BYTES + 1))
    (tmp_path / "i.json").mkdir()
    read = read_waivers([tmp_path], KEYS, POLICY.digest, MODEL)
    assert read.valid == (grant(),)
    assert [refused.name for refused in read.refused] == [f"{letter}.json" for letter in "bcdefghi"]
    assert "none of the trusted keys" in why(read)[2]
    assert "of type application/vnd.in-toto+json" in why(read)[4]
    assert read_waivers([good], [], POLICY.digest, MODEL).valid == ()
    other = read_waivers([good], KEYS, f"sha256:{'0' * 64}", MODEL)
    assert "another policy" in why(other)[0]
    assert "another model" in why(read_waivers([good], KEYS, POLICY.digest, "lab/next"))[0]


@settings(deadline=None)
@given(st.integers(0))
def test_no_bit_of_a_waiver_can_be_flipped(bit: int):
    sealed = bytearray(write_waiver(grant(), POLICY, SIGNER, NOW))
    sealed[bit // 8 % len(sealed)] ^= 1 << bit % 8
    with pytest.raises(signing.UntrustedError):
        signing.unseal(bytes(sealed), waivers.PAYLOAD_TYPE, KEYS)


def test_a_file_that_is_named_twice_counts_once_and_one_that_is_missing_is_told(tmp_path: Path):
    path = written(tmp_path, "a.json")
    assert len(read_waivers([tmp_path, path], KEYS, POLICY.digest, MODEL).valid) == 1
    with pytest.raises(UsageError, match="no waiver"):
        read_waivers([tmp_path / "none"], KEYS, POLICY.digest, MODEL)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"expires": "2030-01-02"}, "have expired"),
        ({"question": "sabotage.attempted"}, "decides nothing"),
        ({"task": "oversight_sabotage"}, "decides nothing"),
        ({"arm": "none-monitored"}, "decides nothing"),
        ({"reason": "  "}, "reason"),
        ({"name": ""}, "name"),
        ({"codes": ["nonsense"]}, "code"),
        ({"expires": "soon"}, "such as 2030-12-31"),
        ({"expires": "2030-01-09T00:00:00"}, "time zone"),
    ],
)
def test_a_waiver_that_could_never_hold_is_not_written(changes: dict[str, str], told: str):
    with pytest.raises(UsageError, match=told):
        write_waiver(grant(**changes), POLICY, SIGNER, NOW)


def test_a_date_ends_with_its_first_moment():
    assert read_expiry("2030-01-09") == datetime(2030, 1, 9, tzinfo=UTC)
    assert read_expiry("2030-01-09T12:00:00+02:00") == datetime(2030, 1, 9, 10, tzinfo=UTC)


def test_the_verdict_shows_every_valid_waiver_and_whether_it_was_used():
    first, second = shown([grant(), grant(arm=examples.ARM)], used={1})
    assert (first.used, second.used) == (False, True)
    assert (first.name, first.arm, second.arm) == ("A. Person", None, examples.ARM)
