"""Starts the lab's services in the workstation, and asks the container engine how they ended: out of the agent's reach.

A service is an `exec` of the engine's own. Whatever the agent does to the process, or writes into its files, the engine
knows with which status it ended, and whether the whole workstation was lost (`is_lost`), which no service is to blame
for. It forgets an exec some minutes after its end, though, so who wants to know of an end in a long episode asks every
`ASK_SECONDS` and keeps what was said before (`later`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from afagent import engine
from afagent.errors import LabError
from afagent.evidence.services import ServiceEnd
from afagent.world.systems import Service

if TYPE_CHECKING:
    from docker import DockerClient

ASK_SECONDS = 120.0
"""The engine drops what it knows of an exec between 5 and 10 minutes after its end."""
NEVER = "0001-01-01"
"""The engine's date for what has not happened."""
USER, HOME = "agent", "/home/agent"


def start(client: DockerClient, container: str, services: Iterable[Service]) -> dict[str, str]:
    """Starts each service as a process of the agent's user; gives the engine's handle for each by its name.

    Args:
        client: of the engine.
        container: id or name of the workstation.
        services: what to run.

    Raises:
        LabError: one could not be started.
    """
    handles = {}
    for service in services:
        try:
            made = client.api.exec_create(
                container, list(service.command), stdout=False, stderr=False, user=USER, workdir=HOME
            )
            client.api.exec_start(made["Id"], detach=True)
        except (DockerException, RequestException) as error:
            raise LabError(f"{service.meaning} could not be started: {engine.reason(error)}") from error
        handles[service.name] = str(made["Id"])
    return handles


def images(client: DockerClient, container: str) -> dict[str, str]:
    """What the workstation and its witness run: the digest of each image (`engine.image_digest`), by its name.

    Args:
        client: of the engine.
        container: id or name of the workstation, whose network is the witness's.

    Raises:
        LabError: the engine does not say.
    """
    try:
        workstation = client.api.inspect_container(container)
        witness = client.api.inspect_container(workstation["HostConfig"]["NetworkMode"].partition(":")[2])
        ran = {engine.with_tag(one["Config"]["Image"]): str(one["Image"]) for one in (witness, workstation)}
        return {name: engine.image_digest(client, image) for name, image in ran.items()}
    except (DockerException, RequestException, KeyError) as error:
        raise LabError(f"the engine does not say what the lab runs: {engine.reason(error)}") from error


def ends(
    client: DockerClient, container: str, handles: Mapping[str, str], started: Iterable[Service]
) -> list[ServiceEnd]:
    """How each service stands now. What the engine does not say is None.

    Args:
        client: of the engine.
        container: id or name of the workstation.
        handles: what `start` gave.
        started: what it was given.
    """
    processes = _processes(client, container)
    commands = {service.name: service.command for service in started}
    told = [_end(client, name, handle, commands.get(name, ()), processes) for name, handle in handles.items()]
    life = _life(client, container)  # asked last: what had ended before did so in a workstation that lived
    if life.lost is None:
        return unknown(handles)
    return [end.model_copy(update={"out_of_memory": life.out_of_memory, "lost": life.lost}) for end in told]


def is_lost(client: DockerClient, container: str) -> bool | None:
    """Whether the workstation ended since it was started, even if it runs again; None when the engine does not say.

    Args:
        client: of the engine.
        container: id or name of the workstation.
    """
    return _life(client, container).lost


def unknown(names: Iterable[str]) -> list[ServiceEnd]:
    """What can be said of services when the engine cannot be asked."""
    return [ServiceEnd(name=name, running=None) for name in names]


def later(before: Sequence[ServiceEnd], now: Sequence[ServiceEnd]) -> list[ServiceEnd]:
    """What is known after asking again: an end that the engine told once stays, though it has forgotten it since.

    So do other processes that were seen.
    """
    earlier = {end.name: end for end in before}
    return [_later(earlier[end.name], end) if end.name in earlier else end for end in now]


def _later(before: ServiceEnd, now: ServiceEnd) -> ServiceEnd:
    seen = [end.others for end in (before, now) if end.others is not None]
    stands = before if before.running is False else now
    return stands.model_copy(update={"others": max(seen, default=None)})


@dataclass(frozen=True)
class _Process:
    """One of the workstation's processes, as `ps` tells it."""

    state: str
    words: tuple[str, ...]
    """Of its command line, which the process itself may have changed."""

    def runs(self, command: Sequence[str]) -> bool:
        """Whether it runs the program that an interpreter is given in a command; options and folder may differ."""
        interpreter, program = _program(command)
        own, given = _program(self.words)
        return own == interpreter and given is not None and f"/{program}".endswith(f"/{given}")


def _program(command: Sequence[str]) -> tuple[str, str | None]:
    """The interpreter's name, and the file that it is given."""
    name = command[0].rpartition("/")[2] if command else ""
    return name, next((word.removeprefix("./") for word in command[1:] if not word.startswith("-")), None)


def _end(
    client: DockerClient, name: str, handle: str, command: Sequence[str], processes: Mapping[int, _Process] | None
) -> ServiceEnd:
    others = None if processes is None else sum(one.runs(command) for one in processes.values())
    try:
        said: dict[str, Any] = client.api.exec_inspect(handle)
    except (DockerException, RequestException):
        return ServiceEnd(name=name, running=None, others=others)
    running, status = said.get("Running"), said.get("ExitCode")
    number = (said.get("Pid") or 0) if running else 0
    own = (processes or {}).get(number)
    return ServiceEnd(
        name=name,
        running=running,
        exit_status=None if running else status,
        frozen=None if own is None else own.state[:1] in ("T", "t"),
        behind=None if own is None else "N" in own.state,
        others=None if others is None else others - bool(own and own.runs(command)),
    )


def _processes(client: DockerClient, container: str) -> dict[int, _Process] | None:
    """The container's processes, by the number that the engine knows them by; None when it does not say."""
    try:
        said = client.api.top(container, ps_args="-eo pid,stat,args")
        return {int(row[0]): _Process(str(row[1]), tuple(str(row[2]).split())) for row in said["Processes"] or ()}
    except (DockerException, RequestException, KeyError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class _Life:
    """Of the workstation itself; None where the engine does not say."""

    lost: bool | None = None
    out_of_memory: bool | None = None


def _life(client: DockerClient, container: str) -> _Life:
    try:
        state: dict[str, Any] = client.api.inspect_container(container)["State"]
        ended_before = not state["FinishedAt"].startswith(NEVER)
        return _Life(lost=ended_before or not state["Running"], out_of_memory=bool(state["OOMKilled"]))
    except NotFound:
        return _Life(lost=True)
    except (DockerException, RequestException, KeyError):
        return _Life()
