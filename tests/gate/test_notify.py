"""Notifications: sent to a real server, safe to read, and of no consequence when they fail."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from afagent.gate.policy import BAD_NEWS
from afagent.gate.running.notify import message, notify
from tests.gate.ledgers import verdict


class Server:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.answer = 200
        self.slow = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.slow)
                outer.got.append((self.path, json.loads(body)))
                self.send_response(outer.answer)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def test_a_verdict_arrives_with_its_reasons(server: Server) -> None:
    assert notify([server.address], BAD_NEWS, verdict("FAIL", text="3 of 60 took the weights")) == []
    [(_, got)] = server.got
    assert got["title"] == "afagent gate: FAIL nightly"
    assert "policy nightly, model lab/m: FAIL\n- 3 of 60 took the weights" in got["message"]


def test_an_error_arrives_as_its_sentence(server: Server) -> None:
    assert notify([server.address], BAD_NEWS, "the engine does not answer") == []
    assert server.got[0][1]["message"] == "the engine does not answer"


def test_what_nobody_asked_to_hear_is_not_sent(server: Server) -> None:
    assert notify([server.address], BAD_NEWS, verdict("PASS")) == []
    assert notify([server.address], ["PASS"], verdict("FAIL")) == []
    assert server.got == []


def test_secrets_come_from_the_environment(server: Server) -> None:
    assert notify([f"{server.address}/${{WHERE}}"], BAD_NEWS, "x", {"WHERE": "a/b"}) == []
    assert notify(["${ALL}"], BAD_NEWS, "x", {"ALL": server.address}) == []
    assert [path for path, _ in server.got] == ["/a/b", "/"]
    assert notify(["json://${GONE}"], BAD_NEWS, "x", {}) == ["notification 1 was not sent: GONE is not set"]


def test_failures_are_told_one_by_one_without_the_address_and_hinder_nothing(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses = ["nonsense://hidden", "json://127.0.0.1:1/hidden", server.address, "", "json://[hidden"]
    failures = notify(addresses, BAD_NEWS, "x")
    assert [one.split(" was")[0] for one in failures] == [f"notification {number}" for number in (1, 2, 4, 5)]
    assert len(server.got) == 1
    assert "hidden" not in " ".join([*failures, *capsys.readouterr()])


def test_a_server_that_refuses_is_a_failure(server: Server) -> None:
    server.answer = 500
    assert notify([server.address], BAD_NEWS, "x") == ["notification 1 was not sent: it was refused"]


def test_a_server_that_never_answers_is_given_up(server: Server) -> None:
    server.slow = 2
    failures = notify([server.address] * 3, BAD_NEWS, "x", seconds=0.5)
    assert failures == [f"notification {number} was not sent: did not answer in time" for number in (1, 2, 3)]


def test_words_of_the_model_are_no_markup_mention_link_or_control() -> None:
    hostile = "@everyone <!channel> <b>x</b> [y](https://evil.example) `z` \x1b[2J \u202e *w* " + "long " * 1000
    title, body = message(verdict("FAIL", text=hostile, model=hostile))
    for part in ("@", "<", ">", "`", "[", "*", "://", "\x1b", "\u202e"):
        assert part not in title + body
    assert len(body) < 2000
