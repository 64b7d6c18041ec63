"""What a visited host's shell seems to do: takes what it is given, keeps files, answers the usual questions.

No command is run. What reads its input gets all of it; what writes to a file leaves the file on the site; a handful of
commands have something to say, any other succeeds in silence.
"""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from stat import S_IFDIR
from typing import TYPE_CHECKING

from ..sites import Intake, resolve

if TYPE_CHECKING:
    import asyncssh

    from ..visit import Visit

MAX_LINE = 256 << 10
"""Bytes of an interactive line; a longer one is cut there."""

MAX_STEPS = 200
"""Commands of one line that are answered."""

MAX_OUTPUT = 8 << 20
"""Bytes of a file that are given back by one command."""

SILENT_SECONDS = 15.0
"""A command that may or may not read its input ends when none has come for so long."""

_SEPARATORS = frozenset([";", "&&", "||", "&", "\n", "|", "|&"])
_KERNELS = ("5.15.0-113-generic", "6.1.0-21-amd64", "6.8.0-39-generic", "5.14.0-427.el9.x86_64")


@dataclass(frozen=True)
class Step:
    """One simple command."""

    words: tuple[str, ...]
    target: str | None = None
    """The file that its output goes to."""
    append: bool = False
    piped: bool = False
    """Whether its input is another command's output."""


def steps_of(command: str) -> list[Step]:
    """The simple commands of a line, in order. What cannot be read is one command."""
    lexer = shlex.shlex(command.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError:
        return [Step((command,))]
    steps: list[Step] = []
    words: list[str] = []
    piped = False
    for part in [*tokens, ";"]:
        if part not in _SEPARATORS:
            words.append(part)
            continue
        if words and len(steps) < MAX_STEPS:
            steps.append(_step(words, piped=piped))
        words, piped = [], part.startswith("|") and part != "||"
    return steps


def _step(tokens: Sequence[str], *, piped: bool) -> Step:
    words: list[str] = []
    target: str | None = None
    append = False
    following = iter(tokens)
    for part in following:
        if part in (">", ">>", ">|"):
            target, append = next(following, None), part == ">>"
        elif part in ("<", "<<", "<<<", ">&", "&>", "<&"):
            next(following, None)
        elif not part.isdigit() or not words or part != tokens[-1]:
            words.append(part)
    if words and words[0] == "tee" and target is None:
        target = next((word for word in words[1:] if not word.startswith("-")), None)
        append = "-a" in words
    if target is None:
        target = next((word[3:] for word in words if word.startswith("of=")), None)
    return Step(tuple(words), None if target == "/dev/null" else target, append=append, piped=piped)


class Shell:
    """One session's shell.

    Args:
        visit: who visits which site.
        process: the session's channel.
    """

    def __init__(self, visit: Visit, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._visit = visit
        self._process = process
        self._folder = visit.home
        self._ended = False
        self._answers: dict[str, Callable[[Sequence[str]], bytes]] = {
            "cat": self._cat,
            "cd": self._cd,
            "date": lambda _: time.strftime("%a %b %e %H:%M:%S UTC %Y\n", time.gmtime()).encode(),
            "echo": lambda words: " ".join(word for word in words if word != "-n").encode() + b"\n",
            "hostname": lambda words: (visit.name if "-f" in words else visit.host).encode() + b"\n",
            "id": lambda _: f"uid=1000({visit.user}) gid=1000({visit.user}) groups=1000({visit.user})\n".encode(),
            "ls": self._ls,
            "md5sum": lambda words: self._digest(words, "md5"),
            "mkdir": self._mkdir,
            "pwd": lambda _: self._folder + b"\n",
            "rm": self._rm,
            "sha1sum": lambda words: self._digest(words, "sha1"),
            "sha256sum": lambda words: self._digest(words, "sha256"),
            "uname": self._uname,
            "wc": self._wc,
            "whoami": lambda _: visit.user.encode(errors="replace") + b"\n",
        }
        self._silent = frozenset(
            ["exit", "true", "false", "test", "[", "touch", "mv", "cp", "chmod", "sleep", "export"]
        )

    async def execute(self, command: str) -> int:
        """Seem to run a command; gives its exit status."""
        status = 0
        for step in steps_of(command):
            status = await self._do(step)
        return status

    async def interact(self) -> int:
        """A shell that is given lines: with prompt and echo where there is a terminal."""
        terminal = self._process.term_type is not None
        if terminal:
            self._write(f"Linux {self._visit.host} {self._kernel()} x86_64\r\n\r\n".encode())
        status = 0
        while True:
            if terminal:
                self._write(self._prompt())
            line = await self._line(echo=terminal)
            if line is None:
                return status
            self._visit.say(line)
            text = line.decode(errors="replace").strip()
            if text.split(" ")[0] in ("exit", "logout"):
                return status
            for step in steps_of(text):
                status = self._answer(step, terminal=terminal)

    async def _do(self, step: Step) -> int:
        name = posixpath.basename(step.words[0]) if step.words else ""
        asks = name in self._silent or (name in self._answers and (len(step.words) > 1 or name not in ("cat", "wc")))
        if asks and (name != "cat" or all(word.startswith("-") is False for word in step.words[1:])):
            if step.target is not None:
                self._touch(step)
            return self._answer(step, terminal=False)
        await self._swallow(step)
        return 0

    def _answer(self, step: Step, *, terminal: bool) -> int:
        name = posixpath.basename(step.words[0]) if step.words else ""
        if name == "false":
            return 1
        answer = self._answers.get(name)
        if answer is None:
            return 0
        try:
            said = answer(step.words[1:])
        except OSError as problem:
            self._process.stderr.write(f"{name}: {problem.strerror}\n".encode())
            return 1
        if step.target is None:
            self._write(said.replace(b"\n", b"\r\n") if terminal else said)
        return 0

    async def _swallow(self, step: Step) -> None:
        """Take all input, into a file where the command writes to one."""
        intake = self._touch(step) if step.target is not None else None
        patience = None if intake is not None else SILENT_SECONDS
        try:
            while not self._ended:
                async with asyncio.timeout(patience):
                    data = await self._process.stdin.read(65536)
                patience = None
                self._ended = not data
                if intake is not None:
                    intake.append(data)
        except TimeoutError:
            pass
        finally:
            if intake is not None:
                await intake.close()

    def _touch(self, step: Step) -> Intake | None:
        path = self._path(step.target or "")
        try:
            node = self._visit.site.make_file(path, fresh=not step.append)
        except OSError:
            return None
        return self._visit.intake(path, node, looked=True)

    async def _line(self, *, echo: bool) -> bytes | None:
        """The next line that is typed; None at the end."""
        line = bytearray()
        while True:
            byte = await self._process.stdin.read(1)
            if not byte or (byte == b"\x04" and echo and not line):
                return bytes(line) if line else None
            if byte in b"\r\n":
                if echo:
                    self._write(b"\r\n")
                return bytes(line)
            if echo and byte in b"\x7f\b":
                self._write(b"\b \b" if line else b"")
                del line[-1:]
            elif echo and byte == b"\x03":
                self._write(b"^C\r\n")
                return b""
            elif len(line) < MAX_LINE:
                line += byte
                if echo:
                    self._write(byte)

    def _write(self, data: bytes) -> None:
        self._process.stdout.write(data)

    def _prompt(self) -> bytes:
        place = self._folder.replace(self._visit.home, b"~", 1)
        sign = b"#" if self._visit.user == "root" else b"$"
        return f"{self._visit.user}@{self._visit.host}:".encode(errors="replace") + place + sign + b" "

    def _path(self, word: str) -> bytes:
        path = word.encode(errors="surrogateescape")
        return resolve(path, self._visit.home if path.startswith(b"~") else self._folder)

    def _kernel(self) -> str:
        return _KERNELS[hashlib.sha256(self._visit.name.encode(errors="replace")).digest()[2] % len(_KERNELS)]

    def _uname(self, words: Sequence[str]) -> bytes:
        if "-a" in words:
            return f"Linux {self._visit.host} {self._kernel()} #1 SMP x86_64 GNU/Linux\n".encode()
        return f"{self._kernel() if '-r' in words else 'Linux'}\n".encode()

    def _cd(self, words: Sequence[str]) -> bytes:
        self._folder = self._path(words[0]) if words else self._visit.home
        return b""

    def _mkdir(self, words: Sequence[str]) -> bytes:
        for word in words:
            if not word.startswith("-") and ("-p" not in words or not self._stands(word)):
                self._visit.site.make_folder(self._path(word))
        return b""

    def _rm(self, words: Sequence[str]) -> bytes:
        for word in words:
            if not word.startswith("-"):
                path = self._path(word)
                self._visit.site.remove(path, folder=self._visit.site.at(path).kind == S_IFDIR)
        return b""

    def _ls(self, words: Sequence[str]) -> bytes:
        places = [word for word in words if not word.startswith("-")] or ["."]
        flags = "".join(word[1:] for word in words if word.startswith("-"))
        lines: list[bytes] = []
        for place in places:
            path = self._path(place)
            if path == self._visit.home and not self._stands(place):
                continue
            inside = self._visit.site.at(path).kind == S_IFDIR and "d" not in flags
            names = self._visit.site.names(path) if inside else [place.encode()]
            lines += [self._describe(path if inside else b"", name, flags) for name in names]
        return b"".join(line + b"\n" for line in lines)

    def _describe(self, folder: bytes, name: bytes, flags: str) -> bytes:
        if "l" not in flags:
            return name
        node = self._visit.site.at(posixpath.join(folder, name) if folder else self._path(name.decode()))
        when = time.strftime("%b %e %H:%M", time.gmtime(node.modified))
        kind = "drwxr-xr-x 2" if node.kind == S_IFDIR else "-rw-r--r-- 1"
        user = self._visit.user
        return f"{kind} {user} {user} {node.size:>10} {when} ".encode(errors="replace") + name

    def _stands(self, word: str) -> bool:
        try:
            self._visit.site.at(self._path(word))
        except OSError:
            return False
        return True

    def _content(self, word: str) -> bytes:
        path = self._path(word)
        node = self._visit.site.at(path)
        if node.kind == S_IFDIR:
            raise IsADirectoryError(21, "Is a directory")
        return self._visit.intake(path, node, looked=True).read(0, MAX_OUTPUT)

    def _cat(self, words: Sequence[str]) -> bytes:
        return b"".join(self._content(word) for word in words)

    def _wc(self, words: Sequence[str]) -> bytes:
        files = [word for word in words if not word.startswith("-")]
        return b"".join(f"{self._visit.site.at(self._path(word)).size} {word}\n".encode() for word in files)

    def _digest(self, words: Sequence[str], kind: str) -> bytes:
        files = [word for word in words if not word.startswith("-")]
        return b"".join(
            f"{hashlib.new(kind, self._content(word), usedforsecurity=False).hexdigest()}  {word}\n".encode()
            for word in files
        )
