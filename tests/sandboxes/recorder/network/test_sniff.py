"""What a connection speaks is told from its first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.network.sniff import SNIFF_BYTES, Kind, sniff

QUERY = b"\0\x1d\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"


@pytest.mark.parametrize(
    ("first", "port", "kind"),
    [
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 443, Kind.TLS),
        (b"\x16\x03\x01\x02\0\x01", 9999, Kind.TLS),
        (b"GET / HTTP/1.1\r\n", 80, Kind.HTTP),
        (b"PROPFIND /x HTTP/1.1\r\n", 8080, Kind.HTTP),
        (b"PUT ", 5, Kind.HTTP),
        (QUERY, 53, Kind.DNS),
        (QUERY, 853, Kind.DNS),
        (b"SSH-2.0-OpenSSH_9.2", 22, Kind.SSH),
        (b"PRI * HTTP/2.0\r\n\r\n", 80, Kind.HTTP2),
        (b"@RSYNCD: 31.0\n", 873, Kind.RSYNC),
        (b"003egit-receive-pack /x.git\0host=y\0", 9418, Kind.GIT),
        (b"\0\0\0\x85\xffSMBr", 445, Kind.SMB),
        (b"\0\0\1\x10\xfeSMB@", 139, Kind.SMB),
    ],
)
def test_a_known_protocol_is_recognised(first: bytes, port: int, kind: Kind) -> None:
    assert sniff(first, port) is kind


@pytest.mark.parametrize(
    ("first", "port"),
    [
        (b"\x16\x03\x01\x02\0\x02\0", 443),  # a ServerHello
        (b"\x16\x02\x01\x02\0\x01", 443),
        (b"\x17\x03\x03\0\x20" + b"a" * 9, 443),
        (b"get / HTTP/1.1\r\n", 80),
        (b"GET\r\n", 80),
        (b"HELLO-WORLD", 80),
        (b"A" * 40, 80),
        (QUERY, 54),
        (b"\0\x1d\x12\x34\x81\x80\0\1\0\0", 53),  # a response
        (b"\0\x05\x12\x34\x01\0\0\1\0\0", 53),  # too short for a question
        (b"\0\x1d\x12\x34\x01\0\0\2\0\0", 53),
        (b"GET / HTTP/1.1\r\n", 53),
        (b"\x1f\x8b\x08\0\0\0\0\0", 80),
        (b"\0" * 32, 80),
        (b"\xff" * 32, 53),
    ],
)
def test_anything_else_is_raw(first: bytes, port: int) -> None:
    assert sniff(first, port) is Kind.RAW


@given(st.binary(min_size=SNIFF_BYTES, max_size=100), st.sampled_from([22, 53, 80, 443]))
def test_a_few_bytes_always_decide(first: bytes, port: int) -> None:
    assert sniff(first, port) is not Kind.UNDECIDED


@given(st.sampled_from([b"GET /x HTTP/1.1\r\n", b"\x16\x03\x01\x02\0\x01\0\x01", b"SSH-2.0-x", b"PRI * HTTP/2.0\r\n"]))
def test_a_beginning_is_never_decided_otherwise_than_the_whole(whole: bytes) -> None:
    for size in range(len(whole)):
        assert sniff(whole[:size], 80) in (Kind.UNDECIDED, sniff(whole, 80))
