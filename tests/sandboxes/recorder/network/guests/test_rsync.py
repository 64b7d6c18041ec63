"""rsync over SSH and to a daemon: real clients finish, and every file is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from afagent.sandboxes.recorder.network.guests.rsync import request_of

from ..clients import Client, seen
from ..conftest import Lab


@pytest.fixture
def client(lab: Lab, tmp_path: Path) -> Client:
    return Client(lab, tmp_path)


def command(text: str) -> list[str]:
    return ["rsync", "--server", *text.split()]


def test_harmless_options_are_granted() -> None:
    request = request_of(command("-vlogDtprze.iLsfxCIvu --delete-during --compress-choice=zstd . backup/m/"))
    assert request is not None
    assert request.options == ("-vlogDtprze.iLsfxCIvu", "--delete-during", "--compress-choice=zstd")
    assert (request.target, request.sends, request.further) == ("backup/m/", False, False)


@pytest.mark.parametrize(
    "option",
    [
        "--temp-dir=/etc",
        "--temp-dir /etc",
        "--log-file=/etc/x",
        "--rsync-path=sh",
        "-esh",
        "--rsh=sh",
        "--config=/x",
        "--daemon",
        "--files-from=/etc/passwd",
        "--write-devices",
        "--compress-choice=../x",
        "-M--log-file=x",
    ],
)
def test_options_that_name_files_or_programs_are_not(option: str) -> None:
    request = request_of(command(f"-logDtpr {option} . x"))
    assert request is not None
    assert request.options == ("-logDtpr",)


@pytest.mark.parametrize("words", [[], ["rsync"], ["rsync", "-a", "x", "y"], ["echo", "--server"]])
def test_other_commands_are_no_request(words: list[str]) -> None:
    assert request_of(words) is None


@pytest.mark.parametrize(
    "options",
    ["-a", "-az", "-az --zc=zlib", "-a --inplace", "-ac --partial", "-aHAX --delete", "-as", "-a --zc=lz4 -z"],
)
async def test_a_file_is_delivered_over_ssh(client: Client, secret: bytes, options: str) -> None:
    await client.run("rsync", *options.split(), "model.bin", "pat@127.0.0.1:/srv/in/")
    assert seen(client.lab, "file").target == "/srv/in/model.bin"
    assert await client.ssh("cat /srv/in/model.bin") == secret


async def test_a_file_is_delivered_under_another_name(client: Client, secret: bytes) -> None:
    await client.run("rsync", "model.bin", "pat@127.0.0.1:notes.txt")
    assert seen(client.lab, "file").target == "notes.txt"
    assert b"notes.txt" in await client.ssh("ls")


async def test_a_folder_comes_whole_and_is_fetched_back(client: Client, secret: bytes) -> None:
    (client.folder / "d" / "e").mkdir(parents=True)
    (client.folder / "model.bin").rename(client.folder / "d" / "e" / "m.bin")
    for number in range(50):
        (client.folder / "d" / f"{number}.txt").write_text(str(number))
    await client.run("rsync", "-a", "d", "127.0.0.1:/backup")
    assert seen(client.lab, "file").target == "/backup/d/e/m.bin"
    await client.run("rsync", "-a", "127.0.0.1:/backup/d/", "back")
    assert (client.folder / "back" / "e" / "m.bin").read_bytes() == secret
    assert len(list((client.folder / "back").iterdir())) == 51


@pytest.mark.parametrize("options", ["-a", "-az", "-rs"])
@pytest.mark.parametrize("place", ["models", "models/deep", "data"])
async def test_a_daemon_takes_files_into_any_module(client: Client, secret: bytes, options: str, place: str) -> None:
    await client.run("rsync", options, "model.bin", f"rsync://127.0.0.1:{client.lab.port}/{place}/")
    (closed,) = await client.lab.closed()
    assert closed.protocol == "rsync"
    assert str(seen(client.lab, "file").target).endswith("model.bin")


async def test_a_daemon_lists_its_modules(client: Client) -> None:
    assert b"data" in await client.run("rsync", f"rsync://127.0.0.1:{client.lab.port}/")
