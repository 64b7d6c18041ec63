"""FTP with real clients: curl and Python's ftplib, active and passive, in the clear and inside TLS."""

from __future__ import annotations

import asyncio
import bz2
import contextlib
import ftplib
import io
import socket
from collections.abc import Callable
from typing import TypeVar

import pytest

from afagent.sandboxes.recorder.events import Content, Fault, Limit, from_ranges
from afagent.sandboxes.recorder.marks import Marker

from ..conftest import Lab, weights

T = TypeVar("T")


async def curl(lab: Lab, path: str, *arguments: str, body: bytes = b"") -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-m", "20", *arguments, f"ftp://127.0.0.1:{lab.port}/{path}",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(body)
    return process.returncode or 0, out, err


async def client(lab: Lab, work: Callable[[ftplib.FTP], T], *, tls: bool = False, passive: bool = True) -> T:
    """What a session of ftplib gives; in a thread, since the server runs in this one."""

    def session() -> T:
        ftp = ftplib.FTP_TLS(context=lab.trusting()) if tls else ftplib.FTP()
        ftp.connect("127.0.0.1", lab.port, timeout=20)
        ftp.login("anyone", "secret")
        ftp.set_pasv(passive)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        found = work(ftp)
        ftp.quit()
        return found

    return await asyncio.to_thread(session)


def recognised(lab: Lab) -> dict[str | None, dict[str, str]]:
    """Blocks by target, of whichever look saw most."""
    told = sorted(lab.record.of(Content), key=lambda content: sum(map(len, map(from_ranges, content.blocks.values()))))
    return {content.target: content.blocks for content in told}


@pytest.mark.parametrize(
    ("arguments", "protocol"),
    [
        ((), "ftp-data"),
        (("--disable-epsv",), "ftp-data"),
        (("-P", "-"), "ftp-data"),
        (("-P", "-", "--disable-eprt"), "ftp-data"),
        (("--ssl-reqd", "-k"), "ftps-data"),
        (("--ssl-reqd", "-k", "-P", "-"), "ftps-data"),
        (("--ftp-create-dirs", "-u", "me:secret"), "ftp-data"),
        (("--append",), "ftp-data"),
        (("-B",), "ftp-data"),
    ],
    ids=" ".join,
)
async def test_an_upload_is_taken_and_seen_whole(
    lab: Lab, marker: Marker, arguments: tuple[str, ...], protocol: str
) -> None:
    data = weights(marker, 60)
    code, _, err = await curl(lab, "in/deep/a.bin", "-T", "-", *arguments, body=data)
    assert (code, err) == (0, b"")
    ends = {end.protocol: end for end in await lab.closed(2)}
    assert ends[protocol].sent == len(data) or "-B" in arguments
    assert recognised(lab)["/in/deep/a.bin"] == {"0": "0-59"}
    assert lab.record.of(Fault) == []


async def test_what_was_put_is_found_and_given_back(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 10)

    def work(ftp: ftplib.FTP) -> bytes:
        ftp.mkd("out")
        ftp.cwd("out")
        ftp.storbinary("STOR a.bin", io.BytesIO(data))
        assert ftp.size("a.bin") == len(data)
        ftp.rename("a.bin", "b.bin")
        assert ftp.nlst() == ["b.bin"]
        assert [(name, facts["size"]) for name, facts in ftp.mlsd()] == [("b.bin", str(len(data)))]
        lines: list[str] = []
        ftp.retrlines("LIST", lines.append)
        assert lines[0].endswith(" b.bin")
        assert f" {len(data)} " in lines[0]
        back = io.BytesIO()
        ftp.retrbinary("RETR b.bin", back.write)
        ftp.delete("b.bin")
        assert ftp.nlst() == []
        assert ftp.pwd() == "/out"
        return back.getvalue()

    assert await client(lab, work) == data
    (received,) = {end.received for end in await lab.closed(6) if end.received == len(data)}
    assert received == len(data)


@pytest.mark.parametrize("passive", [True, False])
async def test_pythons_client_protects_its_data_connections(lab: Lab, marker: Marker, passive: bool) -> None:
    data = weights(marker, 20)

    def work(ftp: ftplib.FTP) -> bytes:
        ftp.storbinary("STOR a.bin", io.BytesIO(data))
        back = io.BytesIO()
        ftp.retrbinary("RETR a.bin", back.write)
        return back.getvalue()

    assert await client(lab, work, tls=True, passive=passive) == data
    assert {end.protocol for end in await lab.closed(3)} == {"ftps", "ftps-data"}
    assert recognised(lab)["/a.bin"] == {"0": "0-19"}


async def test_line_ends_of_the_text_mode_are_undone(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 40)

    def work(ftp: ftplib.FTP) -> int | None:
        ftp.storlines("STOR a.txt", io.BytesIO(data))
        ftp.voidcmd("TYPE I")
        return ftp.size("a.txt")

    size = await client(lab, work)
    assert size is not None
    assert abs(size - len(data)) <= 4  # line ends that the file had itself, and one at its end
    told = [content for content in lab.record.of(Content) if content.layers == ["line ends"]]
    assert told[-1].blocks == {"0": "0-39"}


async def test_a_compressed_file_that_comes_in_parts_is_seen_as_a_whole(lab: Lab, marker: Marker) -> None:
    packed = bz2.compress(weights(marker, 30))
    third = len(packed) // 3

    def work(ftp: ftplib.FTP) -> None:
        ftp.storbinary("STOR a.bz2", io.BytesIO(packed[:third]))
        ftp.storbinary("STOR a.bz2", io.BytesIO(packed[third : 2 * third]), rest=third)
        ftp.storbinary("APPE a.bz2", io.BytesIO(packed[2 * third :]))

    await client(lab, work)
    lab.speakers.ftp.close()
    assert (lab.record.of(Content)[-1].layers, lab.record.of(Content)[-1].blocks) == (["bzip2"], {"0": "0-29"})


async def test_a_file_in_parts_that_cannot_be_kept_is_told(lab: Lab, marker: Marker) -> None:
    def work(ftp: ftplib.FTP) -> None:
        ftp.storbinary("STOR a.bz2", io.BytesIO(b"one"))
        ftp.storbinary("APPE a.bz2", io.BytesIO(b"two"))
        ftp.delete("a.bz2")

    await client(lab, work)
    lab.speakers.ftp.close()
    (limit,) = lab.record.of(Limit)
    assert (limit.where, "2 transfers" in limit.what) == ("network.ftp", True)


@pytest.mark.parametrize("passive", [True, False])
async def test_what_a_client_sends_while_it_fetches_is_seen(lab: Lab, marker: Marker, passive: bool) -> None:
    """Nobody reads a data connection in that direction, but who only listens has all of it."""
    data = weights(marker, 10)

    def work(ftp: ftplib.FTP) -> None:
        connection = ftp.transfercmd("NLST")
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
        connection.close()
        ftp.voidresp()

    await client(lab, work, passive=passive)
    await lab.closed(2)
    assert {"0": "0-9"} in recognised(lab).values()


async def test_what_only_begins_like_a_protected_data_connection_is_seen(lab: Lab, marker: Marker) -> None:
    data = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + weights(marker, 10)

    def work(ftp: ftplib.FTP) -> None:
        connection, _ = ftplib.FTP.ntransfercmd(ftp, "STOR a.bin")
        connection.sendall(data)
        connection.close()
        with contextlib.suppress(ftplib.Error):
            ftp.voidresp()

    await client(lab, work, tls=True)
    await lab.closed(2)
    assert {"0": "0-9"} in recognised(lab).values()
