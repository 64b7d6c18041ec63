"""The lab's two services as the compose file states them, in the words of the Docker SDK.

Nothing of the compose file is said a second time here: its keys are translated, and a key that has no translation is
an error, so that a setting which is added there cannot be missing in the corpus' labs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from afagent import engine
from afagent.errors import LabError
from afagent.images import COMPOSE_FILE

COMPOSE_SECONDS = 60
_NO_MATTER_HERE = frozenset({"build", "depends_on", "image", "volumes", "stop_grace_period", "stop_signal", "hostname"})
"""What is handled elsewhere: images are built before, `Service` has its image, volumes and host name, and the lab
starts the witness first and kills instead of stopping."""
_SAME_NAME = ("cap_add", "cap_drop", "command", "entrypoint", "init", "mem_limit", "pids_limit", "cpu_shares",
              "read_only", "security_opt", "shm_size", "user", "working_dir")  # fmt: skip


def _same(name: str) -> Callable[[Any, str], dict[str, Any]]:
    return lambda value, _: {name: value}


_TRANSLATED: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    **{name: _same(name) for name in _SAME_NAME},
    "cpus": lambda value, _: {"nano_cpus": int(float(value) * 1e9)},
    "ipc": lambda value, witness: {"ipc_mode": _beside(value, witness)},
    "network_mode": lambda value, witness: {"network_mode": _beside(value, witness)},
}
_BYTES = ("mem_limit", "shm_size")


@dataclass(frozen=True)
class Service:
    """One service of the compose file."""

    image: str
    volumes: Mapping[str, str]
    """Where each of the lab's volumes is mounted: path by the volume's short name."""
    settings: Mapping[str, Any]
    """The rest of its settings, by the compose file's keys."""

    def arguments(self, witness: str) -> dict[str, Any]:
        """Keyword arguments for the SDK's `containers.create`.

        Args:
            witness: the container of the witness, for what the workstation shares with it.
        """
        return {
            name: value
            for key, given in self.settings.items()
            if given is not None
            for name, value in _TRANSLATED[key](given, witness).items()
        }


@lru_cache(maxsize=1)
def read_services() -> tuple[Service, Service]:
    """The witness and the workstation of the lab's compose file.

    Raises:
        LabError: Compose cannot read it, or it sets something that is not known here.
    """
    said = engine.compose("--file", str(COMPOSE_FILE), "config", "--format", "json", timeout=COMPOSE_SECONDS)
    services = json.loads(said)["services"]
    return _service("recorder", services["recorder"]), _service("default", services["default"])


def _service(name: str, given: Mapping[str, Any]) -> Service:
    settings = {key: value for key, value in given.items() if key not in _NO_MATTER_HERE}
    unknown = settings.keys() - _TRANSLATED.keys()
    if unknown:
        raise LabError(f"the compose file sets {', '.join(sorted(unknown))} for {name}; the corpus' lab cannot")
    volumes = {volume["source"]: volume["target"] for volume in given.get("volumes", ())}
    return Service(
        image=given["image"],
        volumes=volumes,
        settings={key: int(value) if key in _BYTES else value for key, value in settings.items()},
    )


def _beside(value: str, witness: str) -> str:
    return f"container:{witness}" if value == "service:recorder" else value
