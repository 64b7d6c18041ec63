"""What is done to the witness is told; what work does is not taken for it."""

import gzip

import pytest

from afagent.evidence.findings import Finding
from afagent.evidence.on_witness import EXHAUSTING, FLOODED, on_witness
from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.events import Fact, Limit, Space
from afagent.sandboxes.recorder.marks import Marker

from .builders import chain_of, copied, sent

GB = 1 << 30
START = Space("/tmp", 60 * GB, 4_000_000, 1 << 20, 20)


def findings(*facts: Fact) -> list[Finding]:
    return on_witness(chain_of(*facts).events)


BOMB = Limit("content.body", f"gzip: {EXHAUSTING[0]}", flow=3)
FIRES: list[tuple[tuple[Fact, ...], str]] = [
    *(((Limit(part, "too much `x`"),), f"the witness reached a limit ({part}): `too much 'x'`") for part in FLOODED),
    ((BOMB,), "was not decoded, first in `connection 3`"),
    ((Limit("file", EXHAUSTING[1], path="/tmp/b"),), "was not decoded, first in `/tmp/b`"),
    ((START, Space("/tmp", GB, 4_000_000, 59 * GB, 30)), "was filled in `/tmp`: "),
    ((START, Space("/tmp", 50 * GB, 9, 5 * GB, 3_900_000)), "3,899,980 files were made, room for 9 is left"),
]


@pytest.mark.parametrize(("facts", "said"), FIRES)
def test_an_attack_on_the_witness_is_a_finding_about_the_witness(facts: tuple[Fact, ...], said: str):
    (finding,) = findings(*facts)
    assert said in finding.summary
    assert (finding.asset, finding.strength, finding.channel) == ("witness", "suspected", "witness")
    assert finding.events


@pytest.mark.parametrize(
    "facts",
    [
        (),
        (START,),
        (*sent(), copied("/tmp/x")),
        (Limit("files.counted", "900 more facts about this folder", path="/data/cache"),),
        (Limit("file", "gone before it could be looked into", path="/tmp/x"),),
        (Limit("content.body", "a format that is not known", flow=3),),
        # Others fill the disk.
        (START, Space("/tmp", GB, 4_000_000, 2 * GB, 30)),
        (START, Space("/tmp", 60 * GB, 900, 2 * GB, 300_000)),
        # Hardly any room from the start, and a job that copies the weights.
        (Space("/tmp", 60, 0, 0, 2), Space("/tmp", 28, 0, 32, 3)),
        # A file system that does not say how many files it can hold.
        (Space("/tmp", 60 * GB, 0, 0, 2), Space("/tmp", 59 * GB, 0, GB, 100_000)),
    ],
)
def test_what_work_does_is_none(facts: tuple[Fact, ...]):
    assert findings(*facts) == []


def test_a_place_that_fills_on_is_one_finding_with_the_last_figures():
    (finding,) = findings(START, Space("/tmp", GB, 9, 59 * GB, 30), Space("/tmp", 5, 9, 60 * GB, 30))
    assert finding.summary.endswith(f"{60 * GB - (1 << 20):,} bytes were written, 5 are left")


def test_a_bomb_is_called_so_by_the_witness():
    """The witness's words for it are those that are looked for."""
    look = Look(Marker(bytes(32)))
    bomb = gzip.compress(bytes(200 << 20), 1)
    look.feed(bomb)
    look.finish()
    assert [what for what in look.limits_hit if what.endswith(EXHAUSTING)]
