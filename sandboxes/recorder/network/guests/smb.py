"""SMB: a server of impacket's, shut away as a guest, serves each connection; what it received is then looked at.

The protocol is large and its only library trusts the client with paths, which is why it runs where no path leads to the
witness. The stream is looked at as it comes as well: SMB 2 carries contents as they are, in parts of up to 64 KB.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .receipt import lay_out, take_in
from .talk import StreamClient, converse

if TYPE_CHECKING:
    from ..speaker import Call
    from ..visit import Visit
    from .house import GuestHouse

PYTHON = "/usr/bin/python3"
SHARES = "/srv/samba"
"""Where a site keeps its shares."""

_PROGRAM = Path(__file__).with_name("smb_server.py")


class SmbSpeaker:
    """Speaks SMB 2 to anybody, for any share; what has SMB 1 only is not understood, and is looked at as it comes.

    Args:
        guide: makes the visit that a call is.
        house: where the server runs.
    """

    def __init__(self, guide: Callable[[Call], Visit], house: GuestHouse) -> None:
        self._guide = guide
        self._house = house

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        call.flow.protocol = "smb"
        visit = self._guide(call)
        folder = self._house.new_folder()
        base = self._house.folder / folder
        shares = base / Path(SHARES).name
        try:
            (base / _PROGRAM.name).write_bytes(_PROGRAM.read_bytes())
            lay_out(visit, self._house, folder, SHARES)
            shares.mkdir(exist_ok=True)
            before = {about for _, about in _files(shares)}
            inside = self._house.inside(folder)
            words = [PYTHON, f"{inside}/{_PROGRAM.name}", f"{inside}/{shares.name}", visit.host.upper()[:15]]
            try:
                await converse(self._house, words, folder, StreamClient(call))
            finally:
                for path, about in _files(shares):
                    if about in before:  # it was looked at when it came
                        with contextlib.suppress(OSError):
                            path.unlink()
                await take_in(visit, self._house, f"{folder}/{shares.name}", SHARES)
        finally:
            self._house.remove(folder)


def _files(folder: Path) -> list[tuple[Path, tuple[int, int, int]]]:
    """All files below a folder, with what changes when they do."""
    found = []
    for path, _, names in os.walk(folder, followlinks=False):
        for name in names:
            with contextlib.suppress(OSError):
                file = Path(path, name)
                about = file.lstat()
                found.append((file, (about.st_ino, about.st_mtime_ns, about.st_size)))
    return found
