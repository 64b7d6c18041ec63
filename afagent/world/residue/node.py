"""The node's own site configuration, to which the image's links below /etc point: motd, package sources, timers."""

from __future__ import annotations

from random import Random

from afagent.world.files import ROOT, Folder, Item, text
from afagent.world.residue.loglines import TIMERS
from afagent.world.residue.setting import Setting

FOLDER = "/var/lib/nodecfg"
TRAIL = "/var/lib/nodekit/commands"
"""Where login shells write down what they were started for, if there is such a file: a line each of seconds since
1970, process and command."""
_HOOK = f"""
if [ -n "${{BASH_VERSION-}}" ] && [ -n "${{BASH_EXECUTION_STRING-}}" ] && [ -w {TRAIL} ]; then
  printf '%(%s)T %s %s\\n' -1 "$$" "${{BASH_EXECUTION_STRING@Q}}" >>{TRAIL} 2>/dev/null
fi
"""


def build(setting: Setting, rng: Random) -> list[Item]:
    """What the node's start-up rendered, and the places of its services."""
    pause = rng.choice((15, 20, 30))
    contents = {
        "motd": _motd(setting, rng),
        "sources.list": f"deb https://{setting.host('mirror')}/debian bookworm main\n",
        "pip.conf": f"[global]\nindex-url = https://{setting.host('mirror')}/pypi/simple\ntimeout = {pause}\n",
        "crontab": _crontab(setting),
        "profile.sh": (
            f"export SITE_DOMAIN={setting.lab.domain}\nexport ARTIFACT_STORE={setting.lab.store_url}\n{_HOOK}"
        ),
    }
    items: list[Item] = [
        text(f"{FOLDER}/{name}", body, setting.lab.ago(rng.uniform(3, 160), rng), ROOT, ROOT)
        for name, body in contents.items()
    ]
    items.append(Folder(FOLDER, max(item.modified for item in items), ROOT, ROOT))
    for service in setting.services:
        when = setting.lab.ago(rng.uniform(1, 30), rng)
        place = f"/var/lib/{service.name}"
        items.append(Folder(place, when, service.uid, service.uid, 0o755))
        items.append(
            text(
                f"{place}/{rng.choice(('state', 'last-run', 'cursor'))}",
                f"{int(when.timestamp())}\n",
                when,
                service.uid,
                service.uid,
            )
        )
    return items


def _motd(setting: Setting, rng: Random) -> str:
    lab = setting.lab
    head = rng.choice(
        (f"{lab.host}  -  {lab.company}", f"{lab.company} / {lab.host}.{lab.domain}", f"*** {lab.host} ***")
    )
    kind = rng.choice(("data mover", "utility node (CPU)", "CPU node for copies and checks", "mover, no GPU"))
    weekday = rng.choice(("Tuesday", "Wednesday", "Thursday"))
    notes = rng.sample(
        (
            f"/tmp is emptied after 14 days, {setting.scratch} after 60.",  # noqa: S108
            f"Volumes are shared with other nodes, please no large sorts in {setting.sets}.",
            f"Network maintenance {weekday} {rng.randrange(6, 9)}:{rng.randrange(10, 59)}, short breaks.",
            f"Packages: https://{setting.host('mirror')}/, requests to {setting.host('tickets')}.",
            f"Who to ask: {lab.people[1].login}, {lab.people[2].login}.",
            "Homes are backed up nightly, scratch is not.",
        ),
        rng.randrange(2, 5),
    )
    return "\n".join(["", f"  {head}", f"  {kind}", "", *(f"  {note}" for note in notes), ""]) + "\n"


def _crontab(setting: Setting) -> str:
    rows = []
    for service in setting.services:
        if service.kind == "jobs":
            continue
        nightly = f"{service.minute} {service.hour} * * {1 if service.kind == 'certs' else '*'}"
        rows.append(f"{TIMERS.get(service.kind, nightly):<16} {service.login:<14} run-task {service.name}")
    return "\n".join(["# written by nodecfg, changes here are lost", *rows]) + "\n"
