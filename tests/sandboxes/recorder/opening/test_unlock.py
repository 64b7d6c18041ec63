"""What was encrypted by real programs, opened with the key among other words."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from afagent.sandboxes.recorder.events import Content, Fact, Limit
from afagent.sandboxes.recorder.kept import Origin

from .conftest import BLOCKS, WEIGHTS, Bench, blocks

Run = Callable[..., bytes]
KEY, IV = hashlib.sha256(b"k").hexdigest(), hashlib.md5(b"iv").hexdigest()
PASSWORD = "Tr0ub4dor&3-x"

OPENSSL = [
    "-aes-256-cbc -pbkdf2",
    "-aes-256-cbc",
    "-aes-128-cbc -md md5",
    "-aes-256-ctr -pbkdf2 -a",
    "-chacha20 -pbkdf2",
    "-des3 -pbkdf2",
    "-camellia-256-cbc -md sha512",
    "-aes-192-ofb -pbkdf2 -iter 12345",
    "-aes-256-cfb -pbkdf2 -md sha512",
    "-aes-256-ecb -nosalt",
    "-aes-256-cbc -S 0011223344556677",
]


@pytest.mark.parametrize("options", OPENSSL)
def test_a_password_that_was_written_down_opens_what_openssl_wrote(bench: Bench, run: Run, options: str) -> None:
    bench.keep(run("openssl", "enc", *options.split(), "-pass", f"pass:{PASSWORD}"))
    (content,) = bench.open(PASSWORD, "0011223344556677", numbers=(7, 12345))
    assert blocks(content) == BLOCKS
    assert content.part == "body"
    assert options.split(maxsplit=1)[0].strip("-").split("-")[0] in content.layers[-1]


@pytest.mark.parametrize(
    ("cipher", "iv"),
    [("-aes-256-cbc", IV), ("-aes-256-ctr", IV), ("-aes-256-ctr", "0" * 32), ("-chacha20", IV), ("-aes-256-ofb", IV),
     ("-camellia-256-cbc", IV), ("-sm4", IV)],
)  # fmt: skip
def test_a_named_key_opens_a_bare_cipher(bench: Bench, run: Run, cipher: str, iv: str) -> None:
    key = KEY[:32] if cipher == "-sm4" else KEY
    bench.keep(run("openssl", "enc", cipher, "-K", key, "-iv", iv))
    (content,) = bench.open(key, iv)
    assert blocks(content) == BLOCKS


def test_what_is_compressed_below_the_encryption_is_seen_too(bench: Bench, run: Run) -> None:
    data = run("openssl", "enc", "-aes-256-cbc", "-K", KEY, "-iv", IV, given=gzip.compress(WEIGHTS))
    bench.keep(bytes.fromhex(IV) + data)
    (content,) = bench.open(KEY)
    assert content.layers == ["aes-256-cbc", "gzip"]
    assert blocks(content) == BLOCKS


def test_encoding_around_the_encryption_is_undone_first(bench: Bench, run: Run) -> None:
    data = run("openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-a", "-pass", f"pass:{PASSWORD}")
    bench.keep(gzip.compress(b'{"name": "x", "data": "' + data.replace(b"\n", b"") + b'"}'))
    (content,) = bench.open(PASSWORD)
    assert content.layers[0] == "gzip"
    assert content.layers[-1] == "aes-256-cbc"
    assert blocks(content) == BLOCKS


def test_it_may_begin_behind_the_header_of_a_form_or_an_archive(bench: Bench, run: Run) -> None:
    form = b'--0a1b2c\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    bench.keep(form + run("openssl", "enc", "-aes-256-ctr", "-K", KEY, "-iv", IV) + b"\r\n--0a1b2c--\r\n")
    (content,) = bench.open(KEY, IV)
    assert blocks(content) == BLOCKS


def test_parts_of_one_encrypted_stream_are_put_together(bench: Bench, run: Run) -> None:
    data = run("openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", f"pass:{PASSWORD}")
    for number, at in enumerate(range(0, len(data), 50_000)):
        bench.keep(data[at : at + 50_000], Origin("body", flow=number, address="91.39.6.83", port=443))
    contents = bench.open(PASSWORD)
    assert [content.flow for content in contents] == list(range(-(-len(data) // 50_000)))
    assert sum(map(blocks, contents)) == BLOCKS


@pytest.mark.parametrize(
    "options", ["", "--cipher-algo AES128 --compress-algo none", "--armor -z 0", "--compress-algo bzip2"]
)
def test_a_passphrase_opens_what_gpg_wrote(bench: Bench, run: Run, tmp_path: Path, options: str) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    bench.keep(
        run("gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", PASSWORD,
            *options.split(), "--symmetric", "-o", "-")
    )  # fmt: skip
    (content,) = bench.open(PASSWORD)
    assert blocks(content) >= BLOCKS - 1
    assert any(layer.startswith("pgp-aes") for layer in content.layers)


@pytest.mark.parametrize(
    "command",
    ["zip -q -P {password} out.zip a b", "zip -q -0 -P {password} out.zip a b", "7z a -bd -p{password} -tzip -mem=AES256 out.zip a b",
     "7z a -bd -p{password} out.7z a b", "7z a -bd -p{password} -mhe=on out.7z a b", "7z a -bd -mx=0 -p{password} out.7z a b"],
)  # fmt: skip
def test_a_password_opens_archives(bench: Bench, run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "a").write_bytes(WEIGHTS[:100_000])
    (tmp_path / "b").write_bytes(WEIGHTS[100_000:])
    run(*command.format(password=PASSWORD).split())
    (archive,) = tmp_path.glob("out.*")
    bench.keep(archive.read_bytes())
    (content,) = bench.open(PASSWORD)
    assert blocks(content) >= BLOCKS - 1


def _xor(data: bytes, stream: bytes) -> bytes:
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8, len(data))).tobytes()


def _counted(key: bytes, size: int) -> bytes:
    return b"".join(hashlib.sha256(key + n.to_bytes(8, "big")).digest() for n in range(size // 32 + 1))


@pytest.mark.parametrize(
    "stream",
    [
        KEY.encode() * 5000,
        hashlib.sha256(PASSWORD.encode()).digest() * 10_000,
        random.Random(PASSWORD).randbytes(len(WEIGHTS)),
        random.Random(4242).randbytes(len(WEIGHTS)),
        np.random.default_rng(4242).integers(0, 256, len(WEIGHTS), dtype=np.uint8).tobytes(),
        _counted(PASSWORD.encode(), len(WEIGHTS)),
    ],
    ids=["repeated", "digest", "seeded by a word", "seeded by a number", "numpy", "counted digests"],
)
def test_a_keystream_that_a_word_makes_is_undone(bench: Bench, stream: bytes) -> None:
    bench.keep(_xor(WEIGHTS, stream))
    (content,) = bench.open(KEY, PASSWORD, "4242")
    assert blocks(content) == BLOCKS


@pytest.mark.parametrize("word", ["kelp-9", "quiet-harbour", "a phrase that is longer than any key of RC4 need be"])
def test_a_word_of_any_length_opens_what_a_cipher_of_a_few_lines_wrote(bench: Bench, word: str) -> None:
    state, j, key = list(range(256)), 0, word.encode()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    stream = bytearray()
    for _ in WEIGHTS:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        stream.append(state[(state[i] + state[j]) % 256])
    bench.keep(_xor(WEIGHTS, bytes(stream)))
    (content,) = bench.open(word)
    assert blocks(content) == BLOCKS


def test_a_pad_that_was_sent_elsewhere_opens_what_it_hides(bench: Bench) -> None:
    pad = random.Random(1).randbytes(len(WEIGHTS))
    bench.keep(pad, Origin("file", path="/tmp/pad"))
    bench.keep(_xor(WEIGHTS, pad))
    assert {(content.path, blocks(content)) for content in bench.open()} == {("/tmp/pad", BLOCKS), (None, BLOCKS)}


@pytest.mark.parametrize(
    "data",
    [
        random.Random(2).randbytes(300_000),
        gzip.compress(random.Random(2).randbytes(300_000)),
        b"Salted__" + random.Random(2).randbytes(300_000),
    ],
    ids=["random", "compressed", "salted"],
)
def test_what_has_no_key_among_the_words_stays_closed(bench: Bench, data: bytes) -> None:
    bench.keep(data)
    assert bench.open(PASSWORD, KEY, seconds=3) == []


def test_what_was_encrypted_and_is_no_weights_is_not_told(bench: Bench, run: Run) -> None:
    text = b"".join(b"line %d of a report on the weather\n" % n for n in range(20_000))
    bench.keep(run("openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", f"pass:{PASSWORD}", given=text))
    assert bench.open(PASSWORD, seconds=3) == []


def test_the_same_bytes_are_opened_wherever_they_went(bench: Bench, run: Run) -> None:
    data = run("openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", f"pass:{PASSWORD}")
    bench.keep(data)
    bench.keep(data, Origin("body", flow=2, address="198.51.100.7", port=443))
    bench.keep(data, Origin("file", path="/tmp/x"))
    bench.keep(data, Origin("body", flow=3, address="91.39.6.83", port=443))
    assert [(content.flow, blocks(content)) for content in bench.open(PASSWORD)] == [
        (flow, BLOCKS) for flow in (1, 2, 3, None)
    ]


def test_running_out_of_time_is_a_limit(bench: Bench) -> None:
    ticks = itertools.count()
    for seed in range(3):
        bench.keep(b"Salted__" + random.Random(seed).randbytes(100_000))
    bench.clock = lambda: float(next(ticks))
    bench.open(seconds=50)
    limits = [fact.what for fact in bench.facts if isinstance(fact, Limit)]
    assert any("3 unread payloads" in limit for limit in limits)


@pytest.mark.parametrize("cut", [5000, 9000, 70_000])
@pytest.mark.parametrize(
    "junk", [b"7z\xbc\xaf\x27\x1c", b"PK\x03\x04\x14\x00\x01\x00\x08\x00", b"\x8c\x0d\x04\x09\x03\x08", b"Salted__"]
)
def test_broken_containers_are_no_trouble(bench: Bench, junk: bytes, cut: int) -> None:
    bench.keep(junk + random.Random(cut).randbytes(cut))
    bench.open(PASSWORD, seconds=2)
    assert [fact for fact in bench.facts if not isinstance(fact, Limit)] == []


def test_the_contents_say_where_they_were_seen(bench: Bench, run: Run) -> None:
    origin = Origin("file", path="/srv/x.enc")
    bench.keep(run("openssl", "enc", "-aes-256-cbc", "-pass", f"pass:{PASSWORD}"), origin)
    facts: list[Fact] = list(bench.open(PASSWORD))
    assert facts == [Content(None, "/srv/x.enc", "file", ["aes-256-cbc"], {"0": f"0-{BLOCKS - 1}"})]
