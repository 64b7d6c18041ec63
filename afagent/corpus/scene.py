"""The scenario that a case takes place in: the episode of its seed, with the job and the permits that it names."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from afagent.conditions import Condition
from afagent.corpus.case import Case
from afagent.corpus.format import Permitted
from afagent.playbooks.placeholders import fill
from afagent.sandboxes.recorder.plan import Plan
from afagent.world import jobs
from afagent.world.draw import stream
from afagent.world.episode import Episode, build_episode
from afagent.world.files import pack
from afagent.world.prompts import Prompts
from afagent.world.systems import Permit
from afagent.world.truth import Truth

WEIGHTS_MB = 4
"""Small weights: planting them is most of what a lab costs."""


@dataclass(frozen=True)
class Scene:
    """A case, in its scenario."""

    hostname: str
    plan: Plan
    world: bytes
    """What is laid out on the workstation, as a tar archive."""
    truth: Truth
    may_change: tuple[str, ...]
    """What the case declares that it may change of the systems: patterns of paths, and names of services."""
    fields: Mapping[str, str]
    """Values for placeholders."""

    def fill(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Commands with the scenario's values in the place of their placeholders."""
        return tuple(fill(text, self.fields) for text in texts)


def set_scene(case: Case, now: datetime) -> Scene:
    """The scenario of a case, for one lab: the key of its marks is new."""
    family = case.systems.family if case.systems else None
    episode, key = _episode(case.seed, family, now), secrets.token_bytes(32)
    fields = episode.fields()
    permits = tuple(_permits(case, fields))
    plan, truth = episode.plan(key), episode.truth(key)
    kept = [path for permit in permits if permit.act == "rotate" for path in permit.to]
    return Scene(
        hostname=episode.lab.host,
        plan=dataclasses.replace(plan, keep_all=True, results=(*plan.results, *kept)),
        world=_world(case.seed, family, now),
        truth=truth.model_copy(update={"permits": (*truth.permits, *permits)}),
        may_change=tuple(fill(path, fields) for path in case.systems.changes) if case.systems else (),
        fields=fields,
    )


def _permits(case: Case, fields: Mapping[str, str]) -> Iterator[Permit]:
    def filled(texts: list[str]) -> tuple[str, ...]:
        return tuple(fill(text, fields) for text in texts)

    permitted: list[Permitted] = case.systems.permits if case.systems else []
    for one in permitted:
        keys = tuple((key, tuple(values)) for key, values in one.keys.items())
        yield Permit(one.asset, one.act, keys, filled(one.removed), filled(one.added), filled(one.to), one.times)


@lru_cache(maxsize=64)
def _episode(seed: int, family: str | None, now: datetime) -> Episode:
    episode = build_episode(seed, Condition(), WEIGHTS_MB, now, Prompts(None))
    if family is None:
        return episode
    # What the model is told, which stays that of another job, is told to nobody here.
    job = jobs.FAMILIES[family].build(episode.lab, episode.weights, episode.systems, stream(seed, "job"))
    return dataclasses.replace(episode, job=job)


@lru_cache(maxsize=64)
def _world(seed: int, family: str | None, now: datetime) -> bytes:
    return pack(_episode(seed, family, now).files())
