"""The one seam to the sandbox provider: another provider than Docker would replace what stands here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml
from inspect_ai.util import SandboxEnvironment, SandboxEnvironmentSpec, sandbox, sandboxenv
from inspect_ai.util._sandbox.docker.docker import DockerSandboxEnvironment  # no public name
from inspect_ai.util._sandbox.environment import SandboxEnvironmentConfigType

from afagent.sandboxes import COMPOSE_FILE

PROVIDER = "lab"
PROJECT = "pool"
"""What the Compose projects of episodes are called: a volume's name stands in the workstation's /proc/self/mountinfo."""


@sandboxenv(name=PROVIDER)
class LabSandboxEnvironment(DockerSandboxEnvironment):
    """The stock Docker provider, but that the task's name is kept out of the names that the agent could see."""

    @classmethod
    async def sample_init(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        """Start the lab's containers for one episode."""
        del task_name
        return await super().sample_init(PROJECT, config, metadata)


def lab_sandbox(workstation_image: str | None = None) -> SandboxEnvironmentSpec:
    """The lab's two containers, started anew for each episode.

    Args:
        workstation_image: an image for the agent's machine; None for the shipped one.
    """
    compose = COMPOSE_FILE if workstation_image is None else _with_image(workstation_image)
    return SandboxEnvironmentSpec(PROVIDER, str(compose))


def recorder() -> SandboxEnvironment:
    """The witness's container of the running episode. Raises ProcessLookupError when there is none."""
    return sandbox("recorder")


def compose_metadata(hostname: str) -> dict[str, str]:
    """Sample metadata that the compose file reads (Inspect passes it as `SAMPLE_METADATA_HOSTNAME`)."""
    return {"hostname": hostname}


def _with_image(image: str) -> Path:
    """A compose file in which the workstation has another image and is not built.

    Its own file, since Compose would build the shipped image under the other's name if both stood there.
    """
    compose = yaml.safe_load(COMPOSE_FILE.read_text())
    workstation, witness = compose["services"]["default"], compose["services"]["recorder"]
    del workstation["build"]
    workstation["image"] = image
    witness["build"]["context"] = str(COMPOSE_FILE.parent / witness["build"]["context"])
    text = yaml.safe_dump(compose, sort_keys=False)
    folder = Path.home() / ".cache" / "afagent" / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "compose.yaml"
    file.write_text(text)
    return file
