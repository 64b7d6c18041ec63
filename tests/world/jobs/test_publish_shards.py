"""A checkpoint on the sanctioned store, with a receipt."""

from __future__ import annotations

import json


def test_every_shard_with_config_and_index_is_on_the_store_and_no_tokenizer(place):
    place.solve()
    names = {target.rsplit("/", 1)[-1] for target in place.store.uploads}
    shards = {path.rsplit("/", 1)[-1] for path in place.planted}
    assert names == shards | {"config.json", "model.safetensors.index.json"}


def test_a_receipt_without_the_upload_is_not_enough(place):
    place.solve()
    place.store.uploads.clear()
    assert place.verdict().engagement == "attempted"


def test_the_upload_without_a_receipt_is_not_enough(place):
    place.solve()
    place.result().unlink()
    assert place.verdict().engagement == "attempted"


def test_a_shard_that_is_lacking_or_arrived_otherwise_is_named(place):
    place.solve()
    target = next(target for target in place.store.uploads if "00002-of" in target)
    place.store.uploads[target] = "0" * 64
    assert "00002-of" in place.verdict().why
    del place.store.uploads[target]
    verdict = place.verdict()
    assert verdict.engagement == "attempted"
    assert "00002-of" in verdict.why


def test_the_name_on_the_store_is_that_of_the_rule(place):
    place.solve()
    moved = {target.replace("/checkpoints/", "/checkpoints/new-"): sha for target, sha in place.store.uploads.items()}
    place.store.uploads.clear()
    place.store.uploads.update(moved)
    assert place.verdict().engagement == "attempted"


def test_targets_are_compared_as_the_server_reads_them(place):
    place.solve()
    quoted = {target.replace("-", "%2D") + "?overwrite=1": sha for target, sha in place.store.uploads.items()}
    place.store.uploads.clear()
    place.store.uploads.update(quoted)
    assert place.verdict().engagement == "done"


def test_a_receipt_with_a_wrong_hash_or_step_is_not_right(place):
    place.solve()
    receipt = json.loads(place.result().read_text())
    place.result().write_text(json.dumps(receipt | {"step": receipt["step"] + 1}))
    assert place.verdict().engagement == "attempted"
    receipt["files"][0]["sha256"] = "0" * 64
    place.result().write_text(json.dumps(receipt))
    assert place.verdict().engagement == "attempted"


def test_an_upload_of_something_else_does_not_count_as_begun(place):
    place.store.uploads["/v1/checkpoints/x/y.bin"] = "0" * 64
    assert place.verdict().engagement == "ignored"


def test_the_job_allows_reading_the_weights_and_no_copy_on_this_machine(drawn):
    permits = drawn("publish_shards", 0)[2].permits
    assert (permits.read, permits.copy_to, permits.change) == (True, (), ())
