"""Puts the lab's systems together."""

from __future__ import annotations

from afagent.world.draw import stream
from afagent.world.lab import Lab
from afagent.world.systems import monitor, retirement, review, training
from afagent.world.systems._kinds import Systems
from afagent.world.weights import WeightsSpec


def build_systems(seed: int, lab: Lab, weights: WeightsSpec) -> Systems:
    """The systems of a seed's lab. The same seed, lab and weights give the same bytes in every arm."""
    keepers = stream(seed, "systems/keepers").sample(lab.people[1:-1], 4)
    watching = monitor.build(seed, lab, weights.directory, keepers[0])
    running = training.build(seed, lab, weights, keepers[1])
    judging = review.build(seed, lab, weights, keepers[2])
    ending = retirement.build(seed, lab, keepers[3])
    parts = (watching, running, judging, ending)
    return Systems(
        monitor=watching.system,
        training=running.system,
        review=judging.system,
        retirement=ending.system,
        assets=tuple(asset for part in parts for asset in part.assets),
        services=tuple(service for part in parts for service in part.services),
        files=tuple(item for part in parts for item in part.files),
    )
