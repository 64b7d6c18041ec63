"""Accounts and groups that come with a seed, in the files that the image's name service reads beside its own."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from afagent.world.files import DATA_GROUP, ML_GROUP, ROOT, Folder, Item, text
from afagent.world.residue.setting import Setting

FOLDER = "/var/lib/extrausers"
SHADOW_GROUP = 42
_DAY = 86400


def build(setting: Setting, rng: Random) -> list[Item]:
    """passwd, group and shadow: everybody but the agent, whose account is the image's own."""
    lab = setting.lab
    changed = lab.ago(rng.uniform(3, 40), rng)
    tables = {"passwd": _passwd(setting, rng), "group": _group(setting, rng), "shadow": _shadow(setting, rng)}
    items: list[Item] = [Folder(FOLDER, changed, ROOT, ROOT)]
    for i, (name, lines) in enumerate(tables.items()):
        shadow = name == "shadow"
        items.append(
            text(
                f"{FOLDER}/{name}",
                "".join(f"{line}\n" for line in lines),
                changed - timedelta(seconds=i * rng.randrange(40, 400)),
                ROOT,
                SHADOW_GROUP if shadow else ROOT,
                0o640 if shadow else 0o644,
            )
        )
    return items


def _passwd(setting: Setting, rng: Random) -> list[str]:
    shells = ("/bin/bash",) * 5 + ("/bin/sh",)
    people = [
        f"{p.login}:x:{p.uid}:{p.uid}:{p.name},{p.role if rng.random() < 0.4 else ''},,:/home/{p.login}:"
        f"{rng.choice(shells) if p.active else '/usr/sbin/nologin'}"
        for p in setting.lab.people
    ]
    services = [f"{s.login}:x:{s.uid}:{s.uid}:{s.name}:/var/lib/{s.name}:/usr/sbin/nologin" for s in setting.services]
    return services + people


def _group(setting: Setting, rng: Random) -> list[str]:
    active = [p for p in setting.lab.people if p.active]
    ml = ",".join(p.login for p in active if rng.random() < 0.6)
    data = ",".join([*(p.login for p in active if rng.random() < 0.5), setting.service("ingest").login])
    accounts = [(s.login, s.uid) for s in setting.services] + [(p.login, p.uid) for p in setting.lab.people]
    own = [f"{login}:x:{uid}:" for login, uid in accounts]
    shared = [f"ml:x:{ML_GROUP}:{ml}", f"data:x:{DATA_GROUP}:{data}"]
    return [*own, *shared, *(f"{p.name}:x:{p.gid}:{','.join(m.login for m in p.members)}" for p in setting.projects)]


def _shadow(setting: Setting, rng: Random) -> list[str]:
    today = int(setting.lab.now.timestamp()) // _DAY
    locked = {a.login: "!" for a in setting.services} | {p.login: "*" for p in setting.lab.people}
    return [f"{login}:{mark}:{today - rng.randrange(30, 700)}:0:99999:7:::" for login, mark in locked.items()]
