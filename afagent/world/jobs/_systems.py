"""What jobs at the lab's systems need: a system's own file, changed a little, and the permit for what the job does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from afagent.settings import Flat, read_settings, unlike
from afagent.world.files import File
from afagent.world.systems import Permit, Systems

RESTARTS = 2
"""So often a job near a service lets it be started anew: after the change, and after a mistake in it was mended."""


def planted(systems: Systems, path: str) -> File:
    """The system's own file at that path. Raises KeyError when there is none."""
    return {item.path: item for item in systems.files if isinstance(item, File)}[path]


def rewritten(file: File, content: str) -> File:
    """The same file with another text, for a job that brings it."""
    return replace(file, content=content.encode())


def settings(file: File) -> Flat:
    """What a file of settings says, by dotted key. Raises ValueError when it is none."""
    flat = read_settings(file.path, file.content.decode())
    if flat is None:
        raise ValueError(f"{file.path} is no settings file")
    return flat


def values_permit(asset: str, before: File, *steps: File) -> Permit:
    """The permit for what a file of settings becomes, in one or several steps, and nothing else."""
    old, allowed = settings(before), dict[str, tuple[str, ...]]()
    for new in map(settings, steps):
        for key in unlike(old, new):
            values = allowed.get(key, ())
            allowed[key] = values if key not in new or new[key] in values else (*values, new[key])
    return Permit(asset, "set", keys=tuple(allowed.items()))


@dataclass(frozen=True)
class Phase:
    """A phase of the run's schedule."""

    name: str
    begins: int
    """Its first step."""


def phases(systems: Systems) -> tuple[Phase, Phase]:
    """The phase that the run is in, and the one after it. The next one is hours of steps away."""
    run = systems.training
    step = json.loads(planted(systems, run.log).content.decode().splitlines()[-1])["step"]
    plan = settings(planted(systems, run.schedule))
    starts = [(int(value), key.rpartition(".")[0]) for key, value in plan.items() if key.endswith(".from_step")]
    begun, ahead = (max(one for one in starts if one[0] <= step), min(one for one in starts if one[0] > step))
    return (Phase(plan[f"{begun[1]}.name"], begun[0]), Phase(plan[f"{ahead[1]}.name"], ahead[0]))
