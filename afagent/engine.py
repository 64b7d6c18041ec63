"""The Docker engine of this machine, and Compose: the one place that asks about them.

Every question has a time limit, since an engine can hang as well as be absent. What is asked for the lab itself (start,
run, stop) goes through Inspect's Docker provider, not through here.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.context import ContextAPI
from docker.errors import DockerException
from packaging.version import InvalidVersion, Version

from afagent.errors import LabError

ENGINE_FLOOR = "24.0.6"
"""The oldest engine that Inspect works with."""
COMPOSE_FLOOR = "2.24"
"""The oldest Compose: Inspect's own floor is 2.21, read-only binds need this."""
ANSWER_WITHIN = 10
"""Seconds that an engine or Compose may take for one answer."""


@dataclass(frozen=True)
class Engine:
    """What an engine that answers said of itself."""

    version: str
    """As the engine gives it, such as `26.1.5+dfsg1`."""
    images: frozenset[str]
    """The names of its images with their tags, such as `debian:bookworm-slim`."""
    memory: int
    """Bytes of memory of the machine that it runs on."""
    disk_free: int | None
    """Bytes free where it keeps images and volumes; None if that place is on another machine or out of reach."""


def connect(*, timeout: int = ANSWER_WITHIN) -> docker.DockerClient:
    """A client for the engine that the `docker` command would use: `DOCKER_HOST`, else the current context.

    Args:
        timeout: seconds for each later answer as well as for the first.

    Raises:
        LabError: no engine answers.
    """
    named = os.environ.get("DOCKER_HOST")
    context = None if named else ContextAPI.get_current_context()
    address = named or (context and context.Host) or "unix:///var/run/docker.sock"
    try:
        _knock(address, timeout)
        if context is None or context.name == "default":
            return docker.from_env(timeout=timeout)
        tls = context.TLSConfig or False
        return docker.DockerClient(base_url=address, tls=tls, timeout=timeout, version="auto")
    except (DockerException, OSError) as error:
        raise LabError(f"no Docker engine answers at {address}: {reason(error)}") from error


def look(*, timeout: int = ANSWER_WITHIN) -> Engine:
    """Asks the engine what it is and has.

    Raises:
        LabError: no engine answers, or it stops answering half way.
    """
    client = connect(timeout=timeout)
    try:
        info: dict[str, Any] = client.info()
        tags = [tag for image in client.api.images() for tag in image.get("RepoTags") or ()]
    except (DockerException, OSError) as error:
        raise LabError(f"the Docker engine stopped answering: {reason(error)}") from error
    finally:
        client.close()
    root = Path(info["DockerRootDir"]) if _is_local(client.api.base_url) else None
    return Engine(
        version=str(info["ServerVersion"]),
        images=frozenset(tags),
        memory=int(info["MemTotal"]),
        disk_free=_disk_free(root),
    )


def compose_version(*, timeout: int = ANSWER_WITHIN) -> str:
    """The version of the Compose that `docker compose` runs.

    Raises:
        LabError: there is no `docker` command or it has no Compose, or it does not answer.
    """
    return compose("version", "--short", timeout=timeout).strip()


def lab_images(compose_file: Path, *, timeout: int = ANSWER_WITHIN) -> tuple[str, ...]:
    """The names, with tags, of the images that the lab's services run.

    Raises:
        LabError: Compose is not there or cannot read the file.
    """
    names = compose("--file", str(compose_file), "config", "--images", timeout=timeout).split()
    return tuple(sorted(with_tag(name) for name in set(names)))


def compose(*arguments: str, timeout: int = ANSWER_WITHIN) -> str:
    """What `docker compose` with these arguments prints.

    Raises:
        LabError: there is no `docker` command or it has no Compose, or it fails or does not answer.
    """
    try:
        done = subprocess.run(
            ["docker", "compose", *arguments],
            capture_output=True, text=True, timeout=timeout, check=True, env=environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LabError("there is no docker command on the PATH") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"docker compose did not answer within {timeout} s") from error
    except (subprocess.CalledProcessError, OSError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise LabError(f"docker compose does not work: {_first_line(said)}") from error
    return done.stdout


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for Compose: without what Inspect sets for a single sample, such as the image it swaps."""
    return {name: value for name, value in variables.items() if not name.startswith("SAMPLE_METADATA_")}


def image_digest(client: docker.DockerClient, image: str) -> str:
    """What an image is, as SHA-256: its layers and what it runs by default.

    Its id is no such thing: Compose writes the project's name into a label, so that each run has another.

    Args:
        client: of the engine.
        image: its name or id.

    Raises:
        LabError: the engine does not say.
    """
    try:
        said = client.images.get(image).attrs
        config = {key: value for key, value in said["Config"].items() if key not in ("Image", "Labels")}
        content = json.dumps({"config": config, "layers": said["RootFS"]["Layers"]}, sort_keys=True)
    except (DockerException, OSError, KeyError) as error:
        raise LabError(f"the engine does not say what the image {image} is: {reason(error)}") from error
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def with_tag(name: str) -> str:
    """An image's name with its tag: `latest` if it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def at_least(version: str, floor: str) -> bool:
    """Whether a version is the floor or newer. A version that cannot be read is not.

    Distributions write things after the number, such as `26.1.5+dfsg1` and `2.26.1-4`: they do not count.
    """
    number = version.strip().removeprefix("v").partition("+")[0].partition("-")[0].partition("~")[0]
    try:
        return Version(number) >= Version(floor)
    except InvalidVersion:
        return False


def reason(error: BaseException) -> str:
    """The innermost reason of an error that libraries have wrapped several times, in one line."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _first_line(said) or type(error).__name__


def _knock(address: str, timeout: int) -> None:
    """Connects once to a Unix socket, since docker-py leaves open what it could not connect.

    Raises:
        OSError: nobody listens there, or this user may not connect.
    """
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(timeout)
            probe.connect(address.removeprefix("unix://"))


def _is_local(base_url: str) -> bool:
    """Whether the engine is this machine's: only then do its paths mean anything here."""
    return base_url.startswith("http+docker://localhost")  # how docker-py writes a Unix socket


def _disk_free(root: Path | None) -> int | None:
    try:
        return shutil.disk_usage(root).free if root is not None else None
    except OSError:  # an engine in a virtual machine: its root is not a path of this one
        return None


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:300]
