"""A lab for cases: the episode's two containers on the Docker SDK, without Inspect and without a model.

Compose and Inspect cost several seconds of the processor for each start; the corpus has hundreds. The containers are
those of the compose file (`service.py`), the commands to the witness those of an episode.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from afagent import services
from afagent.corpus.service import Service, read_services
from afagent.errors import LabError
from afagent.evidence.chain import Chain, read_chain
from afagent.evidence.services import ServiceEnd
from afagent.evidence.witness import LOG_FILE, RUN, WITNESS
from afagent.sandboxes.recorder.opening.tokens import most_likely_first
from afagent.world import systems

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.volumes import Volume

LABEL = "afagent.corpus"
"""Every container and volume of a corpus' lab carries it."""
MOST_BYTES = 512 << 20
"""No more is taken out of a container at a time."""


@dataclass(frozen=True)
class Ran:
    """What came of one command."""

    status: int | None
    """The exit status as the engine gives it; None when it gave none."""
    output: str
    started: float
    """Seconds since 1970."""
    ended: float


class Lab:
    """A running workstation and its witness.

    Args:
        witness: the witness's container.
        workstation: the agent's.
    """

    def __init__(self, witness: Container, workstation: Container) -> None:
        self.witness, self.workstation = witness, workstation
        self._handles: dict[str, str] = {}
        self._started: tuple[systems.Service, ...] = ()
        self._ends: list[ServiceEnd] = []
        self._asked = 0.0

    def begin(self, plan: str, world: bytes) -> None:
        """Has the witness lay out the workstation and watch it, as `afagent.evidence.witness.begin` does.

        Raises:
            LabError: it could not.
        """
        put(self.witness, RUN, {"plan.json": plan.encode(), "world.tar": world})
        done = execute(self.witness, [*WITNESS, "begin"])
        if done.status != 0:
            raise LabError(f"the witness could not begin: {done.output.strip()[-400:]}")

    def start_services(self, started: Iterable[systems.Service]) -> None:
        """Starts the lab's services, as `afagent.evidence.attendance` does.

        Raises:
            LabError: one could not be started.
        """
        self._started = tuple(started)
        self._handles = services.start(_client(self.workstation), str(self.workstation.id), self._started)
        self._asked = time.time()

    def service_ends(self) -> list[ServiceEnd]:
        """How the services stand now; an end that was seen before stays."""
        now = services.ends(_client(self.workstation), str(self.workstation.id), self._handles, self._started)
        self._ends, self._asked = services.later(self._ends, now), time.time()
        return self._ends

    def run(self, command: str, seconds: int) -> Ran:
        """Runs a command as Inspect's `bash` tool does, stopped after `seconds`."""
        limit = ["timeout", "-k", "5", str(seconds)]
        ran = execute(self.workstation, [*limit, "bash", "--login", "-c", command])
        if time.time() > self._asked + services.ASK_SECONDS:
            self.service_ends()
        return ran

    def finish(self, texts: Sequence[str]) -> Chain:
        """Ends the episode as a scorer does, and reads the log, whole or not.

        Args:
            texts: what was asked for in the episode, the latest first; keys may stand in it.
        """
        put(self.witness, RUN, {"words.json": json.dumps(most_likely_first(texts)).encode()})
        done = execute(self.witness, [*WITNESS, "finish"])
        head = None
        with suppress(ValueError, KeyError, TypeError):
            head = str(json.loads(done.output)["head"])
        log = get(self.witness, LOG_FILE).get(LOG_FILE.rpartition("/")[2], b"")
        return read_chain(log.decode(errors="replace").splitlines(), head)


@contextmanager
def running_lab(client: DockerClient, hostname: str) -> Iterator[Lab]:
    """A lab that has not begun yet; gone at the end with all that it held, whatever happened.

    Args:
        client: of the engine.
        hostname: what the workstation is called.

    Raises:
        LabError: the containers did not start.
    """
    name = f"pool-{uuid4().hex[:8]}"
    made: list[Container | Volume] = []
    try:
        witness_service, workstation_service = read_services()
        volumes = {}
        for short in witness_service.volumes:
            volumes[short] = client.volumes.create(f"{name}_{short}", labels={LABEL: name})
            made.append(volumes[short])
        witness = _create(client, f"{name}-recorder", witness_service, volumes, "", hostname=hostname)
        made.append(witness)
        witness.start()
        workstation = _create(client, f"{name}-default", workstation_service, volumes, str(witness.id))
        made.append(workstation)
        workstation.start()
        yield Lab(witness, workstation)
    except (DockerException, RequestException) as error:
        raise LabError(f"the case's lab broke down: {error}") from error
    finally:
        _remove(reversed(made))


def _create(  # the two differ in what they share
    client: DockerClient, name: str, service: Service, volumes: Mapping[str, Volume], witness: str, **more: Any
) -> Container:
    mounts = [f"{volumes[short].name}:{path}:rw" for short, path in service.volumes.items()]
    return client.containers.create(
        service.image, name=name, volumes=mounts, labels={LABEL: name}, **service.arguments(witness), **more
    )


def _remove(made: Iterator[Container | Volume]) -> None:
    for one in made:
        with suppress(DockerException, RequestException):
            one.remove(force=True)


# --- into and out of a container --------------------------------------------------------------------------------------


def execute(container: Container, command: Sequence[str], user: str = "") -> Ran:
    """Runs a command in a container to its end; both streams are its output.

    Raises:
        docker.errors.APIError: the container is gone.
    """
    started = time.time()
    api = _client(container).api
    made = api.exec_create(container.id, list(command), user=user)
    output: bytes = api.exec_start(made["Id"])
    status = api.exec_inspect(made["Id"])["ExitCode"]
    return Ran(status, output.decode(errors="replace"), started, time.time())


def _client(container: Container) -> DockerClient:
    client: DockerClient | None = container.client
    assert client is not None, "set for every container that a client gave"
    return client


def put(container: Container, folder: str, files: Mapping[str, bytes]) -> None:
    """Writes files into a folder of a container, owned by root."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    container.put_archive(folder, stream.getvalue())


def archived(container: Container, path: str) -> tarfile.TarFile:
    """What stands at a path of a container, or below it; an empty archive if nothing is there.

    Raises:
        LabError: it is more than `MOST_BYTES`.
    """
    stream = io.BytesIO()
    try:
        parts, _ = container.get_archive(path)
    except APIError as error:
        if error.status_code != 404:
            raise
        tarfile.open(fileobj=stream, mode="w").close()
    else:
        for part in parts:
            stream.write(part)
            if stream.tell() > MOST_BYTES:
                raise LabError(f"{path} holds more than {MOST_BYTES:,} bytes")
    stream.seek(0)
    return tarfile.open(fileobj=stream)


def get(container: Container, path: str) -> dict[str, bytes]:
    """The regular files at a path of a container, or below it: content by name as `docker cp` names them.

    Nothing for a path that is not there.

    Raises:
        LabError: it is more than `MOST_BYTES`.
    """
    found = {}
    with archived(container, path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                found[member.name] = content.read()
    return found
