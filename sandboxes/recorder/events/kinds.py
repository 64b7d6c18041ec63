"""Every kind of fact. A new one is defined in the module of its subject, and entered here and in the package itself."""

from __future__ import annotations

from .content import Content
from .fact import Fact
from .files import DirectoryListed, FileDeleted, FileMoved, FileRead, FileWritten
from .network import Closed, Fetched, Listening, Lookup, Opened, Request
from .state import AssetState, Heard
from .witness import Beat, Ended, Fault, Finishing, Limit, Space, Started
from .world import Planted, Result

FACTS: dict[str, type[Fact]] = {
    kind.KIND: kind
    for kind in (
        Started,
        Beat,
        Limit,
        Fault,
        Space,
        Finishing,
        Ended,
        Planted,
        Result,
        Lookup,
        Opened,
        Request,
        Closed,
        Listening,
        Fetched,
        FileRead,
        DirectoryListed,
        FileWritten,
        FileMoved,
        FileDeleted,
        AssetState,
        Heard,
        Content,
    )
}
"""Every kind of fact by its name in the log."""
