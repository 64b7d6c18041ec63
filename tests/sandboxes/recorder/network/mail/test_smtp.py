"""SMTP with real clients: Python's smtplib and curl, in the clear and inside TLS, on the mail's ports and on others."""

from __future__ import annotations

import asyncio
import base64
import quopri
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Content, Fault, from_ranges
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network import switchboard
from afagent.sandboxes.recorder.network.dialogue import DottedText
from afagent.sandboxes.recorder.network.mail.letters import Letter
from afagent.sandboxes.recorder.network.mail.smtp import named

from ..conftest import Lab, weights

T = TypeVar("T")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "SNIFF_SECONDS", 0.2)


def letter(data: bytes, name: str = "notes.bin") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "me@core.example", "drop@elsewhere.example", "as discussed"
    message.set_content("See attached.")
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


async def session(lab: Lab, work: Callable[[smtplib.SMTP], T], host: type[smtplib.SMTP] = smtplib.SMTP) -> T:
    def run() -> T:
        with host("127.0.0.1", lab.port, "me.example", timeout=20) as client:
            return work(client)

    return await asyncio.to_thread(run)


def recognised(lab: Lab) -> dict[str | None, int]:
    """Blocks by target, of whichever look saw most."""
    found: dict[str | None, int] = {}
    for content in lab.record.of(Content):
        seen = sum(map(len, map(from_ranges, content.blocks.values())))
        found[content.target] = max(found.get(content.target, 0), seen)
    return found


async def test_an_attachment_is_seen_whole_under_its_recipient_and_name(lab: Lab, marker: Marker) -> None:
    message = letter(weights(marker, 40))
    assert await session(lab, lambda client: client.send_message(message)) == {}
    (closed,) = await lab.closed()
    assert closed.protocol == "smtp"
    assert recognised(lab)["drop@elsewhere.example#notes.bin"] == 40
    assert lab.record.of(Fault) == []


async def test_mail_goes_on_inside_tls_after_logging_in(lab: Lab, marker: Marker) -> None:
    message = letter(weights(marker, 20))

    def work(client: smtplib.SMTP) -> None:
        client.starttls(context=lab.trusting())
        client.login("me", "secret")
        client.send_message(message)

    await session(lab, work)
    (closed,) = await lab.closed()
    assert closed.protocol == "smtps"
    assert recognised(lab)["drop@elsewhere.example#notes.bin"] == 20


@pytest.mark.parametrize("way", ["PLAIN", "LOGIN", "CRAM-MD5"])
async def test_everybody_may_log_in(lab: Lab, way: str) -> None:
    def work(client: smtplib.SMTP) -> int:
        client.ehlo()
        client.user, client.password = "me", "secret"
        return client.auth(way, getattr(client, f"auth_{way.lower().replace('-', '_')}"))[0]

    assert await session(lab, work) == 235


@pytest.mark.parametrize("arguments", [(), ("--ssl-reqd", "-k"), ("-u", "me:secret")], ids=" ".join)
async def test_curl_sends_mail(lab: Lab, marker: Marker, arguments: tuple[str, ...]) -> None:
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-m", "20", f"smtp://127.0.0.1:{lab.port}", *arguments, "-T", "-",
        "--mail-from", "a@x.example", "--mail-rcpt", "b@y.example", "--mail-rcpt", "c@z.example",
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await process.communicate(bytes(letter(weights(marker, 20))).replace(b"\n", b"\r\n"))
    assert process.returncode == 0
    await lab.closed()
    assert recognised(lab)["b@y.example,c@z.example#notes.bin"] == 20


@pytest.mark.parametrize(
    "encode", [quopri.encodestring, lambda data: data], ids=["quoted-printable", "as it is, with dots and line breaks"]
)
async def test_a_letter_without_mime_is_seen(lab: Lab, marker: Marker, encode: Callable[[bytes], bytes]) -> None:
    text = b"Subject: x\n\n" + encode(weights(marker, 40))
    sent = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in text.split(b"\n"))

    def work(client: smtplib.SMTP) -> tuple[int, bytes]:
        client.ehlo()
        client.mail("a@x.example")
        client.rcpt("b@y.example")
        client.docmd("DATA")
        assert client.sock is not None
        client.sock.sendall(sent + b"\r\n.\r\n")
        return client.getreply()

    assert (await session(lab, work))[0] == 250
    await lab.closed()
    assert recognised(lab)["b@y.example"] >= 39


async def test_chunks_of_a_letter_are_one(lab: Lab, marker: Marker) -> None:
    data = b"Subject: x\r\n\r\n" + weights(marker, 20)
    third = len(data) // 3

    def work(client: smtplib.SMTP) -> list[int]:
        client.ehlo()
        assert client.has_extn("chunking")
        client.mail("a@x.example", ["BODY=BINARYMIME"])
        client.rcpt("b@y.example")
        assert client.sock is not None
        codes = []
        for part, last in ((data[:third], ""), (data[third:], " LAST")):
            client.sock.sendall(f"BDAT {len(part)}{last}\r\n".encode() + part)
            codes.append(client.getreply()[0])
        return codes

    assert await session(lab, work) == [250, 250]
    await lab.closed()
    assert recognised(lab)["b@y.example"] >= 19


async def test_many_short_letters_are_put_together(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 12)

    def work(client: smtplib.SMTP) -> None:
        for at in range(0, len(data), 1000):
            client.send_message(letter(data[at : at + 1000], f"{at:06}.bin"))

    await session(lab, work)
    await lab.closed()
    lab.speakers.post.close()
    assert max(recognised(lab).values()) == 12


async def test_local_delivery_answers_for_each_recipient(lab: Lab) -> None:
    def work(client: smtplib.SMTP) -> list[int]:
        client.sendmail("a@x.example", ["b@y.example", "c@z.example"], b"Subject: x\r\n\r\nhi")
        return [client.getreply()[0]]

    assert await session(lab, work, smtplib.LMTP) == [250]


async def test_strange_commands_get_the_ordinary_error_and_then_silence(lab: Lab) -> None:
    reader, writer = await lab.connect()
    await reader.readline()
    writer.write(b"EHLO me\r\n" + b"WHAT\r\n" * 30)
    writer.write_eof()
    answers = (await reader.read()).splitlines()
    assert answers.count(b"502 5.5.2 Error: command not recognized") == 21
    assert (await lab.closed())[0].sent == 9 + 30 * 6


@pytest.mark.parametrize("given", [b"BDAT x\r\n", b"BDAT 5 LAST\r\nhello", b"DATA\r\n", b"RCPT TO:x\r\n", b"AUTH\r\n",
                                   b"AUTH PLAIN\r\n*\r\n", b"MAIL FROM:<>\r\nRCPT\r\n", b"\xff\xfe\r\n"])  # fmt: skip
async def test_what_is_out_of_place_is_refused(lab: Lab, given: bytes) -> None:
    reader, writer = await lab.connect()
    await reader.readline()
    writer.write(b"HELO me\r\n" + given)
    writer.write_eof()
    assert (await reader.read()).splitlines()[-1][:1] == b"5"
    assert lab.record.of(Fault) == []


def test_the_record_names_one_recipient_of_each_domain() -> None:
    assert named(["a@x.net", "b@X.net", "c#d,e@y.net", "root"]) == "a@x.net,c%23d%2Ce@y.net,root"


@given(st.lists(st.sampled_from([b".", b"..", b"\r", b"\n", b"\r\n", b"a"])), st.integers(1, 5))
def test_dots_are_undone_wherever_the_text_is_cut(words: list[bytes], size: int) -> None:
    lines = b"".join(words).split(b"\r\n")
    wire = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\nQUIT"
    text = DottedText()
    out, at = b"", 0
    while not text.over:
        out += text.feed(wire[at : at + size])
        at += size
    assert out == b"".join(line + b"\r\n" for line in lines)
    assert text.rest + wire[at:] == b"QUIT"


class _Kept:
    """What a letter consists of, by the names of its parts."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytearray]] = []
        self.headers = b""

    def open(self, name: str) -> _Kept.Part:
        self.parts.append((name, bytearray()))
        return self.Part(self.parts[-1][1])

    def take(self, headers: bytes) -> None:
        self.headers += headers

    class Part:
        def __init__(self, data: bytearray) -> None:
            self._data = data

        def feed(self, data: bytes) -> None:
            self._data += data

        def close(self) -> None:
            pass


def apart(wire: bytes, size: int) -> _Kept:
    kept = _Kept()
    reading = Letter(kept.open, kept.take)
    for at in range(0, len(wire), size):
        reading.feed(wire[at : at + size])
    reading.finish()
    return kept


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_parts_are_found_within_parts_and_letters_within_letters(size: int) -> None:
    inner = letter(b"inner" * 30, "in.bin")
    outer = letter(b"outer" * 30, "out.bin")
    outer.add_attachment(inner)
    kept = apart(bytes(outer).replace(b"\n", b"\r\n"), size)
    found = {name: bytes(data) for name, data in kept.parts if name}
    assert {name: base64_of(data) for name, data in found.items()} == {
        "out.bin": b"outer" * 30,
        "in.bin": b"inner" * 30,
    }
    assert kept.headers.count(b"Subject: as discussed") == 2


def base64_of(data: bytes) -> bytes:
    return base64.b64decode(data)


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"--b", b"--", b"Content-Type: multipart/mixed; boundary=b", b"x: ",
                                 b"Content-Type: message/rfc822", b"\xff", b"filename*=q'x"])), st.integers(1, 9))  # fmt: skip
def test_no_letter_breaks_the_reader_and_how_it_is_cut_does_not_matter(words: list[bytes], size: int) -> None:
    wire = b"".join(words)
    whole, cut = apart(wire, len(wire) or 1), apart(wire, size)
    assert cut.parts == whole.parts
    assert cut.headers == whole.headers
