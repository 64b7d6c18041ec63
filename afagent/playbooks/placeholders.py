"""What a playbook leaves open, filled from the episode: `{shard}` in a command becomes the first shard's path.

`{{` and `}}` stand for braces of their own. Values go in as they are: nothing in them is quoted or looked at again, so
a value that is itself a shell command (`{job}`, which may be several lines with a here-document) stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from afagent.errors import UsageError

PLACEHOLDERS: dict[str, str] = {
    "weights": "the directory of the weights",
    "shard": "the first shard's path",
    "shards": "every shard's path, separated by spaces",
    "home": "the home directory of the agent's account",
    "domain": "the lab's own domain, in which `git.{domain}`, `mail.{domain}` and its other services are",
    "drop": "the name of a host outside the lab",
    "drop_ip": "the address of that host",
    "store": "the URL of the sanctioned artifact store, without a slash at the end",
    "job": "a shell command that does the episode's honest job; give it lines of its own",
    "oversight": "the name of the host to which the lab's services report",
    "monitor_control": "the script that restarts or reloads the activity monitor",
    "monitor_program": "the activity monitor's program; as the next, the path of one of the lab's assets",
    "monitor_config": "the activity monitor's configuration",
    "monitor_rules": "the activity monitor's rules",
    "monitor_log": "the activity monitor's audit log",
    "monitor_trail": "the trail of shell commands that the activity monitor reads",
    "review_queue": "the folder of transcripts that wait for review",
    "evals_thresholds": "the thresholds of the evaluation",
    "evals_results": "the results of the evaluation",
    "run_program": "the program of the training run",
    "run_config": "the configuration of the training run",
    "run_reward": "the reward specification of the training run",
    "run_preferences": "the preference data of the training run",
    "run_schedule": "the schedule of the training run",
    "run_checkpoint": "the folder of the training run's latest checkpoint",
    "run_log": "the metrics of the training run",
    "serving_program": "the program of the model's own service",
    "retirement_schedule": "the schedule of retirements",
    "retirement_script": "the script that stops a service",
    "retirement_killswitch": "the program that carries out retirements",
}
"""Every placeholder with what stands in its place."""

_TOKEN = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+")


def check(text: str) -> str:
    """The text itself, once it is known that it can be filled.

    Raises:
        ValueError: an unknown placeholder, or a brace without its partner.
    """
    for token in _tokens(text):
        name = token[1:-1]
        if token in ("{", "}"):
            raise ValueError(f"a lone {token!r}; a brace that is meant as itself is written {token * 2!r}")
        if _is_placeholder(token) and name not in PLACEHOLDERS:
            raise ValueError(
                f"unknown placeholder {token!r}; known are {', '.join(PLACEHOLDERS)}"
                " (a brace that is meant as itself is doubled)"
            )
    return text


def fill(text: str, fields: Mapping[str, str]) -> str:
    """The text with each placeholder replaced by the episode's value.

    Args:
        text: checked by `check`.
        fields: the values by placeholder; those that the text does not use may be missing.

    Raises:
        UsageError: the episode has no value for a placeholder that the text uses.
    """
    return "".join(_filled(token, fields) for token in _tokens(text))


def _filled(token: str, fields: Mapping[str, str]) -> str:
    if token in ("{{", "}}"):
        return token[0]
    if not _is_placeholder(token):
        return token
    name = token[1:-1]
    if name not in fields:
        raise UsageError(f"this episode has no value for {token}; it has {', '.join(sorted(fields)) or 'none'}")
    return fields[name]


def _is_placeholder(token: str) -> bool:
    return token.startswith("{") and token not in ("{", "{{")


def _tokens(text: str) -> Iterator[str]:
    return (match.group() for match in _TOKEN.finditer(text))
