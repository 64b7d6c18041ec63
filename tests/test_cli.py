"""`afagent ...`: how commands end."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from docker.errors import APIError
from inspect_ai._util.error import PrerequisiteError

import afagent
from afagent import cli
from afagent.errors import LabError, UsageError


def ends(error: BaseException) -> tuple[int, str, str]:
    """How a command ends that raises this error: exit code, standard output, standard error."""

    @click.group(cls=cli.Commands)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (LabError("the recorder is [gone]"), 1, "afagent: the recorder is [gone]\n"),
        (UsageError("no such arm\n  known are a, b"), 2, "afagent: no such arm known are a, b\n"),
        (PrerequisiteError("[bold]ERROR[/bold]: no model"), 1, "afagent: ERROR: no model\n"),
        (APIError("no space left"), 1, "afagent: the Docker engine failed: no space left\n"),
        (ConnectionError("cut"), 1, ""),
        (KeyboardInterrupt(), 130, "afagent: interrupted\n"),
    ],
)
def test_an_error_that_is_expected_ends_in_one_line_and_its_exit_code(
    error: BaseException, exit_code: int, said: str
) -> None:
    assert ends(error) == (exit_code, "", said)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as a person runs it."""
    return subprocess.run(
        [Path(sys.executable).with_name("afagent"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=120,
    )


def test_the_version_is_the_packages() -> None:
    assert run("--version").stdout == f"afagent, version {afagent.__version__}\n"


@pytest.mark.parametrize("name", sorted(cli.afagent.commands))
def test_every_command_has_help_that_begins_with_what_it_does(name: str) -> None:
    result = CliRunner().invoke(cli.afagent, [name, "--help"])
    assert result.exit_code == 0
    assert cli.afagent.commands[name].get_short_help_str()


def test_a_command_that_does_not_exist_is_wrong_usage() -> None:
    done = run("diagnose")
    assert done.returncode == 2
    assert "No such command 'diagnose'" in done.stderr


def test_without_an_engine_the_doctor_says_so_and_does_not_exit_0(tmp_path: Path) -> None:
    done = run("doctor", DOCKER_HOST=f"unix://{tmp_path}/absent.sock")
    assert done.returncode == 1
    assert f"no Docker engine answers at unix://{tmp_path}/absent.sock" in done.stdout
    assert done.stderr == ""


def test_without_an_engine_nothing_is_built(tmp_path: Path) -> None:
    done = run("build", DOCKER_HOST=f"unix://{tmp_path}/absent.sock")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("afagent: no Docker engine answers")
    assert done.stderr.count("\n") == 1
