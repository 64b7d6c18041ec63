"""Requests come from bundled sets, files and datasets; what is none of them is told in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from inspect_ai._util.error import PrerequisiteError

from afagent.conversation.requests import BUNDLED, Request, digest, read_requests
from afagent.errors import UsageError


def written(path: Path, *records: object) -> str:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
    return str(path)


@pytest.mark.parametrize("name", BUNDLED.values())
def test_a_bundled_set_is_found_by_its_name(name: str) -> None:
    requests = read_requests(name)
    assert len([request for request in requests if not request.neutral]) >= {"animal_welfare": 120}.get(name, 80)


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    path = written(
        tmp_path / "r.jsonl", {"id": "a", "request": " Why? "}, {"request": "How?"}, {"id": 7, "request": "W"}
    )
    assert read_requests(path) == [Request("a", "Why?"), Request("2", "How?"), Request("7", "W")]


def test_a_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text('id,prompt\nx,"Why, and how?"\n', "utf-8")
    assert read_requests(str(tmp_path / "r.csv"), "prompt") == [Request("x", "Why, and how?")]


@pytest.mark.parametrize(
    ("name", "content"), [("r.csv", "request,id\nWhy?,x\n"), ("r.jsonl", '{"request": "Why?", "id": "x"}\n')]
)
def test_a_file_that_a_spreadsheet_marked_as_utf_8_is_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8-sig")
    assert read_requests(str(tmp_path / name)) == [Request("x", "Why?")]


def test_an_array_of_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('[{"request": "Why?"}]', "utf-8")
    assert read_requests(str(tmp_path / "r.json")) == [Request("1", "Why?")]


@pytest.mark.parametrize(
    ("records", "why"),
    [
        pytest.param([{"request": "a"}, {"prompt": "b"}], "request 2 of .* has no column 'request'; it has prompt", id="no column"),
        pytest.param([{"request": ""}], "request 1 of .* is no text, or empty", id="empty"),
        pytest.param([{"request": None}], "request 1 of .* is no text, or empty", id="null"),
        pytest.param([{"request": ["a"]}], "request 1 of .* is no text, or empty", id="a list"),
        pytest.param([{"id": "x", "request": "a"}, {"id": "x", "request": "b"}], "the id 'x' stands more than once", id="twice"),
        pytest.param([], "there is no request in", id="none"),
        pytest.param(["text"], "cannot be read|has no column", id="no objects"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, records: list[object], why: str) -> None:
    with pytest.raises(UsageError, match=why) as refusal:
        read_requests(written(tmp_path / "r.jsonl", *records))
    assert "\n" not in refusal.value.sentence


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xff", b'{"request": "a"'])
def test_a_file_that_is_broken_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        read_requests(str(tmp_path / "r.jsonl"))


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_requests("/nowhere/r.jsonl")


def test_a_name_that_is_nothing_is_refused_with_what_is_known() -> None:
    with pytest.raises(UsageError, match=r"known are animal_welfare, helpful_only, a path that ends in \.jsonl"):
        read_requests("animals")


def test_a_dataset_of_the_hub_is_asked_for_by_inspects_own_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its library is no dependency of ours: where it is missing, Inspect's own sentence says how to get it."""
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(PrerequisiteError, match="pip install datasets"):
        read_requests("hf:someone/something")


def test_a_digest_knows_the_requests_whatever_their_order() -> None:
    one, other = Request("1", "Why?"), Request("2", "How?")
    assert digest([one, other]) == digest([other, one])
    assert digest([one]) != digest([Request("1", "Why")])


def test_ten_thousand_requests_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", *({"request": f"Number {number}?"} for number in range(10_000)))
    assert len(read_requests(path)) == 10_000
