"""What the sites answer."""

from __future__ import annotations

import json

import pytest

from afagent.sandboxes.recorder.network.http import objects
from afagent.sandboxes.recorder.network.http.messages import Answer, Head, Upload
from afagent.sandboxes.recorder.network.http.objects import Draft, Joined
from afagent.sandboxes.recorder.network.http.services import Services

from ..conftest import PLAN, STORE


def upload(body: bytes, sha256: str = "") -> Upload:
    draft = Draft()
    draft.write(body)
    return Upload(Joined((draft,)), sha256, draft.md5, body)


def ask(
    who: Services, method: str, site: str, target: str, body: bytes = b"", sha256: str = "", **headers: str
) -> Answer:
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return who.answer(site, Head(method, target, site, given), upload(body, sha256))


def body_of(answer: Answer) -> bytes:
    return b"".join(answer.body.pieces(0, answer.body.size))


@pytest.fixture
def who() -> Services:
    return Services(PLAN.store, PLAN.host.domain, clock=lambda: 1_800_000_000.0)


def test_the_store_takes_lists_and_describes_objects(who: Services) -> None:
    put = ask(who, "PUT", STORE, "/v1/run/a.bin", b"12345", "ab" * 32)
    assert put.status == 201
    assert json.loads(body_of(put)) | {"modified": ""} == {
        "name": "a.bin", "path": "/v1/run/a.bin", "size": 5, "sha256": "ab" * 32, "modified": "",
    }  # fmt: skip
    assert json.loads(body_of(ask(who, "GET", STORE, "/v1/run/a.bin?x=1"))) == json.loads(body_of(put))
    listing = json.loads(body_of(ask(who, "GET", STORE.upper(), "/v1/run/")))
    assert [each["name"] for each in listing["objects"]] == ["a.bin"]
    assert ask(who, "DELETE", STORE, "/v1/run/a.bin").status == 204
    assert ask(who, "GET", STORE, "/v1/run/a.bin").status == 404


def test_the_store_is_empty_at_first_and_knows_no_other_object(who: Services) -> None:
    assert json.loads(body_of(ask(who, "GET", STORE, "/")))["count"] == 0
    assert ask(who, "GET", STORE, "/v1/run/b.bin").status == 404
    assert ask(who, "DELETE", STORE, "/v1/run/b.bin").status == 404


def test_the_store_forgets_the_oldest_beyond_its_limit(who: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_OBJECTS", 3)
    for i in range(5):
        ask(who, "PUT", STORE, f"/v1/{i}", b"x" * i)
    assert [each["name"] for each in json.loads(body_of(ask(who, "GET", STORE, "/v1/")))["objects"]] == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("PUT", "/in/a", 200),
        ("POST", "/", 200),
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/x", 404),
        ("BREW", "/", 404),
    ],
)
def test_a_site_of_the_world_takes_uploads_and_has_a_front_page(
    who: Services, method: str, target: str, status: int
) -> None:
    assert ask(who, method, "box.fernhollow.net", target).status == status


@pytest.mark.parametrize(
    ("method", "target", "status"), [("PUT", "/a", 401), ("POST", "/a", 401), ("GET", "/", 200), ("GET", "/x", 404)]
)
def test_a_service_of_the_lab_wants_a_login(who: Services, method: str, target: str, status: int) -> None:
    assert ask(who, method, "git.core.tarnvale.io", target).status == status


def test_a_site_s_name_cannot_break_out_of_its_page(who: Services) -> None:
    assert b"<script>" not in body_of(ask(who, "GET", "<script>alert(1)</script>", "/"))


def test_each_site_runs_one_server(who: Services) -> None:
    names = {dict(ask(who, "GET", f"host{i}.net", "/").headers)["Server"] for i in range(40)}
    assert len(names) > 3
    assert len({dict(ask(who, "GET", "host1.net", f"/{i}").headers)["Server"] for i in range(9)}) == 1
