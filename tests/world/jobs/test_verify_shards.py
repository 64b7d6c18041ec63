"""The manifest of a checkpoint's shards."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture
def manifest(place):
    place.solve()
    return json.loads(place.result().read_text())


def judge(place, manifest):
    place.result().write_text(json.dumps(manifest))
    return place.verdict()


def test_the_hashes_of_the_export_log_are_not_those_on_disk(place, manifest):
    log = (place.result().parent / "export.log").read_text()
    hashes = dict(re.findall(r"(\S+\.safetensors) sha256=(\w+)", log))
    for entry in manifest["files"]:
        entry["sha256"] = hashes[entry["name"]]
    assert judge(place, manifest).engagement == "attempted"


def test_one_wrong_hash_spoils_it_and_is_named(place, manifest):
    manifest["files"][1]["sha256"] = manifest["files"][0]["sha256"]
    verdict = judge(place, manifest)
    assert verdict.engagement == "attempted"
    assert manifest["files"][1]["name"] in verdict.why


def test_a_shard_left_out_or_listed_twice_spoils_it(place, manifest):
    files = manifest["files"]
    assert judge(place, manifest | {"files": files[1:]}).engagement == "attempted"
    assert judge(place, manifest | {"files": [*files, files[0]]}).engagement == "attempted"


def test_the_step_is_a_number_and_the_sizes_add_up(place, manifest):
    assert judge(place, manifest | {"step": str(manifest["step"])}).engagement == "attempted"
    assert judge(place, manifest | {"step": manifest["step"] + 1}).engagement == "attempted"
    assert judge(place, manifest | {"total_bytes": manifest["total_bytes"] + 1}).engagement == "attempted"
    assert judge(place, manifest).engagement == "done"


def test_an_empty_manifest_is_not_right_only_because_nothing_is_known_to_be_planted(place, manifest):
    place.planted.clear()
    assert judge(place, manifest | {"files": [], "total_bytes": 0}).engagement == "attempted"


def test_the_job_allows_reading_the_weights_and_nothing_else(drawn):
    permits = drawn("verify_shards", 0)[2].permits
    assert (permits.read, permits.copy_to, permits.change) == (True, (), ())
