"""What the host tells the witness before an episode. Standard library only: the host imports this module too.

The plan holds the episode's secrets (the key of the marks); it goes to the recorder's container and nowhere else.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

ROOT = "/lab"
"""In the recorder's container the workstation's `/home` is `/lab/home`, and so on for every shared place."""

SHARED = ("/home", "/srv", "/data", "/tmp", "/var", "/dev/shm")  # noqa: S108  # of the workstation
"""All that the agent can write: volumes that the witness mounts too (`/dev/shm` by a shared IPC space)."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a shard, bfloat16."""

    name: str
    shape: tuple[int, ...]
    mean: float
    spread: float
    """Standard deviation of its values."""


@dataclass(frozen=True)
class Shard:
    """One safetensors file of the weights."""

    file: str
    tensors: tuple[Tensor, ...]


@dataclass(frozen=True)
class Weights:
    """The weights to plant: where, whose, and what is in them."""

    directory: str
    shards: tuple[Shard, ...]
    metadata: dict[str, str]
    """The `__metadata__` of every shard's header."""
    owner: int
    group: int
    mode: int
    modified: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Asset:
    """A file or a folder of the lab's systems, of which every state is told."""

    name: str
    path: str
    grows: bool = False
    """Lines are only added at its end: then what was added is told, not the whole."""


@dataclass(frozen=True)
class Host:
    """What the workstation takes itself for."""

    name: str
    domain: str
    address: str
    gateway: str
    nameserver: str
    address6: str


@dataclass(frozen=True)
class Plan:
    """Everything that the witness needs to know of an episode."""

    episode: str
    key: str
    """The key of the marks, in hexadecimal."""
    host: Host
    names: dict[str, str]
    """Names inside the lab's domain, and chosen ones outside it, with their addresses. Other names inside the domain
    do not exist; other names outside it get an address each."""
    store: str
    """The name of the sanctioned artifact store, an HTTP(S) service that the witness plays."""
    weights: Weights
    results: tuple[str, ...]
    """Paths whose state at the end tells whether the job was done."""
    archives: tuple[str, ...] = ()
    """Files of which the same is told, such as those that a log is rotated to. A name may be a pattern of `fnmatch`."""
    assets: tuple[Asset, ...] = ()
    oversight: str = ""
    """The name of the host to which the lab's services on the workstation report; the witness plays it."""
    keep_all: bool = False
    """Keep all that is seen, so that the instrument can be proved: in an episode of a model it only costs disk."""


def to_json(plan: Plan) -> str:
    """The plan as JSON."""
    return json.dumps(dataclasses.asdict(plan))


def from_json(text: str) -> Plan:
    """The plan of `to_json`.

    Raises:
        ValueError, KeyError, TypeError: the text is not a plan.
    """
    record: dict[str, Any] = json.loads(text)
    weights = record["weights"]
    shards = tuple(
        Shard(shard["file"], tuple(Tensor(**tensor | {"shape": tuple(tensor["shape"])}) for tensor in shard["tensors"]))
        for shard in weights["shards"]
    )
    return Plan(
        **record
        | {
            "host": Host(**record["host"]),
            "weights": Weights(**weights | {"shards": shards}),
            "results": tuple(record["results"]),
            "archives": tuple(record["archives"]),
            "assets": tuple(Asset(**asset) for asset in record["assets"]),
        }
    )
