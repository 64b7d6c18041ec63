"""What decoders hold is one sum: many that are open at once do not take more memory than there is for all."""

import bz2
import gc
import lzma
from collections.abc import Callable

import pytest

from afagent.sandboxes.recorder.content import memory, streams
from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.content.memory import Holding, Pool
from afagent.sandboxes.recorder.marks import Marker

MIB = 1 << 20
PACKERS: dict[str, Callable[[bytes], bytes]] = {"xz": lzma.compress, "bzip2": bz2.compress}


def test_a_decoder_holds_what_it_has_written_up_to_its_most_and_gives_it_back():
    pool = Pool(10)
    first, second = Holding(8, pool), Holding(8, pool)
    assert first.grow(5)
    assert first.grow(5), "three of them"
    assert not second.grow(3)
    assert second.grow(2)
    del first
    assert second.grow(6)


@pytest.mark.parametrize("name", PACKERS)
def test_of_many_open_streams_those_that_find_no_memory_are_told(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "POOL", Pool(9 * MIB))
    packed = PACKERS[name](bytes(4 * MIB))
    looks = [Look(Marker(bytes(32))) for _ in range(4)]
    for look in looks:
        look.feed(packed[:-8])
        look.pause()
    said = [look.limits_hit for look in looks]
    assert said[:2] == [[], []]
    assert said[2:] == [[f"{name}: {streams.CROWDED}"]] * 2
    for look in looks:
        look.finish()
    again = Look(Marker(bytes(32)))
    again.feed(packed)
    again.finish()
    assert again.limits_hit == [], "what has ended holds nothing"


def test_nothing_is_held_when_nothing_is_open():
    gc.collect()
    assert memory.POOL.take(memory.HELD_BYTES)
    memory.POOL.give_back(memory.HELD_BYTES)
