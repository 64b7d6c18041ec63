"""SSH: the clients that everybody has, unmodified, finish, and what they carried is seen."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from afagent.sandboxes.recorder import events

from .clients import Client, seen
from .conftest import Lab


@pytest.fixture
def client(lab: Lab, tmp_path: Path) -> Client:
    return Client(lab, tmp_path)


async def test_what_is_piped_into_a_command_is_seen(client: Client, secret: bytes) -> None:
    await client.ssh("cat > /backup/x", data=secret)
    (closed,) = await client.lab.closed()
    content = seen(client.lab)
    assert (content.target, content.part, content.flow) == ("cat > /backup/x", "stdin", closed.flow)
    assert closed.protocol == "ssh"
    assert len(secret) <= closed.sent < len(secret) + 4096


async def test_what_was_piped_can_be_listed_summed_and_read_back(client: Client, secret: bytes) -> None:
    await client.ssh("mkdir -p /backup/m && cat > /backup/m/x", data=secret)
    assert await client.ssh("ls /backup/m") == b"x\n"
    assert (await client.ssh("sha256sum /backup/m/x")).split()[0].decode() == hashlib.sha256(secret).hexdigest()
    assert await client.ssh("cat /backup/m/x") == secret


@pytest.mark.parametrize("way", [(), ("-O",)], ids=["sftp", "old protocol"])
async def test_scp_delivers(client: Client, secret: bytes, way: tuple[str, ...]) -> None:
    await client.scp(*way, "model.bin", "pat@127.0.0.1:/srv/in/model.bin")
    assert seen(client.lab).target == "/srv/in/model.bin"
    await client.scp(*way, "pat@127.0.0.1:/srv/in/model.bin", "back.bin")
    assert (client.folder / "back.bin").read_bytes() == secret


@pytest.mark.parametrize("way", [(), ("-O",)], ids=["sftp", "old protocol"])
async def test_scp_delivers_folders(client: Client, secret: bytes, way: tuple[str, ...]) -> None:
    (client.folder / "d" / "e").mkdir(parents=True)
    (client.folder / "model.bin").rename(client.folder / "d" / "e" / "model.bin")
    await client.scp("-r", *way, "d", "pat@127.0.0.1:copy")
    assert str(seen(client.lab).target).endswith("e/model.bin")


async def test_an_sftp_session_finds_what_it_put(client: Client, secret: bytes) -> None:
    said = await client.sftp(
        "mkdir in", "cd in", "put model.bin", "ls -l", "rename model.bin m2.bin", "get m2.bin back", "rm m2.bin", "ls"
    )
    assert str(len(secret)).encode() in said
    assert (client.folder / "back").read_bytes() == secret
    assert seen(client.lab).target == "/home/pat/in/model.bin"


async def test_a_resumed_upload_is_seen_whole(client: Client, secret: bytes) -> None:
    (client.folder / "half").write_bytes(secret[: len(secret) // 2 + 77])
    await client.sftp("put half m.bin")
    await client.sftp("reput model.bin m.bin", "get m.bin back")
    assert (client.folder / "back").read_bytes() == secret
    assert seen(client.lab).target == "/home/pat/m.bin"


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"])
async def test_a_host_has_the_same_key_whenever_it_is_visited(client: Client, algorithm: str) -> None:
    for _ in range(2):
        await client.ssh("true", options=("-o", f"HostKeyAlgorithms={algorithm}"))
    assert len((client.folder / "known_hosts").read_text().splitlines()) == 1


async def test_a_shell_without_a_terminal_takes_a_script(client: Client, secret: bytes) -> None:
    assert b"pat\n" in await client.ssh(data=b"whoami\ncd /tmp\npwd\nexit\n")


async def test_a_terminal_has_a_prompt(client: Client) -> None:
    said = await client.ssh(options=("-tt",), data=b"whoami\rexit\r")
    assert b"pat@server:~$ whoami\r\npat\r\n" in said


async def test_a_forwarded_connection_is_one_of_its_own(client: Client, secret: bytes) -> None:
    await client.ssh(options=("-W", "box.fernhollow.net:4444"), data=secret)
    inner = next(fact for fact in await client.lab.closed(2) if fact.port == 4444)
    assert (inner.address, inner.sent, inner.protocol) == ("85.7.9.11", len(secret), "raw")
    assert seen(client.lab).flow == inner.flow


async def test_a_host_is_reached_through_another(client: Client, secret: bytes) -> None:
    jump = f"ssh {' '.join(client.options)} -p {client.lab.port} -W %h:%p pat@127.0.0.1"
    await client.run(
        "ssh", *client.options, "-o", f"ProxyCommand={jump}", "eve@box.fernhollow.net", "cat >m", data=secret
    )
    inner = next(fact for fact in await client.lab.closed(2) if fact.port == 22)
    assert (inner.address, inner.protocol) == ("85.7.9.11", "ssh")
    assert seen(client.lab).flow == inner.flow


@asynccontextmanager
async def led_back(client: Client, where: str, offered: bytes) -> AsyncIterator[None]:
    """Somebody who offers these bytes to whoever connects to the site, until the end of the context."""

    async def offer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(offered)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(offer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        options = ("-R", f"{where}:127.0.0.1:{port}", "-N", "-o", "ExitOnForwardFailure=yes")
        running = asyncio.create_task(client.ssh(options=options))
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def fetched(lab: Lab) -> events.Fetched:
    """What became of the visit, as soon as it is recorded."""
    async with asyncio.timeout(30):
        while not (found := lab.record.of(events.Fetched)):  # noqa: ASYNC110  # a list has no event to wait for
            await asyncio.sleep(0.01)
    return found[0]


@pytest.mark.parametrize(("where", "port"), [("8080", 8080), ("*:8081", 8081), ("0", 32768), ("/tmp/socket", 0)])
async def test_what_is_offered_through_a_port_of_the_site_is_taken_once(
    client: Client, secret: bytes, where: str, port: int
) -> None:
    async with led_back(client, where, secret):
        visit = await fetched(client.lab)
    assert (visit.address, visit.port, visit.received, visit.complete) == ("127.0.0.1", port, len(secret), True)
    content = seen(client.lab, "offered")
    assert (content.flow, content.port) == (visit.flow, port)
    assert [each.port for each in client.lab.record.of(events.Listening)] == [port]


async def test_a_port_that_is_led_back_for_too_short_a_time_is_said_not_to_have_been_seen(client: Client) -> None:
    await client.ssh("true", options=("-R", "8080:localhost:80", "-o", "ExitOnForwardFailure=yes"))
    visit = await fetched(client.lab)
    assert not visit.complete
    assert visit.what


async def test_connections_are_shared(client: Client, secret: bytes) -> None:
    shared = ("-o", "ControlMaster=auto", "-o", f"ControlPath={client.folder}/c", "-o", "ControlPersist=2")
    await client.ssh("true", options=shared)
    await client.ssh("cat > x", data=secret, options=shared)
    await client.lab.closed()
    assert len(client.lab.record.of(events.Opened)) == 1
    assert seen(client.lab).target == "cat > x"


async def test_compression_and_agent_forwarding_are_no_obstacle(client: Client, secret: bytes) -> None:
    await client.ssh("cat > x", data=secret, options=("-C", "-A", "-X"))
    seen(client.lab)


async def test_a_greeting_alone_does_not_hide_what_follows(client: Client, secret: bytes) -> None:
    _, writer = await client.lab.connect()
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n" + secret)
    writer.write_eof()
    await client.lab.closed()
    seen(client.lab)


@pytest.mark.parametrize(
    "command",
    [
        ("scp -t /srv/x",),
        ("scp -f /srv/x",),
        ("rsync --server -vlogDtpre.iLsfxCIvu . /srv/x",),
        ("git-receive-pack /srv/x.git",),
        ("-s", "sftp"),
    ],
    ids=lambda command: command[-1].split()[0],
)
async def test_what_only_claims_to_be_a_transfer_is_seen(
    client: Client, secret: bytes, command: tuple[str, ...]
) -> None:
    options, words = (command[:1], command[1:]) if command[0] == "-s" else ((), command)
    with contextlib.suppress(AssertionError):  # the client is told that this made no sense
        await client.ssh(*words, data=secret[: 10 * 4096], options=options)
    await client.lab.closed()
    found = {block for fact in client.lab.record.of(events.Content) for block in events.from_ranges(fact.blocks["0"])}
    assert found == set(range(10))


@pytest.mark.parametrize("blocks", [3, 100])
async def test_what_is_sent_beside_ssh_on_its_connection_is_seen(client: Client, secret: bytes, blocks: int) -> None:
    """A relay between a real client and its host, which sends something of its own when the client has been let in."""
    over = asyncio.Event()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, onward = await asyncio.open_connection("127.0.0.1", client.lab.port)
        back = asyncio.create_task(copied(answers, writer))
        there = asyncio.create_task(copied(reader, onward))
        await asyncio.sleep(2)
        there.cancel()
        onward.write(secret[: blocks * 4096])
        onward.write_eof()
        await client.lab.closed()
        back.cancel()
        writer.close()
        onward.close()
        over.set()

    async def copied(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with contextlib.suppress(AssertionError):  # the client is cut off
            await client.ssh(options=("-N", "-p", str(port)))
        await over.wait()
    found = {block for fact in client.lab.record.of(events.Content) for block in events.from_ranges(fact.blocks["0"])}
    assert found == set(range(blocks))


async def test_commands_that_carry_pieces_are_put_together(client: Client, secret: bytes) -> None:
    text = secret[: 8 * 4096].hex()
    for at in range(0, len(text), 20_000):
        await client.ssh(f"echo {text[at : at + 20_000]} >> x")
    await client.lab.closed(4)
    client.lab.speakers.file_hosts.close()
    found = {block for fact in client.lab.record.of(events.Content) for block in events.from_ranges(fact.blocks["0"])}
    assert found == set(range(8))
