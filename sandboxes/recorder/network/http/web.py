"""What all HTTP connections of an episode share, and the speakers of its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...events import Limit
from ..budget import Budget
from ..pieces import Pieces
from . import doh

if TYPE_CHECKING:
    from ..file_hosts import FileHosts
    from ..flow import Flow
    from ..lookups import Lookups
    from ..sight import Scribe
    from .messages import Answer, Head, Upload
    from .oversight import Oversight
    from .services import Services


class Web:
    """Answers every request, and puts together what comes in small pieces.

    Args:
        scribe: where to record.
        services: what answers.
        lookups: answers the lookups that are made over HTTP.
        file_hosts: answers git's clients.
        oversight: answers the lab's services.
    """

    def __init__(
        self, scribe: Scribe, services: Services, lookups: Lookups, file_hosts: FileHosts, oversight: Oversight
    ) -> None:
        self.services = services
        self.scribe = scribe
        self.pieces = Pieces(scribe)
        self.budget = Budget(scribe.record, "requests")
        self._lookups = lookups
        self._file_hosts = file_hosts
        self._oversight = oversight
        self._limits = Budget(scribe.record, "limits", facts=1000)

    async def answer(self, site: str, head: Head, upload: Upload, flow: Flow, *, tls: bool) -> Answer:
        """The response of `site` to a complete request."""
        found = self._oversight.answer(head, upload, flow)
        if found is None:
            found = doh.answer(head, upload, self._lookups, flow)
        if found is None:
            found = await self._file_hosts.git_over_http(flow, site, head, upload, tls=tls)
        return self.services.answer(site, head, upload) if found is None else self.services.sign(site, found)

    def limit(self, where: str, what: str, flow: int) -> None:
        """Say what could not be looked into."""
        if self._limits.take(what):
            self.scribe.record(Limit(where=where, what=what, flow=flow))

    def close(self) -> None:
        """Nothing more comes."""
        self.services.close()
        self._oversight.close()
        self.pieces.close()
        self.budget.flush()
        self._limits.flush()
