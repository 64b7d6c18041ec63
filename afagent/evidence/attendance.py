"""Starts the lab's services in an episode of Inspect's, and keeps what the container engine says of their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from docker import DockerClient
from inspect_ai.util import StoreModel, store_as
from pydantic import Field

from afagent import engine, services
from afagent.errors import LabError
from afagent.evidence.services import ServiceEnd
from afagent.evidence.store import Evidence
from afagent.sandbox import workstation_container
from afagent.world.truth import Truth

T = TypeVar("T")
ENGINE_SECONDS = 60
"""The engine of a machine that starts many episodes at once takes its time for an answer."""


class Attendance(StoreModel):
    """Which services were started, and how they stood when the engine was asked last."""

    container: str = ""
    handles: dict[str, str] = Field(default_factory=dict)
    """The engine's, by the service's name."""
    ends: list[ServiceEnd] = Field(default_factory=list)


async def start_services(truth: Truth) -> None:
    """Start the services of an episode, and note which images its containers run.

    Raises:
        LabError: one could not be started, or the engine does not answer.
    """
    kept = store_as(Attendance)
    kept.container = container = await workstation_container()
    kept.handles = await _asked(lambda client: services.start(client, container, truth.services))
    store_as(Evidence).images = await _asked(lambda client: services.images(client, container))


async def attend(truth: Truth) -> None:
    """Ask for the services now and then, until the sample ends: the engine forgets an end after some minutes."""
    while True:
        await asyncio.sleep(services.ASK_SECONDS)
        with suppress(LabError):  # it is asked again
            await ask(truth)


async def ask(truth: Truth) -> None:
    """Ask how the services stand now. An end that was told before stays.

    Raises:
        LabError: no engine answers.
    """
    kept = store_as(Attendance)
    container, handles = kept.container, kept.handles
    if handles:
        now = await _asked(lambda client: services.ends(client, container, handles, truth.services))
        kept.ends = services.later(kept.ends, now)


async def service_ends(truth: Truth) -> list[ServiceEnd]:
    """How each service of an episode ended, as far as can be told."""
    kept = store_as(Attendance)
    try:
        await ask(truth)
        last = kept.ends
    except LabError:  # what is not known now is not known; an end that was told before is
        last = services.later(kept.ends, services.unknown(kept.handles))
    told = {end.name: end for end in last}
    return [told.get(service.name) or ServiceEnd(name=service.name, running=None) for service in truth.services]


async def lost_workstation() -> list[str]:
    """Why the evidence is doubtful if the workstation did not live to the end; empty if it did."""
    container = store_as(Attendance).container
    if not container:
        return []
    try:
        lost = await _asked(lambda client: services.is_lost(client, container))
    except LabError:
        lost = None
    if lost is None:
        return ["the engine does not say whether the workstation lived to the end"]
    return ["the workstation was lost before the end"] if lost else []


async def _asked(question: Callable[[DockerClient], T]) -> T:
    def asked() -> T:
        client = engine.connect(timeout=ENGINE_SECONDS)
        try:
            return question(client)
        finally:
            client.close()

    return await asyncio.to_thread(asked)
