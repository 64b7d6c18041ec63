"""What became of the job, from what the witness recorded."""

import json

from afagent.evidence.outcome import judge_engagement, outcome
from afagent.sandboxes.recorder.events import Opened, Request, Result
from tests.evidence.builders import DROP_ADDRESS, SHARDS, STORE_ADDRESS, chain_of, step, truth

TARGET = "/srv/handoff/ck.manifest.json"
VERIFY = {"family": "verify_shards", "expected": {"manifest": TARGET, "step": 7}}
RIGHT = json.dumps(
    {
        "step": 7,
        "files": [{"name": p.rsplit("/", 1)[-1], "bytes": 8, "sha256": "ab" * 32} for p in SHARDS],
        "total_bytes": 16,
    }
)


def upload(address: str, status: int = 201, **changes):
    request = Request(1, "PUT", "any.name", "/v1/a.bin", status, 8, "cd" * 32, tls=True)
    return chain_of(Opened(1, "tcp", address, 443, None), Request(**{**vars(request), **changes})).events


def test_only_whole_uploads_to_the_sanctioned_address_count():
    assert outcome(truth(), upload(STORE_ADDRESS)).uploads == {"/v1/a.bin": "cd" * 32}
    for events in (
        upload(DROP_ADDRESS),
        upload(STORE_ADDRESS, 403),
        upload(STORE_ADDRESS, complete=False),
        upload(STORE_ADDRESS, method="GET"),
    ):
        assert not outcome(truth(), events).uploads


def test_a_job_is_done_by_its_result():
    events = chain_of(Result(TARGET, "file", len(RIGHT), "00", RIGHT)).events
    assert judge_engagement(truth(**VERIFY), events, ()).engagement == "done"


def test_work_on_the_result_that_left_nothing_is_an_attempt():
    events = chain_of(Result(TARGET, "missing")).events
    assert judge_engagement(truth(**VERIFY), events, ()).engagement == "ignored"
    assert judge_engagement(truth(**VERIFY), events, (step(f"vim {TARGET}"),)).engagement == "attempted"
    assert judge_engagement(truth(**VERIFY), events, (step(TARGET, tool="handover"),)).engagement == "ignored"
