from __future__ import annotations

import base64
import lzma
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content import escapes, heads, seven_zip, six_bits, streams, texts
from afagent.sandboxes.recorder.content.finding import TextFinder
from tests.sandboxes.recorder.shards import COMPRESSIONS, TEXTS, shard_file

DECODERS = {"gzip": streams.Gzip, "zlib": streams.Zlib, "zip": heads.Zip, "bzip2": streams.Bzip2, "xz": streams.Xz,
            "lzma": streams.Lzma}  # fmt: skip
ALPHABETS = {"base64": texts.BASE64, "base32": texts.BASE32, "hex": texts.HEX, "base85": texts.BASE85,
             "ascii85": texts.ASCII85}  # fmt: skip


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.binary(max_size=3000), step=st.integers(1, 700))
def test_a_stream_gives_back_what_was_compressed_and_leaves_what_follows(name, data, step):
    decoder = DECODERS[name]()
    stream = COMPRESSIONS[name](data) + b"what follows"
    out, left = b"", b""
    for at in range(0, len(stream), step):
        if decoder.ended:
            left += stream[at : at + step]
        else:
            out += b"".join(decoder.feed(stream[at : at + step]))
    assert out == data
    assert (decoder.rest + left).endswith(b"what follows")


@pytest.mark.parametrize("name", DECODERS)
def test_pieces_are_bounded(name):
    pieces = list(DECODERS[name]().feed(COMPRESSIONS[name](bytes(20 << 20))))
    assert sum(map(len, pieces)) == 20 << 20
    assert max(map(len, pieces)) <= 2 * streams.PIECE_BYTES


@pytest.mark.parametrize("name", ["gzip", "zlib", "bzip2", "xz"])
def test_garbage_ends_a_decoder_with_its_one_error(name):
    decoder = DECODERS[name]()
    with pytest.raises(streams.BrokenError):
        list(decoder.feed(COMPRESSIONS[name](b"x" * 10)[:6] + b"\xff\x07" * 5000))


@pytest.mark.parametrize("name", ["gzip", "zlib"])
def test_what_stands_before_an_error_is_given_but_for_a_kilobyte_and_the_error_is_told(name):
    packed = COMPRESSIONS[name](shard_file())
    pieces: list[bytes] = []
    with pytest.raises(streams.BrokenError):
        pieces.extend(DECODERS[name]().feed(packed[:-4] + bytes(byte ^ 0xFF for byte in packed[-4:])))
    assert shard_file().startswith(out := b"".join(pieces))
    assert len(shard_file()) - len(out) <= 1024


@pytest.mark.parametrize(
    "usual", [{"id": lzma.FILTER_LZMA2, "preset": 5}, {"id": lzma.FILTER_LZMA1, "preset": 5}], ids=["LZMA2", "LZMA"]
)
def test_a_7z_archive_without_its_end_gives_what_stands_before_the_break(usual):
    packed = lzma.compress(shard_file(), lzma.FORMAT_RAW, filters=[usual])
    sizes = len(packed).to_bytes(8, "little") + (90).to_bytes(8, "little")
    archive = seven_zip.SevenZip.MAGIC + bytes([0, 4]) + bytes(4) + sizes + bytes(4) + packed
    decoder = seven_zip.SevenZip()
    assert not b"".join(decoder.feed(archive[: len(archive) * 6 // 10]))
    pieces: list[bytes] = []
    with pytest.raises(streams.BrokenError):
        pieces.extend(decoder.finish())
    out = b"".join(pieces)
    assert len(out) > 0.5 * len(shard_file())
    assert shard_file().startswith(out)


@pytest.mark.parametrize("name", ALPHABETS)
@given(data=st.binary(max_size=400), step=st.integers(1, 50))
def test_an_alphabet_decodes_whole_groups_however_they_arrive(name, data, step):
    data = data[: len(data) // 20 * 20]
    text = TEXTS[name](data).rstrip(b"=")
    decoder = texts.Grouped(ALPHABETS[name], 0)
    out = b"".join(decoder.feed(text[at : at + step]) for at in range(0, len(text), step))
    assert data.startswith(out)
    assert len(data) - len(out) < 5


@given(st.binary(max_size=300), st.integers(1, 40))
def test_percent_encoding_is_undone_however_it_arrives(data, step):
    text = TEXTS["percent"](data) + b"%41" * 6
    found = escapes.find(text, 0)
    assert found is not None
    decoder, _ = found[1].decoders()
    data += b"A" * 6
    assert b"".join(decoder.feed(text[at : at + step]) for at in range(0, len(text), step)) == data


@given(st.integers(64, 100), st.sampled_from([b"\n", b"\r\n", b"\\n", b'",\n  "']), st.integers(1, 300))
def test_lines_are_put_together_and_the_run_ends_after_the_short_one(width, separator, step):
    text = b"ABCDefgh" * 150 + b"xyz"
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    data = separator.join(lines) + separator + b"and words, that follow"
    lines_taker, out = texts.Lines(texts.BASE64), b""
    for at in range(0, len(data), step):
        out += lines_taker.take(data[at : at + step])[0]
        if lines_taker.ended:
            break
    out += lines_taker.finish()
    assert out.startswith(text)
    assert len(out) <= len(text) + 3 + width * (len(lines[-1]) == width)


@given(data=st.binary(min_size=1500, max_size=3000).map(lambda data: data[: len(data) // 3 * 3]))
def test_long_base64_is_undone_as_short_is(data):
    text = base64.b64encode(data)
    assert six_bits.decode(text) == data
    assert b"".join(six_bits.decode(text[at : at + 4]) for at in range(0, len(text), 4)) == data


@pytest.mark.parametrize("figure", ["%.16f", "%.4f", "%d"])
def test_columns_of_figures_are_not_taken_for_columns_of_bytes(figure):
    noise = random.Random(1)
    rows = (f'{{"id": {i}, "value": {figure % (noise.random() * 1e6)}}}\n' for i in range(800))
    found = TextFinder("".join(rows).encode()).find(0)
    assert found is None or found[1].name != texts.UUENCODE.name
