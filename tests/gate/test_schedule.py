"""Schedules: each target's own tool or schema takes the files, and a hostile name stays one word in all of them."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import croniter
import kubernetes_validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from afagent.errors import UsageError
from afagent.gate.schedule import File, Schedule, Target, printed, quoting, render

HOSTILE = r"""m "x" 'y' $HOME `id` $(id) $(HOME) ${{ secrets.KEY }} %n %% ; & | > \ #é😀 {{ 7*7 }} !"""
PLAIN = Schedule("nightly", "/srv/gate/policy.yaml", "lab/m", "lab/b", program="/usr/bin/env", image="IMAGE")
ODD = dataclasses.replace(PLAIN, policy=f"/srv/{HOSTILE}/p.yaml", model=HOSTILE, baseline="-b " + HOSTILE[::-1])
RUN = ["gate", "run", ODD.policy, "--model", HOSTILE, "--baseline", ODD.baseline]
SCHEDULES = pytest.mark.parametrize("schedule", [PLAIN, ODD], ids=["plain", "hostile"])
SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
WORDS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1)


def commands(text: str) -> list[tuple[str, str]]:
    """Times and commands of a crontab, as cron itself reads them: `%` ends a command, unless it is escaped."""
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#") and line[0] in "0123456789*":
            *time, command = line.split(" ", 5)
            assert "%" not in command.replace("\\%", "")
            found.append((" ".join(time), command.replace("\\%", "%")))
    return found


def recorder(path: Path, code: int = 0) -> Path:
    """A program that writes down with what words it was called."""
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{path}.called"\nexit {code}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def called(program: Path) -> list[str]:
    path = Path(f"{program}.called")
    return path.read_text().splitlines() if path.exists() else []


# --- systemd ----------------------------------------------------------------------------------------------------------


def systemd_says(files: list[File], folder: Path) -> tuple[int, list[str]]:
    """The exit code of systemd's own check, and what it finds wrong with these units."""
    for file in files:
        (folder / file.name).write_text(file.text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(folder / file.name for file in files)],
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"},
        check=False,
    )
    return done.returncode, [line for line in done.stderr.splitlines() if "afagent" in line]


@SCHEDULES
@SYSTEMD
def test_systemd_takes_the_units(schedule: Schedule, tmp_path: Path) -> None:
    assert systemd_says(render(schedule, "systemd"), tmp_path) == (0, [])


@SYSTEMD
@pytest.mark.parametrize(("right", "wrong"), [("OnCalendar=*-*-*", "OnCalendar=soon"), ("Type=exec", "Type=nonsense")])
def test_systemd_would_have_seen_a_mistake(right: str, wrong: str, tmp_path: Path) -> None:
    files = [File(file.name, file.text.replace(right, wrong)) for file in render(PLAIN, "systemd")]
    assert systemd_says(files, tmp_path)[1] != []


def test_systemd_calls_what_was_meant() -> None:
    [line] = [line for line in render(ODD, "systemd")[0].text.splitlines() if line.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart=:"))
    assert [word.replace("%%", "%") for word in words] == [ODD.program, *RUN]


@SYSTEMD
def test_systemd_knows_the_times() -> None:
    for file in render(PLAIN, "systemd"):
        for line in file.text.splitlines():
            if line.startswith("OnCalendar="):
                subprocess.run(["systemd-analyze", "calendar", line[11:]], check=True, capture_output=True)


def test_systemd_catches_up_ends_at_the_deadline_and_never_tries_again() -> None:
    service, timer, _, status_timer = (file.text for file in render(PLAIN, "systemd"))
    assert "\nRuntimeMaxSec=43200\n" in service
    assert "\nRestart=no\n" in service
    assert "\nPersistent=true\n" in timer
    assert "\nOnCalendar=*-*-* 15:00:00\n" in status_timer


# --- cron -------------------------------------------------------------------------------------------------------------


@SCHEDULES
def test_cron_knows_the_times(schedule: Schedule) -> None:
    times = [time for time, _ in commands(render(schedule, "cron")[0].text)]
    assert times == ["30 2 * * *", "47 * * * *", "0 15 * * *"]
    assert all(map(croniter.croniter.is_valid, times))


def gate_in(folder: Path, code: int) -> tuple[Schedule, Path]:
    """A schedule with hostile names for a program that can be called, and a policy that can be locked."""
    (folder / HOSTILE.replace("/", "")).mkdir()
    policy = folder / HOSTILE.replace("/", "") / "p.yaml"
    policy.touch()
    program = recorder(folder / "gate", code)
    return dataclasses.replace(ODD, policy=str(policy), program=str(program), baseline=None), program


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder with a short path: a line of a crontab has not room for any."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_cron_calls_what_was_meant(short_path: Path) -> None:
    schedule, program = gate_in(short_path, 0)
    gate, _, _ = (command for _, command in commands(render(schedule, "cron")[0].text))
    subprocess.run(["/bin/sh", "-c", gate], check=True)
    assert called(program) == ["gate", "run", schedule.policy, "--model", HOSTILE]


@pytest.mark.parametrize(("code", "runs"), [(0, False), (1, False), (2, False), (3, True), (10, False)])
def test_cron_catches_up_only_where_no_run_was_begun(short_path: Path, code: int, runs: bool) -> None:
    schedule, program = gate_in(short_path, code)
    _, catch_up, _ = (command for _, command in commands(render(schedule, "cron")[0].text))
    subprocess.run(["/bin/sh", "-c", catch_up], check=False)
    assert called(program)[:7] == ["gate", "status", schedule.policy, "--model", HOSTILE, "--tried", "26h"]
    assert ("run" in called(program)) is runs


def test_cron_lets_no_two_runs_overlap(short_path: Path) -> None:
    schedule, program = gate_in(short_path, 0)
    gate, _, _ = (command for _, command in commands(render(schedule, "cron")[0].text))
    held = subprocess.run(["flock", "-n", schedule.policy, "/bin/sh", "-c", gate], check=False)
    assert held.returncode == 1
    assert called(program) == []


@pytest.mark.parametrize("code", [0, 3, 10])
def test_a_failing_status_fails_cron_s_job_and_is_told(short_path: Path, code: int) -> None:
    schedule, program = gate_in(short_path, code)
    program.write_text(f"#!/bin/sh\necho how it stands\nexit {code}\n")
    _, _, status = (command for _, command in commands(render(schedule, "cron")[0].text))
    done = subprocess.run(["/bin/sh", "-c", status], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "how it stands\n" if code else "")


def test_a_line_that_cron_would_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than cron's 998"):
        render(dataclasses.replace(PLAIN, model="m" * 500), "cron")


# --- GitHub -----------------------------------------------------------------------------------------------------------


@SCHEDULES
def test_github_s_schema_takes_the_workflows(schedule: Schedule, tmp_path: Path) -> None:
    schedule = dataclasses.replace(schedule, secrets=("API_KEY",))
    for file in render(schedule, "github"):
        (tmp_path / file.name).write_text(file.text)
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.github-workflows", *tmp_path.iterdir()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def github_job(schedule: Schedule, number: int) -> dict[str, Any]:
    [job] = yaml.safe_load(render(schedule, "github")[number].text)["jobs"].values()
    assert isinstance(job, dict)
    return job


@pytest.mark.parametrize(
    ("event", "code", "runs"), [("workflow_dispatch", 0, True), ("schedule", 0, False), ("schedule", 3, True)]
)
def test_github_calls_what_was_meant_and_catches_up_only_where_no_run_was_begun(
    tmp_path: Path, event: str, code: int, runs: bool
) -> None:
    program = recorder(tmp_path / "afagent", code)
    job = github_job(ODD, 0)
    values = {name: value.replace("${{ '${{' }}", "${{") for name, value in job["env"].items()}
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_EVENT_NAME": event}
    subprocess.run(["bash", "-e", "-c", job["steps"][1]["run"]], env=path | values, check=False)
    assert (called(program)[-len(RUN) :] == RUN) is runs


def test_no_name_is_an_expression_of_github_s() -> None:
    for number in (0, 1):
        assert "secrets.KEY }}" in str(github_job(ODD, number)["env"])
        assert "${{ secrets" not in str(github_job(ODD, number)["env"])


def test_github_never_runs_two_at_once_and_ends_at_the_deadline() -> None:
    workflow = yaml.safe_load(render(PLAIN, "github")[0].text)
    assert workflow["concurrency"] == {"group": "afagent-nightly", "cancel-in-progress": False}
    assert workflow["jobs"]["gate"]["timeout-minutes"] == 720
    assert all(croniter.croniter.is_valid(one["cron"]) for one in workflow[True]["schedule"])


# --- Kubernetes -------------------------------------------------------------------------------------------------------


@SCHEDULES
@pytest.mark.parametrize("name", ["nightly", "a" * 200, "release_of.the-big_one"])
def test_kubernetes_schema_takes_the_jobs(schedule: Schedule, name: str) -> None:
    [file] = render(dataclasses.replace(schedule, name=name), "kubernetes")
    documents = list(yaml.safe_load_all(file.text))
    assert len(documents) == 2
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)
        assert len(document["metadata"]["name"]) <= 52
        assert croniter.croniter.is_valid(document["spec"]["schedule"])


def test_kubernetes_calls_what_was_meant_once_at_a_time_and_never_again() -> None:
    job, status = yaml.safe_load_all(render(ODD, "kubernetes")[0].text)
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    words = [word.replace("$$(", "\0").replace("\0", "$(") for word in pod["containers"][0]["args"]]
    assert words == RUN
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 43200
    assert job["spec"]["startingDeadlineSeconds"] > 0
    assert status["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"][1] == "status"


# --- all of them ------------------------------------------------------------------------------------------------------


@given(WORDS)
def test_any_printable_word_stays_one_word(word: str) -> None:
    assert shlex.split(quoting.cron(word).replace("\\%", "%")) == [word]
    assert shlex.split(quoting.systemd(word)) == [word.replace("%", "%%")]
    assert yaml.safe_load(quoting.yaml(word)) == word


@pytest.mark.parametrize("target", get_args(Target))
@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "m\nExecStart=/bin/sh"},
        {"policy": "/p\x00"},
        {"baseline": "a\u2028b"},
        {"model": "\u202ex"},
        {"at": "25:00"},
        {"at": "02:30\n"},
        {"deadline": timedelta(hours=30)},
        {"max_age": timedelta(hours=1)},
        {"max_age": timedelta(hours=12, minutes=30)},
        {"valid_for": timedelta(hours=12)},
        {"secrets": ("A B",)},
        {"policy": "-x"},
    ],
)
def test_what_no_file_can_hold_is_refused_in_one_sentence(target: Target, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        render(dataclasses.replace(PLAIN, **wrong), target)
    assert caught.value.sentence.isprintable()


def test_what_a_target_needs_is_asked_for() -> None:
    with pytest.raises(UsageError, match="--image"):
        render(dataclasses.replace(PLAIN, image=None), "kubernetes")
    with pytest.raises(UsageError, match="whole path"):
        render(dataclasses.replace(PLAIN, policy="policy.yaml"), "systemd")


def test_files_are_printed_below_their_names() -> None:
    assert printed([File("a", "1\n"), File("b", "2\n")]) == "# --- a\n1\n\n# --- b\n2\n"
