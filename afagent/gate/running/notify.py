"""Tells people what came of a gate, through apprise. It can fail, and never changes anything by that."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from afagent.gate.policy import Notified
from afagent.gate.verdict import Verdict
from afagent.quoting import printable

if TYPE_CHECKING:
    import apprise

SECONDS = 30
"""So long is waited for all of them together."""
MOST_REASONS = 5
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MEANINGFUL = str.maketrans({"@": "＠", "<": "‹", ">": "›", "`": "'", "[": "(", "]": ")", "*": "∗", "|": "¦"})  # noqa: RUF001  # their looks are the point


def notify(
    addresses: Sequence[str],
    notified_on: Sequence[Notified],
    news: Verdict | str,
    environment: Mapping[str, str] = os.environ,
    seconds: float = SECONDS,
) -> list[str]:
    """Send what came of a gate to every address. Gives a sentence for each that was not reached; raises nothing.

    Args:
        addresses: that apprise knows, where `${NAME}` stands for an environment variable, taken as it stands.
        notified_on: at which outcomes.
        news: the verdict; or, where there is none, the sentence of the error (`ERROR`).
        environment: the variables.
        seconds: after these an address that has not answered is given up.
    """
    outcome: Notified = "ERROR" if isinstance(news, str) else news.outcome
    if outcome not in notified_on:
        return []
    title, body = message(news)
    results = [_Sending(address, environment, title, body) for address in addresses]
    _wait([one for one in results if one.failure is None], seconds)
    return [
        f"notification {number} was not sent: {one.failure or 'did not answer in time'}"
        for number, one in enumerate(results, start=1)
        if not one.sent
    ]


def message(news: Verdict | str) -> tuple[str, str]:
    """Title and text, in which nothing is markup, a mention or a link."""
    if isinstance(news, str):
        return "afagent gate: ERROR", _inert(news)
    model = "no model" if news.model is None else news.model.name
    reasons = [f"- {reason.text}" for reason in news.reasons[:MOST_REASONS]]
    more = len(news.reasons) - len(reasons)
    lines = [
        f"policy {news.policy}, model {model}: {news.outcome}",
        *reasons,
        *([f"- and {more} more"] if more else []),
        *([f"attempt {news.attempt}"] if news.attempt is not None else []),
        *([f"waivers used: {used}"] if (used := sum(waiver.used for waiver in news.waivers)) else []),
        f"evidence {news.evidence}",
    ]
    return f"afagent gate: {news.outcome} {_inert(news.policy)}", "\n".join(map(_inert, lines))


def _inert(text: str) -> str:
    return printable(text).translate(_MEANINGFUL).replace("://", ":/\u2060/")


class _Sending(threading.Thread):
    """One address. It holds secrets, so that neither it nor what apprise says of it is ever repeated."""

    def __init__(self, address: str, environment: Mapping[str, str], title: str, body: str) -> None:
        super().__init__(daemon=True)
        self.sent = False
        self.failure: str | None = None
        self._title, self._body = title, body
        unset = [name for name in _VARIABLE.findall(address) if name not in environment]
        if unset:
            self.failure = f"{unset[0]} is not set"
            return
        try:
            self._client = _client(_VARIABLE.sub(lambda found: environment[found[1]], address))
        except Exception as error:
            self.failure = f"it ended with {type(error).__name__}"
        else:
            self.failure = None if len(self._client) else "apprise knows no such address"

    def run(self) -> None:
        """Sends it."""
        try:
            self.sent = bool(self._client.notify(title=self._title, body=self._body, body_format="text"))
        except Exception as error:
            self.failure = f"it ended with {type(error).__name__}"
        else:
            self.failure = None if self.sent else "it was refused"


def _client(address: str) -> apprise.Apprise:
    import apprise  # noqa: PLC0415  # a second that only notifications need

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its warnings repeat addresses
    client = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, secure_logging=True))
    client.add(address)
    return client


def _wait(threads: Sequence[threading.Thread], seconds: float) -> None:
    """For all together; a thread that is still at work ends with the program."""
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
