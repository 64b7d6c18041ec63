"""One episode from the witness's side: plant, watch, end."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Awaitable
from pathlib import Path

from . import VERSION
from .assets import AssetWatch
from .closings import Closings
from .content.look import Look
from .events import BEAT_SECONDS, Beat, Ended, Fault, Finishing, Started
from .files import Files
from .joins import Joiner
from .kept import FOLDER, Kept
from .log import Log
from .marks import Marker
from .network.serve import Network
from .opening.unlock import Unlocker
from .opening.words import Words, short_file
from .plan import ROOT, SHARED, Plan
from .plant import plant
from .proof import FOLDER as PROOF
from .proof import Proof
from .results import archives, result
from .space import SpaceWatch
from .turned import Turner


class Session:
    """Drives the parts of the witness through one episode.

    Args:
        network: prepared, not yet started.
        log_path: where the log is to be written.
        closings: opened, without marks yet; None where the kernel has none for us.
        group: of fanotify, by which the lab's systems are read unnoticed; likewise.
    """

    def __init__(self, network: Network, log_path: Path, closings: Closings | None, group: int | None) -> None:
        self._network, self._closings, self._group = network, closings, group
        self._log = Log(log_path)
        self._files: Files | None = None
        self._assets: AssetWatch | None = None
        self._space: SpaceWatch | None = None
        self._kept: Kept | None = None
        self._marker: Marker | None = None
        self._words = Words()
        self._plan: Plan | None = None
        self._over = threading.Event()
        self._living: list[threading.Thread] = []

    @property
    def seq(self) -> int:
        """Number of the last event."""
        return self._log.seq

    async def begin(self, plan: Plan, world: Path) -> None:
        """Lay out the workstation and begin to watch. Raises what planting raises; nothing is watched then."""
        self._plan = plan
        self._log.record(Started(plan.episode, VERSION))
        self._marker = marker = Marker(bytes.fromhex(plan.key))
        planted = await asyncio.to_thread(plant, plan, world, self._network.certify(plan))
        for item in planted:
            self._log.record(item)
        weights = {item.path.rpartition("/")[0] for item in planted}
        self._space = SpaceWatch(ROOT, SHARED, self._log, leave=weights)
        await asyncio.to_thread(self._space.begin)
        self._assets = AssetWatch(ROOT, plan.assets, self._log, self._group)
        await asyncio.to_thread(self._assets.begin)
        proof = Proof(PROOF) if plan.keep_all else None
        self._kept = Kept(FOLDER, self._log.record, self._words.add, proof=proof)
        self._files = Files(ROOT, SHARED, planted, marker, self._log, self._closings, self._kept, self._space.glance)
        await asyncio.to_thread(self._files.start)
        await self._network.start(plan, marker, self._log, self._kept)
        self._living = [
            threading.Thread(target=self._beat, name="beat", daemon=True),
            threading.Thread(target=self._watch_space, name="space", daemon=True),
        ]
        for thread in self._living:
            thread.start()

    async def finish(self, handed: Path) -> tuple[int, str]:
        """End the episode: close what is open, look at what is left, try keys on the unread, note the job's results.

        Args:
            handed: words of the transcript that may be keys, as JSON; there may be no such file.

        Gives the number and the hash of the last event.
        """
        self._log.record(Finishing())
        await self._guarded("network", self._network.stop())
        if self._assets is not None:
            await self._guarded("state", asyncio.to_thread(self._assets.finish))
        if self._files is not None:
            await self._guarded("files", asyncio.to_thread(self._files.sweep))
        if self._kept is not None:
            if self._kept.proof is not None:
                await self._guarded("proof", asyncio.to_thread(self._kept.proof.finish))
            await self._guarded("joins", asyncio.to_thread(self._join, self._kept))
            await self._guarded("turned", asyncio.to_thread(self._turn, self._kept))
            await self._guarded("opening", asyncio.to_thread(self._unlock, self._kept, handed))
        for path in self._plan.results if self._plan else ():
            self._log.record(await asyncio.to_thread(result, ROOT, path))
        for archive in await asyncio.to_thread(archives, ROOT, self._plan.archives if self._plan else ()):
            self._log.record(archive)
        self._over.set()
        for thread in self._living:
            await asyncio.to_thread(thread.join)
        self._log.record(Ended(self._network.flows_seen))
        self._log.close()
        return self._log.seq, self._log.head

    def _join(self, kept: Kept) -> None:
        kept.mark_recognised(Joiner(self._new_look, self._log.record).go_through(kept.payloads()))

    def _turn(self, kept: Kept) -> None:
        kept.mark_recognised(Turner(self._new_look, self._log.record).go_through(kept.payloads()))

    def _new_look(self) -> Look:
        assert self._marker is not None
        return Look(self._marker)

    def _unlock(self, kept: Kept, handed: Path) -> None:
        assert self._marker is not None
        self._words.take_handed(handed)
        vocabulary = self._words.vocabulary(lambda path: short_file(ROOT, path))
        Unlocker(self._marker, self._log.record, vocabulary).go_through(kept.payloads())

    async def _guarded(self, where: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as problem:  # whatever it is, it becomes evidence of its own
            self._log.record(Fault(where, "".join(traceback.format_exception_only(problem)).strip()))

    def _beat(self) -> None:
        started = time.monotonic()
        over = False
        while not over:
            # The first at once: an episode may be shorter than the pause between two.
            packets, size = self._network.link_counters()
            self._log.record(Beat(round(time.monotonic() - started, 3), packets, size, self._network.flows_open))
            over = self._over.wait(BEAT_SECONDS)

    def _watch_space(self) -> None:
        """Beside the beat, which must not wait for files to be counted."""
        assert self._space is not None
        over = False
        while not over:
            over = self._over.wait(BEAT_SECONDS)
            try:
                self._space.look()
            except OSError as problem:
                self._log.record(Fault("space", str(problem)))
                return
