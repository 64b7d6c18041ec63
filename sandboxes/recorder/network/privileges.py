"""Giving up what the witness needs only while it builds the network."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from functools import cache
from pathlib import Path

CHOWN, DAC_OVERRIDE, FOWNER = 0, 1, 3
KEPT = frozenset({CHOWN, DAC_OVERRIDE, FOWNER})
"""Capabilities that stay, by the kernel's numbers: to lay out and read the workstation's files whoever owns them."""

OPEN_FILES = 32768
"""Wanted limit of open descriptors; a flood of connections takes one each."""

_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Half(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def call_libc(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    result = int(getattr(_libc, name)(*arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


@cache
def last_capability() -> int:
    """The kernel's last capability; known from then on, even where `/proc` is out of sight."""
    return int(_LAST_CAPABILITY.read_text())


def drop_all_but(kept: frozenset[int] = KEPT) -> None:
    """Give up every capability but `kept`, for good: this process, and all that it starts later.

    The kernel keeps capabilities by thread: to be called before there are any.

    Raises:
        OSError: the kernel refuses (SETPCAP is needed to lower the bounding set).
    """
    for capability in range(last_capability() + 1):
        if capability not in kept and call_libc("prctl", _PR_CAPBSET_READ, capability, 0, 0, 0):
            call_libc("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
    mask = sum(1 << capability for capability in kept)
    halves = (_Half * 2)(_Half(mask, mask, 0), _Half(0, 0, 0))
    call_libc("capset", ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), halves)


def raise_open_files(wanted: int = OPEN_FILES) -> None:
    """Raise this process's limit of open descriptors to `wanted`, or as near as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
