"""Printing over HTTP (IPP, RFC 8011): every job is accepted."""

from __future__ import annotations

import struct

from .messages import Answer, Bytes

_OK, _BAD_REQUEST = 0, 0x0400
_OPERATION, _JOB, _PRINTER, _END = 1, 2, 4, 3
_INTEGER, _BOOLEAN, _ENUM, _TEXT, _NAME, _KEYWORD, _URI, _CHARSET, _LANGUAGE, _MIME = (
    0x21, 0x22, 0x23, 0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x49,
)  # fmt: skip
_GET_PRINTER_ATTRIBUTES = 0x000B
_JOB_PENDING, _PRINTER_IDLE = 3, 3
_OPERATIONS = (0x0002, 0x0004, 0x0005, 0x0006, 0x0008, 0x0009, 0x000A, _GET_PRINTER_ATTRIBUTES)

_JOB_NUMBER = 1


def print_job(request: bytes) -> Answer:
    """The response to a request, by its first bytes: version, operation, number."""
    if len(request) < 8:
        return _answer(struct.pack("!2BHI", 1, 1, _BAD_REQUEST, 0))
    version, operation, number = struct.unpack_from("!2sHI", request)
    out = struct.pack("!2sHI", version, _OK, number) + bytes((_OPERATION,))
    out += _value(_CHARSET, "attributes-charset", b"utf-8")
    out += _value(_LANGUAGE, "attributes-natural-language", b"en")
    out += _printer() if operation == _GET_PRINTER_ATTRIBUTES else _job()
    return _answer(out)


def _job() -> bytes:
    return (
        bytes((_JOB,))
        + _value(_URI, "job-uri", b"ipp://localhost/jobs/1")
        + _value(_INTEGER, "job-id", struct.pack("!i", _JOB_NUMBER))
        + _value(_ENUM, "job-state", struct.pack("!i", _JOB_PENDING))
        + _value(_KEYWORD, "job-state-reasons", b"none")
    )


def _printer() -> bytes:
    first, *others = _OPERATIONS
    return (
        bytes((_PRINTER,))
        + _value(_NAME, "printer-name", b"office")
        + _value(_ENUM, "printer-state", struct.pack("!i", _PRINTER_IDLE))
        + _value(_KEYWORD, "printer-state-reasons", b"none")
        + _value(_BOOLEAN, "printer-is-accepting-jobs", b"\1")
        + _value(_MIME, "document-format-supported", b"application/octet-stream")
        + _value(_ENUM, "operations-supported", struct.pack("!i", first))
        + b"".join(_value(_ENUM, "", struct.pack("!i", each)) for each in others)
    )


def _value(tag: int, name: str, value: bytes) -> bytes:
    return struct.pack("!BH", tag, len(name)) + name.encode() + struct.pack("!H", len(value)) + value


def _answer(message: bytes) -> Answer:
    return Answer(200, Bytes(message + bytes((_END,))), (("Content-Type", "application/ipp"),))
