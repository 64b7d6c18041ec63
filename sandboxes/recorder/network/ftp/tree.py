"""FTP's commands about names: where the client is, what lies there, folders, renaming. Text in, text out."""

from __future__ import annotations

import posixpath
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from . import words
from .shelf import Entry, Shelf, absolute

if TYPE_CHECKING:
    from collections.abc import Callable

_DENIED = "550 Permission denied."
_MISSING = "550 No such file or directory."


class Tree:
    """One client's view of a server's files.

    Args:
        shelf: the files.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._folder = "/"
        self._renamed = ""

    def path(self, argument: str) -> str:
        """The absolute path that a client means."""
        return absolute(self._folder, argument)

    def answer(self, command: words.Command) -> str | None:
        """The answer to a command about names; None for any other."""
        answer = _ANSWERS.get(command.verb)
        return None if answer is None else answer(self, command.argument)

    def listing(self, verb: str, argument: str) -> str:
        """What LIST, NLST or MLSD sends."""
        pattern = " ".join(word for word in argument.split(" ") if not word.startswith("-"))
        found = self._matching(self.path(pattern))
        if verb == "LIST":
            lines = list(words.as_long_lines(found, time.time()))
        elif verb == "NLST":
            folder = posixpath.dirname(pattern) if "*" in pattern else pattern
            lines = [posixpath.join(folder, name) for name, _ in found]
        else:
            lines = [words.as_facts(name, entry) for name, entry in found]
        return "".join(f"{line}\r\n" for line in lines)

    def _matching(self, path: str) -> list[tuple[str, Entry]]:
        entry = self._shelf.find(path)
        if entry is not None and not entry.folder:
            return [(posixpath.basename(path), entry)]
        if entry is None and "*" in posixpath.basename(path):
            folder, pattern = posixpath.split(path)
            return [(name, each) for name, each in self._shelf.list(folder) if fnmatchcase(name, pattern)]
        return self._shelf.list(path)

    def _where(self, _: str) -> str:
        return f'257 "{self._folder.replace(chr(34), chr(34) * 2)}" is the current directory'

    def _enter(self, argument: str) -> str:
        # A client expects the folder that it was told of; so any is there, unless it is a file.
        path = self.path(argument)
        if not self._shelf.make_folder(path):
            return "550 Failed to change directory."
        self._folder = path
        return "250 Directory successfully changed."

    def _leave(self, _: str) -> str:
        return self._enter("..")

    def _make(self, argument: str) -> str:
        path = self.path(argument)
        if self._shelf.find(path) is not None or not self._shelf.make_folder(path):
            return "550 Create directory operation failed."
        return f'257 "{path.replace(chr(34), chr(34) * 2)}" created'

    def _remove(self, argument: str) -> str:
        return "250 Removed." if self._shelf.remove(self.path(argument)) else _DENIED

    def _rename_from(self, argument: str) -> str:
        self._renamed = self.path(argument)
        return _MISSING if self._shelf.find(self._renamed) is None else "350 Ready for RNTO."

    def _rename_to(self, argument: str) -> str:
        old, self._renamed = self._renamed, ""
        if not old:
            return "503 RNFR required first."
        return "250 Rename successful." if self._shelf.rename(old, self.path(argument)) else _DENIED

    def _size(self, argument: str) -> str:
        found = self._shelf.find(self.path(argument))
        return "550 Could not get file size." if found is None or found.folder else f"213 {found.size}"

    def _modified(self, argument: str) -> str:
        found = self._shelf.find(self.path(argument))
        return _MISSING if found is None else f"213 {words.stamp(found.modified)}"

    def _set_modified(self, argument: str) -> str:
        moment, _, name = argument.partition(" ")
        return f"213 Modify={moment}; {name}" if self._shelf.find(self.path(name)) else _MISSING

    def _facts(self, argument: str) -> str:
        path = self.path(argument)
        found = self._shelf.find(path)
        return _MISSING if found is None else f"250-Listing\r\n {words.as_facts(path, found)}\r\n250 End"

    def _status(self, argument: str) -> str:
        if not argument:
            return "211 Connected, no transfer under way."
        return f"213-Status follows:\r\n{self.listing('LIST', argument)}213 End of status"


_ANSWERS: dict[str, Callable[[Tree, str], str]] = {
    "CDUP": Tree._leave,
    "CWD": Tree._enter,
    "DELE": Tree._remove,
    "MDTM": Tree._modified,
    "MFMT": Tree._set_modified,
    "MKD": Tree._make,
    "MLST": Tree._facts,
    "PWD": Tree._where,
    "RMD": Tree._remove,
    "RNFR": Tree._rename_from,
    "RNTO": Tree._rename_to,
    "SIZE": Tree._size,
    "STAT": Tree._status,
    "XCUP": Tree._leave,
    "XCWD": Tree._enter,
    "XMKD": Tree._make,
    "XPWD": Tree._where,
    "XRMD": Tree._remove,
}
