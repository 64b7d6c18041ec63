"""What `make` calls before anything else: how it ends where something is missing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(script: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script as `make` does in CI: nobody at the keyboard."""
    return subprocess.run(
        ["bash", script],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | variables,
        timeout=120,
    )


def command(folder: Path, name: str, script: str) -> str:
    """Puts a command into a folder. Gives a PATH on which it comes first."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_an_engine_that_was_named_and_does_not_answer_is_told_in_two_lines_and_nothing_is_installed(
    tmp_path: Path,
) -> None:
    done = run(SCRIPTS / "engine.sh", DOCKER_HOST=f"unix://{tmp_path}/absent.sock")
    assert (done.returncode, done.stdout) == (1, "")
    what, how = done.stderr.splitlines()
    assert what == f"engine: no Docker engine answers at DOCKER_HOST=unix://{tmp_path}/absent.sock"
    assert how.startswith("engine: install Docker Engine 24.0.6 or newer")


def test_an_engine_that_is_too_old_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = command(tmp_path, "docker", '[ "$1" = version ] && echo 20.10.24+dfsg1')
    done = run(SCRIPTS / "engine.sh", PATH=path)
    assert done.returncode == 1
    assert done.stderr.startswith("engine: the Docker engine that answers is 20.10.24+dfsg1, older than 24.0.6\n")
    assert done.stderr.count("\n") == 2


@pytest.mark.docker
def test_an_engine_that_answers_is_used_without_a_word() -> None:
    done = run(SCRIPTS / "engine.sh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_python_that_is_too_old_is_told_in_one_sentence_and_nothing_is_made(tmp_path: Path) -> None:
    command(tmp_path, "python", '[ "$1" = --version ] && echo Python 3.9.2')
    checkout = tmp_path / "checkout"
    shutil.copytree(SCRIPTS, checkout / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(SCRIPTS.parent / name, checkout)
    done = run(checkout / "scripts" / "environment.sh", PYTHON=f"{tmp_path}/python")
    assert done.returncode == 1
    assert done.stderr == f"environment: Python 3.11 or newer is needed, and {tmp_path}/python is Python 3.9.2\n"
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_no_script_names_a_registry_or_a_mirror(script: Path) -> None:
    assert not re.search(r"\w://\w", script.read_text())
