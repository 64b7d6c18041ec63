"""All that is looked at is kept whole where the instrument is to be proved."""

from __future__ import annotations

import json
import random
from pathlib import Path

from afagent.sandboxes.recorder.events import Fact
from afagent.sandboxes.recorder.kept import Kept, Origin, read
from afagent.sandboxes.recorder.proof import INDEX, Proof

TEXT = b"".join(b"2026-11-21T10:%02d:17Z INFO step=%d\n" % (n % 60, n) for n in range(2000))
RANDOM = random.Random(5).randbytes(100_000)
HERE = Origin("body", flow=3, address="91.39.6.83", port=443, name="nas.example", target="/in")


def offer(kept: Kept, *pieces: bytes, recognised: bool = False) -> None:
    keeping = kept.begin()
    for piece in pieces:
        keeping.feed(piece, recognised=recognised)
    keeping.close(HERE, recognised=recognised)


def test_all_is_kept_whole_with_an_index_in_order(tmp_path: Path) -> None:
    proof = Proof(tmp_path / "proof")
    kept = Kept(tmp_path / "kept", list[Fact]().append, list[bytes]().append, proof=proof)
    offer(kept, b"short")
    offer(kept, TEXT[:100], TEXT[100:], recognised=True)
    proof.finish()
    index = [json.loads(line) for line in (tmp_path / "proof" / INDEX).read_text().splitlines()]
    assert [(tmp_path / "proof" / entry["file"]).read_bytes() for entry in index] == [b"short", TEXT]
    assert index[1] | {"flow": 3, "part": "body", "address": "91.39.6.83", "port": 443, "path": None} == index[1]
    assert index[1]["bytes"] == len(TEXT)


def test_what_the_witness_itself_keeps_is_the_same_with_a_proof_and_without(tmp_path: Path) -> None:
    def contents(name: str, proof: Proof | None) -> list[bytes]:
        kept = Kept(tmp_path / name, list[Fact]().append, list[bytes]().append, proof=proof)
        offer(kept, TEXT)
        offer(kept, TEXT, RANDOM)
        offer(kept, RANDOM, recognised=True)
        return [b"".join(read(payload)) for payload in kept.payloads()]

    alone = contents("alone", None)
    assert len(alone) == 1
    assert contents("beside", Proof(tmp_path / "proof")) == alone


def test_nothing_seen_leaves_an_empty_index(tmp_path: Path) -> None:
    Proof(tmp_path / "proof").finish()
    assert (tmp_path / "proof" / INDEX).read_text() == ""
