"""Makes the files of a schedule from its templates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from afagent.errors import UsageError
from afagent.gate.schedule import quoting
from afagent.gate.schedule.quoting import Plain, checked

Target = Literal["systemd", "cron", "github", "kubernetes"]
_QUOTES: dict[Target, quoting.Quote] = {
    "systemd": quoting.systemd,
    "cron": quoting.cron,
    "github": quoting.github,
    "kubernetes": quoting.kubernetes,
}
_FILES: dict[Target, tuple[tuple[str, str], ...]] = {
    "systemd": (
        ("run.service", "{name}.service"),
        ("run.timer", "{name}.timer"),
        ("status.service", "{name}-status.service"),
        ("status.timer", "{name}-status.timer"),
    ),
    "cron": (("crontab", "{name}.crontab"),),
    "github": (("run.yml", "{name}.yml"), ("status.yml", "{name}-status.yml")),
    "kubernetes": (("cronjobs.yaml", "{name}.yaml"),),
}
_WHOLE: dict[Target, tuple[str, ...]] = {
    "systemd": ("policy", "program"),
    "cron": ("policy", "program"),
    "github": (),
    "kubernetes": ("policy",),
}
"""Which paths must be absolute."""
_MOST_LINE = 998
"""Of a command, in Debian's cron; what is longer is not run."""
_MOST_NAME = 36
"""Of 52 that Kubernetes lets a CronJob have; the rest is for what is put behind it."""


@dataclass(frozen=True)
class Schedule:
    """What is run, and when."""

    name: str
    """The policy's."""
    policy: str
    """Its file, as the scheduler's machine knows it; absolute, but for GitHub, which works in the checkout."""
    model: str
    baseline: str | None = None
    at: str = "02:30"
    """Daily, hours and minutes: of the machine's time with systemd and cron, else UTC."""
    deadline: timedelta = timedelta(hours=12)
    """So long a run may take."""
    max_age: timedelta = timedelta(hours=48)
    """The status fails when the evidence is older."""
    valid_for: timedelta = timedelta(days=7)
    """The policy's: so long a verdict holds."""
    program: str = "afagent"
    """The command; absolute for systemd and cron, whose PATH is short."""
    image: str | None = None
    """Kubernetes: the image that has afagent and reaches a Docker engine."""
    claim: str = "afagent"
    """Kubernetes: the volume claim that has the policy and keeps logs, verdicts and ledger."""
    secrets: tuple[str, ...] = ()
    """GitHub: the secrets that the run gets, by name."""
    runner: str = "self-hosted"
    """GitHub: the label of a machine that has Docker and keeps logs, verdicts and ledger."""


ASKED_AFTER = timedelta(minutes=30)
"""The status is asked so long after the deadline."""


@dataclass(frozen=True)
class File:
    """One file of a schedule."""

    name: str
    text: str


def render(schedule: Schedule, target: Target) -> list[File]:
    """The files that set a schedule up.

    Args:
        schedule: what is run, and when.
        target: for what.

    Raises:
        UsageError: something cannot be written in such a file, or is missing.
    """
    if target not in get_args(Target):
        raise UsageError(f"unknown scheduler {target!r}; known are {', '.join(get_args(Target))}")
    _check(schedule, target)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # nothing here is HTML; `finalize` quotes whatever is printed, as the format needs
        finalize=_quoted(_QUOTES[target]),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    values = _values(schedule)
    name = str(values["name"])
    files = [
        File(file.format(name=name), templates.get_template(f"{target}.{template}.j2").render(values))
        for template, file in _FILES[target]
    ]
    if target == "cron" and max(map(len, files[0].text.splitlines())) > _MOST_LINE:
        raise UsageError(
            f"a line of the crontab would be longer than cron's {_MOST_LINE} characters: use shorter names"
        )
    return files


def printed(files: list[File]) -> str:
    """All of them for a terminal or a pipe, each below a comment with its name."""
    return "\n".join(f"# --- {file.name}\n{file.text}" for file in files)


def _plain(text: object) -> Plain:
    """For templates: this is made of words that are quoted already, or of none."""
    return Plain(str(text).strip("\n"))


def _quoted(quote: quoting.Quote) -> Callable[[object], object]:
    def finalize(value: object) -> object:
        return value if isinstance(value, Plain) else quote(str(value))

    return finalize


def _check(schedule: Schedule, target: Target) -> None:
    for what in ("policy", "model", "baseline", "program", "image", "claim", "runner"):
        checked(f"the {what}", getattr(schedule, what) or "")
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", schedule.at):
        raise UsageError(f"a time of day is hours and minutes such as 02:30, got {schedule.at!r}")
    if schedule.deadline >= timedelta(hours=24) or schedule.deadline < timedelta(minutes=1):
        raise UsageError("the deadline of a daily run must be from a minute to less than a day")
    for what, length in (("--max-age", schedule.max_age), ("the policy's valid_for", schedule.valid_for)):
        if length <= schedule.deadline + ASKED_AFTER:
            raise UsageError(f"the status, asked when a run can be at its end, would always fail: {what} is too short")
    wrong = [name for name in schedule.secrets if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)]
    if wrong:
        raise UsageError(f"{wrong[0]!r} is no name of a secret: letters, digits and _")
    for what, path in {"policy": schedule.policy, "program": schedule.program}.items():
        if what in _WHOLE[target] and not path.startswith("/"):
            raise UsageError(f"{target} needs the {what}'s whole path, got {path!r}")
        if path.startswith("-"):
            raise UsageError(f"the {what} {path!r} would be read as an option")
    if target == "kubernetes" and not schedule.image:
        raise UsageError(
            "Kubernetes needs an image that has afagent and reaches a Docker engine: say which with --image"
        )


def _values(schedule: Schedule) -> dict[str, object]:
    """What templates may print; all but `Plain` is quoted."""
    hour, minute = (int(part) for part in schedule.at.split(":"))
    common = ["--model", schedule.model]
    compared = [] if schedule.baseline is None else ["--baseline", schedule.baseline]
    max_age, deadline = f"{_minutes(schedule.max_age)}m", f"{_minutes(schedule.deadline)}m"
    check_hour, check_minute = divmod((hour * 60 + minute + _minutes(schedule.deadline + ASKED_AFTER)) % (24 * 60), 60)
    return {
        "name": Plain(_name(schedule.name)),
        "plain": _plain,
        "policy": schedule.policy,
        "folder": str(PurePosixPath(schedule.policy).parent),
        "program": schedule.program,
        "run": ["gate", "run", schedule.policy, *common, *compared],
        "status": ["gate", "status", schedule.policy, *common, "--max-age", max_age, "--deadline", deadline],
        "tried": ["gate", "status", schedule.policy, *common, "--tried", "26h"],
        "hour": Plain(str(hour)),
        "minute": Plain(str(minute)),
        "at": Plain(schedule.at),
        "later_hours": Plain(",".join(str((hour + later) % 24) for later in (3, 6, 9))),
        "catch_up_minute": Plain(str((minute + 17) % 60)),
        "check_hour": Plain(str(check_hour)),
        "check_minute": Plain(str(check_minute)),
        "check_at": Plain(f"{check_hour:02}:{check_minute:02}"),
        "deadline_minutes": Plain(str(_minutes(schedule.deadline))),
        "deadline_seconds": Plain(str(_minutes(schedule.deadline) * 60)),
        "image": schedule.image or "",
        "claim": schedule.claim,
        "runner": schedule.runner,
        "secrets": [Plain(name) for name in schedule.secrets],
        "model": schedule.model,
        "baseline": schedule.baseline,
        "max_age": max_age,
        "deadline": deadline,
    }


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def _name(policy: str) -> str:
    """Fit for a unit, a workflow and a CronJob; a long one is cut and told apart by its hash."""
    name = re.sub(r"[^a-z0-9]+", "-", policy).strip("-")
    if len(name) > _MOST_NAME or name != policy:
        name = f"{name[: _MOST_NAME - 9].strip('-')}-{hashlib.sha256(policy.encode()).hexdigest()[:8]}"
    return f"afagent-{name}"[: _MOST_NAME + 8]
