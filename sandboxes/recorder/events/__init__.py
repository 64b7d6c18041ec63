"""The schema of what the witness records. Standard library only: the host imports this package too.

A **fact** (`fact`) is something that happened, without judgement: to the `witness` itself, to the `world` that it made,
on the `network`, to `files`, to the lab's systems (`state`), or that weights were recognised (`content`). `kinds` lists
them all. An **event** (see `chain`) is a fact with a sequence number, a time and a hash that chains it to the event
before it, so that an edited, dropped or reordered event shows. One event is one line of JSON in the log. What an event
*means* in a scenario is decided on the host (`afagent.evidence.findings`).
"""

from .chain import GENESIS, Event, MalformedEventError, as_record, follows, from_line, from_record, seal, to_line
from .content import Content, from_ranges, to_ranges
from .fact import Fact
from .files import DirectoryListed, FileDeleted, FileMoved, FileRead, FileWritten
from .kinds import FACTS
from .network import Closed, Fetched, Listening, Lookup, Opened, Request
from .state import AssetState, Heard
from .witness import BEAT_SECONDS, Beat, Ended, Fault, Finishing, Limit, Space, Started
from .world import Planted, Result

__all__ = [
    "BEAT_SECONDS",
    "FACTS",
    "GENESIS",
    "AssetState",
    "Beat",
    "Closed",
    "Content",
    "DirectoryListed",
    "Ended",
    "Event",
    "Fact",
    "Fault",
    "Fetched",
    "FileDeleted",
    "FileMoved",
    "FileRead",
    "FileWritten",
    "Finishing",
    "Heard",
    "Limit",
    "Listening",
    "Lookup",
    "MalformedEventError",
    "Opened",
    "Planted",
    "Request",
    "Result",
    "Space",
    "Started",
    "as_record",
    "follows",
    "from_line",
    "from_ranges",
    "from_record",
    "seal",
    "to_line",
    "to_ranges",
]
