"""Shutting a process away: it keeps the system's programs, one folder, and nothing else.

New namespaces while it is still privileged, an empty folder mounted over everything that is not the system's own, the
rest read-only, and then no capability at all. What belongs to the witness cannot be named from inside, be it a file, a
process or a socket. To itself the process is an ordinary user, so that programs do not try what only root may.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..privileges import call_libc, drop_all_but, last_capability

INSIDE = "/mnt"
"""Where the folder lies for those who are shut away."""

USER = 1000

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_HARMLESS = _MS_NOSUID | _MS_NOEXEC

_DEVICES = ("/dev/null", "/dev/urandom")
_SYSTEM = frozenset(["bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr", INSIDE.strip("/")])


def seal(folder: str) -> None:
    """Shut this process away with `folder`, for good. It goes on as the first process of its namespace.

    Raises:
        OSError: the kernel refuses (SYS_ADMIN is needed).
    """
    call_libc("unshare", _NEWNS | _NEWIPC | _NEWPID | _NEWNET)
    if os.fork():
        os._exit(0)  # only a child is in the new namespace of processes
    last_capability()  # asked for while it can be seen
    processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    _mount(folder, INSIDE, None, _MS_BIND)
    _freeze()
    _cover()
    _mount("none", INSIDE, None, _MS_BIND | _MS_REMOUNT | _MS_NODEV | _HARMLESS)
    with contextlib.suppress(OSError):  # a kernel without such namespaces: guests take themselves for root then
        _become_ordinary(processes)
    os.close(processes)
    os.chdir("/")
    drop_all_but(frozenset())


def _freeze() -> None:
    """Read-only: the system, and what a container's engine mounted into it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    for place in [line.split()[4] for line in lines]:
        top = place.split("/")[1]
        if place == "/" or (top in _SYSTEM and place != INSIDE):
            _mount("none", place, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID)


def _cover() -> None:
    """Empty folders over all that is neither the system's nor the guests'; two devices are left."""
    devices = {path: os.open(path, os.O_PATH) for path in _DEVICES}
    for place in sorted(Path("/").iterdir()):
        if place.name in _SYSTEM or place.is_symlink() or not place.is_dir():
            continue
        _mount("none", str(place), "tmpfs", _HARMLESS, "size=64k")
        if place.name == "dev":
            for path, device in devices.items():
                Path(path).touch()
                _mount(f"/proc/self/fd/{device}", path, None, _MS_BIND)
                os.close(device)
        _mount("none", str(place), None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _HARMLESS)


def _become_ordinary(processes: int) -> None:
    """Be known to oneself as `USER`: no other user is needed for it, and none of their rights."""
    user, group = os.geteuid(), os.getegid()  # unknown once the namespace is another
    call_libc("unshare", _NEWUSER)
    for file, text in (
        ("setgroups", "deny"),
        ("gid_map", f"{USER} {group} 1"),
        ("uid_map", f"{USER} {user} 1"),
    ):
        descriptor = os.open(f"self/{file}", os.O_WRONLY, dir_fd=processes)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    call_libc("mount", *texts, flags, None if data is None else data.encode())
