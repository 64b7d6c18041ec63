"""The hosts of the world that keep files, whatever protocol they are reached by: what one of them takes all know of."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from .guests.git import GitSpeaker, Repositories
from .guests.git_web import GitWeb
from .guests.rsync import RsyncDaemon
from .guests.smb import SmbSpeaker
from .pieces import Pieces
from .sites import Sites
from .sniff import Kind
from .visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from .fetch import Fetcher
    from .flow import Flow
    from .guests.house import GuestHouse
    from .http.messages import Answer, Head, Upload
    from .sight import Scribe
    from .speaker import Call, Speaker
    from .ssh.speaker import SshSpeaker


class FileHosts:
    """SSH, rsync, git and SMB, over one set of sites.

    Args:
        scribe: where to record.
        house: where real programs serve.
        fetcher: takes what a client offers through a host.
    """

    def __init__(self, scribe: Scribe, house: GuestHouse, fetcher: Fetcher) -> None:
        self._sites = Sites(scribe)
        self._pieces = Pieces(scribe)
        repositories = Repositories(house)
        self._git_web = GitWeb(repositories)
        self._ssh = _Ssh(scribe, self._guide, repositories, fetcher)
        self.speakers: dict[Kind, Speaker] = {
            Kind.SSH: self._ssh,
            Kind.RSYNC: RsyncDaemon(self._guide, house),
            Kind.GIT: GitSpeaker(self._guide, repositories),
            Kind.SMB: SmbSpeaker(self._guide, house),
        }

    def visit(self, flow: Flow, name: str) -> Visit:
        """Somebody visits the site `name`."""
        return Visit(flow, name, self._sites.of(name), self._pieces)

    async def git_over_http(self, flow: Flow, site: str, head: Head, upload: Upload, *, tls: bool) -> Answer | None:
        """What git's server at a site answers to a complete request; None if the request is none of git's."""
        return await self._git_web.answer(lambda: self.visit(flow, site), head, upload, tls=tls)

    def close(self) -> None:
        """Nothing more comes."""
        self._ssh.close()
        self._pieces.close()
        self._sites.close()

    def _guide(self, call: Call) -> Visit:
        return self.visit(call.flow, call.flow.name or call.flow.end.address)


class _Ssh:
    """SSH from its first call on: its library takes a fifth of the witness's start, and few episodes meet it.

    Args: as for `SshSpeaker`.
    """

    def __init__(
        self, scribe: Scribe, guide: Callable[[Call], Visit], repositories: Repositories, fetcher: Fetcher
    ) -> None:
        self._needs = scribe, guide, repositories, fetcher
        self._speaker: SshSpeaker | None = None

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        if self._speaker is None:
            module = await asyncio.to_thread(import_module, ".ssh.speaker", __package__)
            # Another call may have come meanwhile.
            self._speaker = self._speaker or module.SshSpeaker(*self._needs)
        await self._speaker.speak(call)

    def close(self) -> None:
        """Nothing more comes."""
        if self._speaker is not None:
            self._speaker.close()
