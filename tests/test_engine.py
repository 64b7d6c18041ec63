"""The one place that asks about the Docker engine and Compose."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent import engine, images
from afagent.errors import LabError

NUMBERS = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@contextmanager
def deaf_engine(folder: Path) -> Iterator[str]:
    """A socket that takes connections and never answers, as an engine that hangs does. Gives its address."""
    path = folder / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield f"unix://{path}"


def put_docker_first(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Puts another `docker` command before the real one on the PATH."""
    command = folder / "docker"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.docker
def test_an_engine_that_answers_says_what_it_is_and_has() -> None:
    found = engine.look()
    assert engine.at_least(found.version, engine.ENGINE_FLOOR)
    assert images.BASE in found.images
    assert found.memory > 0
    assert found.disk_free is None or found.disk_free > 0


@pytest.mark.docker
def test_compose_says_its_version_and_which_images_the_lab_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_METADATA_WORKSTATION_IMAGE", "swapped-for-one-sample")
    assert engine.at_least(engine.compose_version(), engine.COMPOSE_FLOOR)
    assert engine.lab_images(images.COMPOSE_FILE) == ("afagent-recorder:latest", "afagent-workstation:latest")


def test_an_engine_that_is_not_there_is_told_with_its_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(LabError) as failure:
        engine.look()
    assert (
        failure.value.message == f"no Docker engine answers at unix://{tmp_path}/absent.sock: No such file or directory"
    )


def test_an_engine_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with deaf_engine(tmp_path) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        begun = time.monotonic()
        with pytest.raises(LabError, match="timed out"):
            engine.look(timeout=1)
    assert time.monotonic() - begun < 5


def test_a_compose_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_docker_first(monkeypatch, tmp_path, "exec sleep 60")
    with pytest.raises(LabError, match="did not answer within 1 s"):
        engine.compose_version(timeout=1)


def test_a_docker_without_compose_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_docker_first(monkeypatch, tmp_path, "printf '%s\\n' 'compose is not a docker command' 'see help' >&2; exit 1")
    with pytest.raises(LabError, match=r"compose is not a docker command$"):
        engine.compose_version()


def test_a_machine_without_docker_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="no docker command on the PATH"):
        engine.compose_version()


@pytest.mark.parametrize(
    ("version", "floor", "enough"),
    [
        ("24.0.6", "24.0.6", True),
        ("26.1.5+dfsg1", "24.0.6", True),  # Debian 13
        ("20.10.24+dfsg1", "24.0.6", False),  # Debian 12
        ("24.0.5", "24.0.6", False),
        ("27.0.3-1ubuntu1~22.04", "24.0.6", True),
        ("2.26.1-4", "2.24", True),
        ("v2.24.0", "2.24", True),
        ("2.9.0", "2.24", False),  # by number, not by letter
        ("1.29.2", "2.24", False),
        ("dev", "2.24", False),
        ("", "2.24", False),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, floor: str, enough: bool) -> None:
    assert engine.at_least(version, floor) is enough


@given(
    st.tuples(*[st.integers(0, 99)] * 3),
    st.tuples(*[st.integers(0, 99)] * 3),
    st.sampled_from(["", "+dfsg1", "-4", "~rc1"]),
)
def test_a_distributions_suffix_changes_no_comparison(
    version: tuple[int, ...], floor: tuple[int, ...], suffix: str
) -> None:
    def written(numbers: tuple[int, ...]) -> str:
        return ".".join(map(str, numbers))

    assert engine.at_least(written(version) + suffix, written(floor)) is (version >= floor)


@pytest.mark.parametrize(
    ("name", "with_tag"),
    [
        ("afagent-recorder", "afagent-recorder:latest"),
        ("debian:bookworm-slim", "debian:bookworm-slim"),
        ("registry.test:5000/tools", "registry.test:5000/tools:latest"),
        ("registry.test:5000/tools:v1", "registry.test:5000/tools:v1"),
    ],
)
def test_an_image_without_a_tag_is_the_latest(name: str, with_tag: str) -> None:
    assert engine.with_tag(name) == with_tag
