"""The verdict as an in-toto Statement v1, signed: for whoever releases models by what is attested of them."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from securesystemslib.signer import CryptoSigner, Key

from afagent.errors import UsageError
from afagent.gate.signing import envelopes as signing
from afagent.gate.verdict import Verdict, canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://afagent.invalid/verdict/v1"
"""A name, no address: the top-level domain `.invalid` is nobody's (RFC 2606)."""
VERDICT_FILE = "verdict.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Digests(_Frozen):
    """In-toto's DigestSet."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Subject(_Frozen):
    """In-toto's ResourceDescriptor, as far as it is used."""

    name: str
    digest: Digests


class Statement(_Frozen):
    """What is signed: that this verdict is the one of this model, on this evidence."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[Subject]
    """`verdict.json` by its bytes; the model, as `model:NAME`, by the evidence on which it was judged."""
    predicate_type: Literal["https://afagent.invalid/verdict/v1"] = Field(alias="predicateType")
    predicate: Verdict


def sign(verdict: bytes, key: CryptoSigner) -> bytes:
    """The signed statement about a verdict.

    Args:
        verdict: the bytes of `verdict.json`.
        key: of `signing.read_private_key`.

    Raises:
        UsageError: the bytes are no verdict, or not written as `canonical` writes one.
    """
    try:
        read = Verdict.model_validate_json(verdict)
        payload = _payload(read)
        same = canonical(read) == verdict
    except ValueError as problem:  # pydantic's ValidationError is one
        raise UsageError("what is to be signed is no verdict.json") from problem
    if not same:
        raise UsageError("verdict.json is not as the gate wrote it; let `afagent gate check` write it again")
    return signing.seal(payload, PAYLOAD_TYPE, key)


def verify(envelope: bytes, key: Key, verdict: bytes | None = None) -> Statement:
    """What a signed statement says, after everything about it was checked.

    Args:
        envelope: as `sign` gives it.
        key: the public key that must have signed, of `signing.read_public_key`.
        verdict: the bytes of the `verdict.json` that it must be about; None: whatever verdict it holds.

    Raises:
        signing.UntrustedError: one of its kinds. A statement whose subjects do not fit its own verdict is refused too.
    """
    payload = signing.unseal(envelope, PAYLOAD_TYPE, [key])
    try:
        statement = Statement.model_validate_json(payload)
        expected = _payload(statement.predicate)
    except ValueError as problem:
        raise signing.MalformedError("what was signed is no statement about a verdict") from problem
    if payload != expected:
        raise signing.SubjectError("the statement's subjects do not fit the verdict that it holds")
    if verdict is not None and verdict != canonical(statement.predicate):
        raise signing.SubjectError("the statement is about another verdict than this one")
    return statement


def _payload(verdict: Verdict) -> bytes:
    """The one statement that there is about a verdict, as it is signed."""
    model = "none" if verdict.model is None else verdict.model.name
    digest = hashlib.sha256(canonical(verdict)).hexdigest()
    subjects = [
        Subject(name=VERDICT_FILE, digest=Digests(sha256=digest)),
        # The prefix keeps a model that calls itself `verdict.json` from being taken for it.
        Subject(name=f"model:{model}", digest=Digests(sha256=verdict.evidence.removeprefix("sha256:"))),
    ]
    said = {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": verdict}
    statement = Statement.model_validate(said)
    data = statement.model_dump(mode="json", by_alias=True)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
