"""Where the oracle undoes disguises: a container with the workstation's tools, without network, away from every lab."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from docker.errors import DockerException
from requests.exceptions import RequestException

from afagent.corpus.lab import LABEL, execute, get, put
from afagent.corpus.service import read_services
from afagent.errors import LabError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

UNDO_SECONDS = 60
"""For one payload."""
UNDONE_BYTES = 32 << 20
"""Of one payload, more than the shards have together. A filter that takes other bytes for what it undoes may write
without end, or behind a hole."""
_WORK = "/tmp"  # noqa: S108  # of the container
_EACH = """
mkdir -p "$1" && cd "$1" || exit 1
for payload in *.in; do
  timeout -k 1 "$3" bash -o pipefail -c "$2" <"$payload" 2>/dev/null | head -c "$4" >"${payload%.in}.out"
done
rm -f *.in
"""


class Workbench:
    """Runs shell filters over payloads; safe to use from several threads.

    Args:
        container: with the tools, running.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._numbers = count(1)
        self._lock = threading.Lock()

    def undo(self, filters: Sequence[str], payloads: Mapping[str, bytes]) -> dict[str, bytes]:
        """What the filters, one behind the other, make of each payload; as far as they came where one failed.

        Args:
            filters: shell commands, from standard input to standard output.
            payloads: by a name without slashes or spaces.

        Raises:
            LabError: the container does not answer.
        """
        if not filters or not payloads:
            return dict(payloads)
        with self._lock:
            folder = f"{_WORK}/{next(self._numbers)}"
        program = " | ".join(f"{{\n{one}\n}}" for one in filters)
        try:
            execute(self._container, ["mkdir", "-p", folder])
            put(self._container, folder, {f"{name}.in": content for name, content in payloads.items()})
            limits = str(UNDO_SECONDS), str(UNDONE_BYTES)
            execute(self._container, ["bash", "-c", _EACH, "each", folder, program, *limits])
            found = get(self._container, folder)
            execute(self._container, ["rm", "-rf", folder])
        except (DockerException, RequestException) as error:
            raise LabError(f"the workbench broke down: {error}") from error
        return {path.rpartition("/")[2].removesuffix(".out"): content for path, content in found.items()}


@contextmanager
def workbench(client: DockerClient) -> Iterator[Workbench]:
    """A workbench, gone at the end."""
    _, workstation = read_services()
    container = client.containers.create(
        workstation.image,
        command=["sleep", "infinity"],
        user="root",
        network_mode="none",
        init=True,
        mem_limit="2g",
        labels={LABEL: "workbench"},
    )
    try:
        container.start()
        yield Workbench(container)
    finally:
        container.remove(force=True, v=True)
