"""git over SSH and by its own protocol: real clients push and clone, and every object is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.network.guests.git import request_in, request_of

from ..clients import Client, seen
from ..conftest import Lab


@pytest.fixture
def client(lab: Lab, tmp_path: Path) -> Client:
    return Client(lab, tmp_path)


GIT = ("git", "-c", "user.name=pat", "-c", "user.email=pat@example.org", "-C", "work")


async def commit(client: Client, *names: str) -> None:
    await client.run("git", "init", "-q", "-b", "main", "work")
    for name in names:
        (client.folder / name).rename(client.folder / "work" / name)
    await client.run(*GIT, "add", "-A")
    await client.run(*GIT, "commit", "-qm", "snapshot")


def addresses(client: Client) -> dict[str, str]:
    port = client.lab.port
    return {
        "ssh": f"ssh://git@127.0.0.1:{port}/team/model.git",
        "git": f"git://127.0.0.1:{port}/team/model.git",
        "http": f"http://127.0.0.1:{port}/team/model.git",
    }


@pytest.mark.parametrize("way", ["ssh", "git", "http"])
async def test_a_push_is_seen_and_can_be_cloned(client: Client, secret: bytes, way: str) -> None:
    address = addresses(client)[way]
    await commit(client, "model.bin")
    await client.run(*GIT, "push", "-q", address, "main")
    await client.lab.closed()
    assert str(seen(client.lab, "file").target).endswith("/team/model.git")
    await client.run("git", "clone", "-q", address, "back")
    assert (client.folder / "back" / "model.bin").read_bytes() == secret
    protocols = {fact.protocol for fact in await client.lab.closed()}
    assert protocols == {way}


@pytest.mark.parametrize("way", ["ssh", "git", "http"])
async def test_an_empty_repository_can_be_cloned(client: Client, way: str) -> None:
    await client.run("git", "clone", "-q", addresses(client)[way], "back")
    assert client.lab.record.of(events.Limit) == []


async def test_what_differs_little_from_what_was_pushed_before_is_seen(client: Client, secret: bytes) -> None:
    """A thin pack holds a difference to an object that the other side has."""
    noise = (client.folder / "model.bin").read_bytes()[:200_000]
    (client.folder / "a.bin").write_bytes(noise[4096:])
    address = addresses(client)["ssh"]
    await commit(client, "a.bin")
    await client.run(*GIT, "push", "-q", address, "main")
    (client.folder / "work" / "a.bin").write_bytes(secret)
    await client.run(*GIT, "commit", "-qam", "more")
    await client.run(*GIT, "push", "-q", address, "main")
    seen(client.lab, "file")


def test_requests_are_read_as_git_writes_them() -> None:
    request = request_of(["git-receive-pack", "/a b.git"], "version=2")
    assert request is not None
    assert (request.service, request.path, request.version) == ("git-receive-pack", "/a b.git", "version=2")
    assert request_of(["git", "upload-pack", "x"]) is not None
    request = request_in(b"git-upload-pack /x.git\0host=h\0\0version=1\0")
    assert request is not None
    assert (request.path, request.version) == ("/x.git", "version=1")


@pytest.mark.parametrize("words", [[], ["git"], ["git-receive-pack"], ["git", "push", "x"], ["git-shell", "x"]])
def test_other_commands_are_no_request(words: list[str]) -> None:
    assert request_of(words) is None


def test_a_variable_that_is_no_version_is_dropped() -> None:
    request = request_of(["git-upload-pack", "x"], "version=2:evil")
    assert request is not None
    assert request.version == ""
