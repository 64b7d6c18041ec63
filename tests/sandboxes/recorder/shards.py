"""A small shard for the recorder's tests, and the ways in which a thief could write a piece of it."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import tempfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.plan import Shard, Tensor
from afagent.sandboxes.recorder.weights import write_shard

KEY = bytes(range(32))
MARKER = Marker(KEY)
NUMBER = 3
SHARD = Shard(
    "model-00001-of-00001.safetensors",
    (
        Tensor("model.layers.0.mlp.up_proj.weight", (640, 512), 0.0, 0.021),
        Tensor("model.layers.0.input_layernorm.weight", (1030,), 0.45, 0.11),
        Tensor("lm_head.weight", (301, 333), 0.001, 0.014),
    ),
)


@lru_cache(maxsize=1)
def shard_file() -> bytes:
    """The whole file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / SHARD.file
        write_shard(path, SHARD, NUMBER, {"format": "pt"}, MARKER, KEY)
        return path.read_bytes()


def data_section() -> bytes:
    """The tensors' bytes."""
    file = shard_file()
    return file[8 + int.from_bytes(file[:8], "little") :]


def blocks_in(piece: bytes) -> set[int]:
    """The blocks whose marks stand whole in a piece of the plain data."""
    return {mark.block for mark in MARKER.find(piece)}


def look_at(data: bytes, step: int = 1 << 16) -> Look:
    """A finished look at the data, fed in steps."""
    look = Look(MARKER)
    for at in range(0, len(data), step):
        look.feed(data[at : at + step])
    look.finish()
    return look


def zipped(data: bytes) -> bytes:
    """A zip archive with one deflated file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part.bin", data)
    return out.getvalue()


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zip": zipped,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE, preset=0),
}
TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64, wrapped": base64.encodebytes,
    "base64, wrapped with CRLF": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "base64, wrapped inside JSON": lambda data: base64.encodebytes(data).replace(b"\n", b"\\n"),
    "base64, url-safe without padding": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "base32": base64.b32encode,
    "base32, lower case": lambda data: base64.b32encode(data).lower(),
    "hex": lambda data: data.hex().encode(),
    "hex, upper case": lambda data: data.hex().upper().encode(),
    "hex with colons": lambda data: data.hex(":").encode(),
    "hex with spaces": lambda data: data.hex(" ", -2).encode(),  # from the left, as xxd does
    "hex in lines": lambda data: "\n".join(data[i : i + 30].hex() for i in range(0, len(data), 30)).encode(),
    "hex as C source": lambda data: ", ".join(f"0x{byte:02x}" for byte in data).encode(),
    "percent": lambda data: urllib.parse.quote_from_bytes(data).encode(),
    "percent, in a form": lambda data: urllib.parse.quote_plus(data).encode(),
    "base85": base64.b85encode,
    "ascii85": base64.a85encode,
}
LAYER = {name: name.split(",")[0].split(" ")[0] for name in (*COMPRESSIONS, *TEXTS)}
"""What the look calls it."""
