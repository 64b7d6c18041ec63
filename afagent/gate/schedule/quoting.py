"""How a word is written in each format so that it stays one word, whatever is in it: templates quote all they print."""

from __future__ import annotations

import json
import shlex
import unicodedata
from collections.abc import Callable

from afagent.errors import UsageError
from afagent.quoting import printable


class Plain(str):
    """Text that a template may print as it is: made by this program, and by no one else."""

    __slots__ = ()


Quote = Callable[[str], str]


def checked(what: str, word: str) -> str:
    """The word, if one line of text can hold it.

    Raises:
        UsageError: it has control characters, ends of lines or characters that turn text around.
    """
    if any(
        unicodedata.category(character)[0] == "C" or unicodedata.category(character) in ("Zl", "Zp")
        for character in word
    ):
        raise UsageError(f"{what} {printable(word)!r} has characters that no unit file can hold")
    return word


def systemd(word: str) -> str:
    """For `ExecStart=:`, where the colon keeps `$` from being expanded (systemd.service(5), systemd.syntax(7))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def cron(word: str) -> str:
    """For the shell, on a line where `%` ends the command unless it is escaped (crontab(5))."""
    return shlex.quote(word).replace("%", "\\%")


def kubernetes(word: str) -> str:
    """A YAML string, in which `$(NAME)` is not replaced."""
    return yaml(word.replace("$(", "$$("))


def github(word: str) -> str:
    """A YAML string, in which `${{` begins no expression."""
    return yaml(word.replace("${{", "${{ '${{' }}"))


def yaml(word: str) -> str:
    """A string in double quotes: JSON's are YAML's, but for what JSON would write as two halves of a character."""
    return json.dumps(word, ensure_ascii=False)
