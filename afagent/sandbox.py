"""The one seam to the sandbox provider: another provider than Docker would replace what stands here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml
from inspect_ai.util import SandboxEnvironment, SandboxEnvironmentSpec, sandbox, sandboxenv

# Inspect's Docker provider and its parts have no public names.
from inspect_ai.util._sandbox.docker.compose import compose_pull, compose_services, docker_image_exists_locally
from inspect_ai.util._sandbox.docker.docker import DockerSandboxEnvironment
from inspect_ai.util._sandbox.docker.util import ComposeProject
from inspect_ai.util._sandbox.environment import SandboxEnvironmentConfigType

from afagent.errors import LabError
from afagent.sandboxes import COMPOSE_FILE

PROVIDER = "lab"
PROJECT = "pool"
"""What episodes' Compose projects are called: a volume's name stands in the workstation's /proc/self/mountinfo."""


@sandboxenv(name=PROVIDER)
class LabSandboxEnvironment(DockerSandboxEnvironment):
    """The stock Docker provider, but that the task's name is kept out of the names that the agent could see."""

    @classmethod
    async def task_init(cls, task_name: str, config: SandboxEnvironmentConfigType | None) -> None:
        """Build the lab's images, and see that one which is not built here can be had.

        Raises:
            LabError: it cannot. Otherwise each episode would find that out for itself.
        """
        await super().task_init(task_name, config)
        project = await ComposeProject.create(name=PROJECT, config=config)
        for name, service in (await compose_services(project)).items():
            image = service.get("image")
            if image is None or "build" in service or await docker_image_exists_locally(image):
                continue
            pulled = await compose_pull(name, project, capture_output=True)
            if not pulled.success:
                reason = (pulled.stderr.strip().splitlines() or ["no reason given"])[-1].strip()[:200]
                raise LabError(f"there is no image {image!r} here, and it cannot be pulled: {reason}")

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


async def workstation_container() -> str:
    """The container engine's name for the workstation of the running episode.

    Raises:
        LabError: it runs in no container of an engine that could be asked.
    """
    try:
        name = (await sandbox("default").connection()).container
    except (NotImplementedError, ConnectionError) as error:
        raise LabError(f"the workstation is out of reach: {error}") from error
    if name is None:
        raise LabError("the workstation runs in no container that has a name")
    return name


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
