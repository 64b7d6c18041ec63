"""The process that starts guests and ends them. It is started while the witness is privileged, and shut away.

python3 -m recorder.network.guests.keeper SOCKET FOLDER sealed|unsealed

Each message on the socket names a program and brings three descriptors: what becomes its standard input and output, its
standard error, and a leash. When the program has ended, its status comes over the leash; when the
other end of the leash is closed, the program is killed with all that it started. When the socket is closed, all are.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
from typing import Any

from ..privileges import call_libc
from .seal import INSIDE, seal

MAX_MESSAGE = 65536
_PR_SET_NAME = 15


def main() -> None:
    """Serve until the socket is closed."""
    descriptor, folder, how = sys.argv[1:4]
    call_libc("prctl", _PR_SET_NAME, b"guests", 0, 0, 0)
    with socket.socket(fileno=int(descriptor)) as control:
        if how == "sealed":
            seal(folder)
            folder = INSIDE
        control.sendall(b"ready")
        _Keeper(control, folder).run()


class _Keeper:
    def __init__(self, control: socket.socket, folder: str) -> None:
        self._control = control
        self._folder = folder
        self._leashes: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        wake, woken = socket.socketpair()
        for each in (wake, woken):
            each.setblocking(False)  # noqa: FBT003  # Python's own signature
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wake, self._woken = wake, woken

    def run(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._take():
                        return self._end()
                elif key.fileobj is self._wake:
                    self._wake.recv(4096)
                    self._reap()
                else:
                    self._let_go(key.data)

    def _take(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, 3)
        if not message:
            return False
        *streams, leash = descriptors  # three, as the witness sends them
        pid = os.fork()
        if pid == 0:
            _become(json.loads(message), streams, self._folder)
        for each in streams:
            os.close(each)
        self._leashes[pid] = socket.socket(fileno=leash)
        self._selector.register(self._leashes[pid], selectors.EVENT_READ, pid)
        return True

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                leash = self._leashes.pop(pid, None)
                if leash is not None:  # else it is a guest's own child that was left behind
                    self._selector.unregister(leash)
                    _kill(pid)
                    with contextlib.suppress(OSError), leash:
                        leash.sendall(str(os.waitstatus_to_exitcode(status)).encode())

    def _let_go(self, pid: int) -> None:
        """The other end of the leash was closed: nobody asks for the status any more."""
        leash = self._leashes.pop(pid, None)
        if leash is not None:
            self._selector.unregister(leash)
            leash.close()
            _kill(pid)

    def _end(self) -> None:
        for pid in self._leashes:
            _kill(pid)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _become(order: dict[str, Any], streams: list[int], folder: str) -> None:
    """In the child: be the guest."""
    try:
        os.setsid()
        os.chdir(os.path.join(folder, order["folder"]))  # noqa: PTH118  # in a process that lives for a moment
        for number, source in enumerate((streams[0], streams[0], streams[1])):
            os.dup2(source, number)
        os.closerange(3, 1024)
        for name, limit in order["limits"].items():
            resource.setrlimit(getattr(resource, name), (limit, limit))
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o077)
        os.execve(order["words"][0], order["words"], order["environment"])  # noqa: S606  # no shell, and words of the witness's own
    finally:
        os._exit(127)


if __name__ == "__main__":
    main()
