"""DNS over HTTPS: as messages (RFC 8484), and as the JSON that several large resolvers speak."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from .. import dns
from .messages import Answer, Bytes

if TYPE_CHECKING:
    from ..flow import Flow
    from ..lookups import Lookups
    from .messages import Head, Upload

MESSAGE = "application/dns-message"
JSON = "application/dns-json"
_JSON_PATHS = ("/resolve", "/dns-query")
_MAX_NAME = 254
_NUMBERS = {name: number for number, name in dns.TYPES.items()}


def answer(head: Head, upload: Upload, lookups: Lookups, flow: Flow) -> Answer | None:
    """The response to a lookup; None for a request that is none."""
    if head.method == "POST" and head.header("content-type").lower() == MESSAGE:
        return _answer_message(upload.start, lookups, flow)
    query = head.query if head.method == "GET" else {}
    if "dns" in query and (message := _decoded(query["dns"])):
        return _answer_message(message, lookups, flow)
    if "name" in query and (JSON in head.header("accept") or head.path in _JSON_PATHS):
        return _answer_json(query["name"], query.get("type", "A"), lookups, flow)
    return None


def _answer_message(message: bytes, lookups: Lookups, flow: Flow) -> Answer | None:
    response = lookups.answer(message, flow, udp=False)
    if response is None:
        return None
    return Answer(200, Bytes(response), (("Content-Type", MESSAGE), ("Cache-Control", "max-age=60")))


def _answer_json(name: str, kind: str, lookups: Lookups, flow: Flow) -> Answer | None:
    labels = tuple(label.encode("utf-8", "replace") for label in name.rstrip(".").split("."))
    if len(name) > _MAX_NAME or not all(0 < len(label) < 64 for label in labels):
        return None  # what no message can hold is no lookup
    number = int(kind) & 0xFFFF if kind.isdecimal() and len(kind) < 6 else _NUMBERS.get(kind.upper(), dns.A)
    query = dns.Query(id=0, labels=labels, type=number, klass=1, recurse=True, udp_bytes=None)
    reply = lookups.ask(query, flow)
    said: dict[str, object] = {"Status": reply.rcode, "TC": False, "RD": True, "RA": True, "AD": False, "CD": False}
    said["Question"] = [{"name": f"{query.name}.", "type": number}]
    if reply.records:
        said["Answer"] = [
            {"name": f"{query.name}.", "type": record.type, "TTL": record.ttl, "data": record.data}
            for record in reply.records
        ]
    return Answer(200, Bytes(json.dumps(said).encode()), (("Content-Type", JSON),))


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return None
