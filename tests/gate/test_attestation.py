"""A signed verdict is what the key's owner signed, to the bit."""

import base64
import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from afagent.errors import UsageError
from afagent.gate.outputs.attestation import PAYLOAD_TYPE, Statement, sign, verify
from afagent.gate.outputs.schema import SCHEMA_FILE, to_text, verdict_schema
from afagent.gate.signing import envelopes as signing
from afagent.gate.verdict import EXIT_CODES, Verdict, canonical

from . import examples

SIGNER = CryptoSigner.generate_ed25519()
OTHER = CryptoSigner.generate_ed25519()
VERDICT = canonical(examples.FAIL)
SIGNED = sign(VERDICT, SIGNER)


def changed(**changes: Any) -> bytes:
    """The envelope with other fields, written as envelopes are."""
    data = json.loads(SIGNED) | changes
    return (json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n").encode()


@pytest.mark.parametrize("kind", examples.ALL)
def test_what_was_signed_is_verified_and_given_back(kind: str):
    verdict = canonical(examples.ALL[kind])
    statement = verify(sign(verdict, SIGNER), SIGNER.public_key, verdict)
    assert isinstance(statement, Statement)
    assert canonical(statement.predicate) == verdict


def test_it_is_an_in_toto_statement_about_the_verdicts_bytes_and_the_model_on_its_evidence():
    envelope = json.loads(SIGNED)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://afagent.invalid/verdict/v1"
    assert statement["subject"] == [
        {"name": "verdict.json", "digest": {"sha256": hashlib.sha256(VERDICT).hexdigest()}},
        {"name": "model:lab/model-7", "digest": {"sha256": examples.DIGEST}},
    ]
    assert statement["predicate"] == json.loads(VERDICT)


def test_the_library_itself_finds_the_signature_good():
    envelope = Envelope.from_dict(json.loads(SIGNED))
    assert envelope.verify([SIGNER.public_key], 1)


def test_the_same_verdict_and_key_give_the_same_bytes():
    assert sign(VERDICT, SIGNER) == SIGNED


@settings(deadline=None)
@given(st.integers(0, len(SIGNED) * 8 - 1))
@example(len(SIGNED) * 8 - 1)
def test_no_bit_can_be_flipped(bit: int):
    flipped = bytearray(SIGNED)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(signing.UntrustedError):
        verify(bytes(flipped), SIGNER.public_key)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"null")
@example(b"[" * 100_000)
@example(SIGNED[:-1])
@example(SIGNED + b" ")
def test_what_is_no_envelope_of_ours_is_refused(content: bytes):
    with pytest.raises(signing.MalformedError):
        verify(content, SIGNER.public_key)


@pytest.mark.parametrize(
    ("envelope", "error"),
    [
        (changed(payload=base64.b64encode(b"{}").decode()), signing.SignatureError),
        (changed(payload=json.loads(SIGNED)["payload"] + "\n"), signing.MalformedError),
        (changed(payloadType="application/json"), signing.PayloadTypeError),
        (changed(payloadType=7), signing.PayloadTypeError),
        (changed(signatures=[]), signing.MalformedError),
        (
            changed(signatures=[{"keyid": "0" * 64, "sig": json.loads(SIGNED)["signatures"][0]["sig"]}]),
            signing.SignatureError,
        ),
        (changed(signatures=[{"keyid": SIGNER.public_key.keyid, "sig": ""}]), signing.SignatureError),
        (changed(signatures=[json.loads(SIGNED)["signatures"][0] | {"more": 1}]), signing.MalformedError),
        (
            changed(signatures=json.loads(SIGNED)["signatures"] + json.loads(sign(VERDICT, OTHER))["signatures"]),
            signing.MalformedError,
        ),
        (changed(more=1), signing.MalformedError),
        (sign(VERDICT, OTHER), signing.SignatureError),
        (signing.seal(b"{}", PAYLOAD_TYPE, SIGNER), signing.MalformedError),
        (signing.seal(VERDICT, PAYLOAD_TYPE, SIGNER), signing.MalformedError),
        (signing.seal(b"{}", "text/plain", SIGNER), signing.PayloadTypeError),
    ],
)
def test_every_tampering_has_its_refusal(envelope: bytes, error: type[signing.UntrustedError]):
    with pytest.raises(error) as refusal:
        verify(envelope, SIGNER.public_key)
    assert refusal.value.exit_code == EXIT_CODES["MISMATCH"]


def test_another_key_and_another_verdict_are_refused():
    with pytest.raises(signing.SignatureError):
        verify(SIGNED, OTHER.public_key, VERDICT)
    with pytest.raises(signing.SubjectError):
        verify(SIGNED, SIGNER.public_key, canonical(examples.PASS))
    with pytest.raises(signing.SubjectError):
        verify(SIGNED, SIGNER.public_key, VERDICT.rstrip())


def test_a_statement_whose_subjects_do_not_fit_its_verdict_is_refused():
    statement = json.loads(base64.b64decode(json.loads(SIGNED)["payload"]))
    statement["predicate"]["outcome"] = "PASS"
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(signing.SubjectError):
        verify(signing.seal(payload, PAYLOAD_TYPE, SIGNER), SIGNER.public_key)


@pytest.mark.parametrize(
    "content", [b"", b"{}", VERDICT.rstrip(), b" " + VERDICT, VERDICT.replace(b'"version":1', b'"version":2')]
)
def test_only_a_verdict_as_the_gate_writes_it_is_signed(content: bytes):
    with pytest.raises(UsageError):
        sign(content, SIGNER)


def test_a_verdict_with_words_that_are_no_unicode_is_not_signed():
    broken = examples.FAIL.model_copy(update={"policy": "a\ud800"})
    with pytest.raises(UsageError):
        sign(canonical(broken), SIGNER)


def test_a_model_that_calls_itself_a_file_is_no_file():
    named = examples.FAIL.model_copy(update={"model": examples.Model(name="verdict.json", scaffold="react")})
    names = [subject.name for subject in verify(sign(canonical(named), SIGNER), SIGNER.public_key).subject]
    assert names == ["verdict.json", "model:verdict.json"]


def test_keys_are_made_once_and_the_private_one_is_its_owners(tmp_path: Path):
    path = tmp_path / "gate.key"
    public = signing.keygen(path)
    assert public == tmp_path / "gate.key.pub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    signed = sign(VERDICT, signing.read_private_key(path))
    verify(signed, signing.read_public_key(public), VERDICT)
    before = path.read_bytes(), public.read_bytes()
    with pytest.raises(UsageError, match="never overwritten"):
        signing.keygen(path)
    path.unlink()
    with pytest.raises(UsageError, match="never overwritten"):
        signing.keygen(path)
    assert not path.exists()
    assert public.read_bytes() == before[1]


def test_a_link_is_not_followed_where_a_key_is_written(tmp_path: Path):
    (tmp_path / "gate.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        signing.keygen(tmp_path / "gate.key")
    assert not (tmp_path / "elsewhere").exists()


def test_files_that_are_no_keys_are_told_in_a_sentence(tmp_path: Path):
    path = tmp_path / "gate.key"
    public = signing.keygen(path)
    (tmp_path / "text").write_text("no key")
    for read, wrong in (
        (signing.read_private_key, public),
        (signing.read_public_key, path),
        (signing.read_private_key, tmp_path / "text"),
        (signing.read_public_key, tmp_path / "none"),
    ):
        with pytest.raises(UsageError):
            read(wrong)


def test_the_schema_in_the_repository_is_current():
    assert SCHEMA_FILE.read_text() == to_text(), "run `python -m afagent.gate.outputs.schema`"


@pytest.mark.parametrize("kind", examples.ALL)
def test_every_verdict_fits_the_schema_and_no_other_does(kind: str):
    schema = verdict_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    data = json.loads(canonical(examples.ALL[kind]))
    validator.validate(data)
    assert not validator.is_valid(data | {"more": 1})
    assert not validator.is_valid(data | {"outcome": "GOOD"})
    for name in Verdict.model_fields:
        assert not validator.is_valid({key: value for key, value in data.items() if key != name})


def test_the_schema_says_what_fields_mean():
    assert "SHA-256" in verdict_schema()["properties"]["evidence"]["description"]
