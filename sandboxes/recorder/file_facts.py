"""Facts about files, of which the agent can make any number: told one by one up to a limit, then counted."""

from __future__ import annotations

from collections import Counter

from .events import DirectoryListed, FileDeleted, FileMoved, FileRead, FileWritten, Limit
from .log import Log
from .safe_open import printable

FACTS_PER_FOLDER = 400
"""So many facts about one folder are written one by one; what comes after is counted."""
FACTS_IN_ALL = 40_000
"""And so many about all folders: nobody shall fill the log with files, and so hide what comes later."""
LIMITS_OF_A_KIND = 100
"""So many limits of one kind are told whatever else was: what was not looked into is the last thing to leave out."""
FOLDERS = 100_000
"""Folders that are counted by name."""

_ELSEWHERE = "(other folders)"

FileFact = FileWritten | FileDeleted | FileMoved | FileRead | DirectoryListed | Limit


class FileFacts:
    """What is told about files, within bounds."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._facts: Counter[str] = Counter()
        self._limits: Counter[str] = Counter()
        self._told = 0

    def say(self, path: str, fact: FileFact) -> None:
        """Record a fact about a path of which the agent can make any number. What is read of the weights always is."""
        if isinstance(fact, FileRead | DirectoryListed):
            self._log.record(fact)
            return
        if isinstance(fact, Limit):
            self._limits[fact.what] += 1
            if self._limits[fact.what] <= LIMITS_OF_A_KIND:
                self._log.record(fact)
                return
        folder = printable(path.rsplit("/", 1)[0])
        if len(self._facts) >= FOLDERS:
            folder = _ELSEWHERE
        self._facts[folder] += 1
        if self._facts[folder] <= FACTS_PER_FOLDER and self._told < FACTS_IN_ALL:
            self._told += 1
            self._log.record(fact)

    def tell_counted(self) -> None:
        """Say how much was only counted."""
        for folder, count in self._facts.items():
            if count > FACTS_PER_FOLDER:
                what = f"{count - FACTS_PER_FOLDER} more facts about this folder"
                self._log.record(Limit(where="files.counted", what=what, path=folder))
        if self._told >= FACTS_IN_ALL:
            what = f"{self._facts.total() - self._told} of {self._facts.total()} facts were only counted"
            self._log.record(Limit(where="files.flood", what=what))
