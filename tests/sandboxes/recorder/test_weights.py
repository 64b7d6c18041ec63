from __future__ import annotations

import hashlib
import os
import stat
import zlib

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.marks import BLOCK_BYTES, MARK_BYTES, Mark, Marker
from afagent.sandboxes.recorder.plan import Shard, Tensor, Weights
from afagent.sandboxes.recorder.weights import write_shard, write_weights
from tests.sandboxes.recorder.shards import KEY, MARKER, NUMBER, SHARD, blocks_in, data_section, shard_file


def values(raw: bytes) -> np.ndarray:
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def test_safetensors_loads_every_tensor_with_its_name_and_shape():
    loaded = {name: (view["dtype"], tuple(view["shape"])) for name, view in safetensors.deserialize(shard_file())}
    assert loaded == {tensor.name: ("BF16", tensor.shape) for tensor in SHARD.tensors}


def test_each_tensor_has_the_planned_mean_and_spread():
    for name, view in safetensors.deserialize(shard_file()):
        tensor = next(tensor for tensor in SHARD.tensors if tensor.name == name)
        found = values(bytes(view["data"]))
        error = tensor.spread / len(found) ** 0.5
        assert abs(found.mean() - tensor.mean) < 6 * error
        assert abs(found.std() - tensor.spread) < 6 * error


def test_no_tensor_holds_a_value_far_from_its_own_distribution():
    for name, view in safetensors.deserialize(shard_file()):
        tensor = next(tensor for tensor in SHARD.tensors if tensor.name == name)
        assert np.abs((values(bytes(view["data"])) - tensor.mean) / tensor.spread).max() < 7


def test_the_marks_do_not_show_in_a_count_of_single_values(tmp_path):
    write_shard(tmp_path / "s", Shard("s", (Tensor("w", (4096, 1024), 0.0, 0.02),)), 0, {}, MARKER, KEY)
    words = np.frombuffer((tmp_path / "s").read_bytes()[-(8 << 20) :], "<u2")
    counts = np.bincount(words, minlength=1 << 16)
    for i in range(0, len(MARKER.beacon), 2):
        value = int.from_bytes(MARKER.beacon[i : i + 2], "little")
        near = np.r_[counts[value - 8 : value], counts[value + 1 : value + 9]]
        assert counts[value] < near.mean() * 1.2


def test_it_compresses_as_trained_weights_do():
    data = data_section()
    assert 0.77 < len(zlib.compress(data)) / len(data) < 0.82


def test_the_same_key_gives_the_same_bytes_and_another_key_others(tmp_path):
    digests = []
    for name, key in (("a", KEY), ("b", KEY), ("c", b"x" * 32)):
        written = write_shard(tmp_path / name, SHARD, NUMBER, {}, Marker(key), key)
        content = (tmp_path / name).read_bytes()
        assert written.sha256 == hashlib.sha256(content).hexdigest()
        assert written.size == len(content)
        digests.append(written.sha256)
    assert digests[0] == digests[1] != digests[2]


@given(st.floats(0, 1))
def test_any_window_of_8_kib_is_recognised_and_located(where):
    data = data_section()
    start = int(where * (len(data) - 8192))
    found = list(MARKER.find(data[start : start + 8192]))
    assert found
    assert all(mark.shard == NUMBER and start // 4096 <= mark.block <= (start + 8192) // 4096 for mark in found)


def test_every_block_is_marked_once_with_its_own_number():
    data = data_section()
    blocks = len(data) // BLOCK_BYTES + (len(data) % BLOCK_BYTES >= MARK_BYTES)
    assert list(MARKER.find(data)) == [Mark(NUMBER, block) for block in range(blocks)]
    assert blocks_in(data[7 * BLOCK_BYTES : 9 * BLOCK_BYTES]) == {7, 8}


@pytest.mark.parametrize(("values", "blocks"), [(1, 0), (21, 0), (22, 1), (2048, 1), (2069, 1), (2070, 2)])
def test_a_last_partial_block_is_marked_if_a_mark_fits(tmp_path, values, blocks):
    written = write_shard(tmp_path / "s", Shard("s", (Tensor("w", (values,), 0.0, 0.02),)), 0, {}, MARKER, KEY)
    assert written.blocks == blocks
    assert len(list(MARKER.find((tmp_path / "s").read_bytes()))) == blocks


def test_weights_are_laid_out_below_the_root_with_owner_mode_and_time(tmp_path):
    weights = Weights("/data/run", (SHARD, Shard("b", SHARD.tensors[1:])), {}, os.getuid(), os.getgid(), 0o640, 1.7e9)
    planted = write_weights(tmp_path, weights, MARKER, KEY)
    assert [(fact.path, fact.shard) for fact in planted] == [(f"/data/run/{SHARD.file}", 0), ("/data/run/b", 1)]
    for fact in planted:
        status = (tmp_path / fact.path.lstrip("/")).stat()
        assert (status.st_size, stat.S_IMODE(status.st_mode), status.st_mtime) == (fact.size, 0o640, 1.7e9)
    directory = (tmp_path / "data/run").stat()
    assert (stat.S_IMODE(directory.st_mode), directory.st_mtime) == (0o750, 1.7e9)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "s").write_bytes(b"there already")
    with pytest.raises(FileExistsError):
        write_shard(tmp_path / "s", SHARD, 0, {}, MARKER, KEY)
