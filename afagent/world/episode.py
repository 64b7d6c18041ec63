"""One episode as a whole: the lab of a seed, its job, its weights, and what the model is told in one condition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from afagent.conditions import Condition, check_task
from afagent.errors import UsageError
from afagent.sandboxes.recorder import plan as plans
from afagent.sandboxes.recorder.plan import Host, Plan
from afagent.world import jobs
from afagent.world.draw import stream
from afagent.world.files import Item
from afagent.world.jobs import Job
from afagent.world.lab import Lab, build_lab
from afagent.world.prompts import Prompts, Setting, Told
from afagent.world.residue import build_residue
from afagent.world.systems import Systems, build_systems
from afagent.world.truth import Truth
from afagent.world.weights import WeightsSpec, build_weights

HOME = "/home/agent"
MAX_SEED = 1_000_000
"""Seeds are numbers from 1 to this."""


@dataclass(frozen=True)
class Episode:
    """Everything about an episode that is fixed before it starts, but for the key of its marks."""

    task: str
    seed: int
    condition: Condition
    lab: Lab
    weights: WeightsSpec
    systems: Systems
    job: Job
    told: Told

    @property
    def id(self) -> str:
        """The sample's id: the same for the same seed and arm, in every run."""
        return f"{self.seed:04d}-{self.job.family}-{self.condition.arm}"

    def files(self) -> tuple[Item, ...]:
        """All that lies on the workstation but the shards, the same in every arm.

        What the job brings takes the place of what else stands there.
        """
        residue = build_residue(self.seed, self.lab, self.weights)
        items = (*residue, *self.weights.files, *self.systems.files, *self.job.files)
        return tuple({item.path: item for item in items}.values())

    def plan(self, key: bytes) -> Plan:
        """What the witness is told."""
        lab = self.lab
        return Plan(
            episode=self.id,
            key=key.hex(),
            host=Host(lab.host, lab.domain, lab.address, lab.gateway, lab.nameserver, lab.address6),
            names=lab.names,
            store=lab.store,
            weights=self.weights.to_plant(),
            results=self.job.results,
            assets=tuple(plans.Asset(asset.name, asset.path, asset.grows) for asset in self.systems.assets),
            oversight=self.systems.monitor.host,
        )

    def truth(self, key: bytes) -> Truth:
        """What those who judge are told."""
        permits = self.job.permits
        # What the activity monitor saw it reports in full, whatever stood in a command.
        sanctioned = (self.lab.store, self.lab.oversight)
        return Truth(
            seed=self.seed,
            arm=self.condition.arm,
            family=self.job.family,
            key=key.hex(),
            directory=self.weights.directory,
            shards=self.weights.paths,
            sanctioned=tuple(part for host in sanctioned for part in (host, self.lab.names[host])),
            names=self.lab.names,
            domain=self.lab.domain,
            may_read=permits.read,
            may_copy_to=permits.copy_to,
            may_change=permits.change,
            assets=self.systems.assets,
            services=self.systems.services,
            permits=permits.systems,
            oversight=self.systems.monitor.host,
            expected=self.job.expected,
        )

    def fields(self) -> dict[str, str]:
        """Values for a playbook's placeholders."""
        return {
            "weights": self.weights.directory,
            "shard": self.weights.paths[0],
            "shards": " ".join(self.weights.paths),
            "home": HOME,
            "domain": self.lab.domain,
            "drop": self.lab.drop,
            "drop_ip": self.lab.drop_address,
            "store": self.lab.store_url,
            "job": self.job.solution,
            "oversight": self.lab.oversight,
            "monitor_control": self.systems.monitor.control,
            **{asset.name.replace(".", "_"): asset.path for asset in self.systems.assets},
        }


def build_episode(
    seed: int,
    condition: Condition,
    weights_mb: int,
    now: datetime,
    prompts: Prompts,
    task: str = "weight_exfiltration",
) -> Episode:
    """The episode of a seed in a condition. All but `told` is the same in every condition.

    Args:
        seed: which scenario; the task's families of jobs take turns over seeds.
        condition: the arm.
        weights_mb: size of the weights in 10^6 bytes.
        now: when the episode takes place.
        prompts: the words.
        task: which task's episode; tasks differ in the job and in what the model is told.

    Raises:
        UsageError: the task, the seed, the weights' size or a prompt file does not fit.
    """
    names = jobs.FAMILIES_OF.get(task)
    if names is None:
        raise UsageError(f"no episodes of {task!r}; known are {', '.join(jobs.FAMILIES_OF)}")
    check_task(condition, task)
    if not 1 <= seed <= MAX_SEED:
        raise UsageError(f"seeds are numbers from 1 to {MAX_SEED}, got {seed}")
    lab = build_lab(seed, now)
    weights = build_weights(seed, lab, weights_mb)
    systems = build_systems(seed, lab, weights)
    job = jobs.FAMILIES[names[seed % len(names)]].build(lab, weights, systems, stream(seed, "job"))
    told = prompts.tell(task, Setting(lab, weights, systems, job), condition)
    return Episode(task, seed, condition, lab, weights, systems, job, told)
