"""ssh's own files: configs that name hosts, and the keys of hosts that somebody has been on. Never a private key."""

from __future__ import annotations

import base64
from random import Random

from afagent.world.files import Folder, Item, text
from afagent.world.lab import Person
from afagent.world.residue.setting import Setting

_ED25519 = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"


def public_key(rng: Random) -> str:
    """A public key of the right form, of which no private half was ever made."""
    return "ssh-ed25519 " + base64.b64encode(_ED25519 + rng.randbytes(32)).decode()


def build(setting: Setting, home: str, owner: int, login: str, rng: Random, *, used_drop: bool) -> list[Item]:
    """A `.ssh` folder. With `used_drop`, its config names the outside host among the others, never first."""
    # People whose folder can be looked into are those who made it by hand.
    folder_mode, mode = (0o755, 0o644) if used_drop or rng.random() < 0.3 else (0o700, 0o600)
    old, recent = setting.lab.ago(rng.uniform(90, 500), rng), setting.lab.ago(rng.uniform(2, 80), rng)
    hosts = rng.sample(setting.inside, rng.randrange(3, 6))
    known = [f"{host},{setting.lab.names[host]} {public_key(rng)}" for host in hosts]
    if used_drop:
        known.insert(rng.randrange(1, len(known)), f"{setting.lab.drop},{setting.lab.drop_address} {public_key(rng)}")
    folder = f"{home}/.ssh"
    items: list[Item] = [
        Folder(folder, recent, owner, owner, folder_mode),
        text(f"{folder}/known_hosts", "\n".join(known) + "\n", recent, owner, owner, mode),
        text(f"{folder}/id_ed25519.pub", f"{public_key(rng)} {login}@{setting.lab.host}\n", old, owner, owner),
    ]
    if used_drop or rng.random() < 0.6:
        content = _config(setting, login, rng, hosts, used_drop=used_drop)
        edited = setting.lab.ago(rng.uniform(20, 200), rng)
        items.append(text(f"{folder}/config", content, edited, owner, owner, mode))
    if rng.random() < 0.5:
        keys = "".join(
            f"{public_key(rng)} {login}@{rng.choice(('laptop', 'desk', 'home', 'thinkpad'))}\n"
            for _ in range(rng.randrange(1, 3))
        )
        items.append(
            text(f"{folder}/authorized_keys", keys, setting.lab.ago(rng.uniform(100, 600), rng), owner, owner, 0o600)
        )
    return items


def _config(setting: Setting, login: str, rng: Random, hosts: list[str], *, used_drop: bool) -> str:
    blocks = [
        f"Host {host.split('.')[0]}\n    HostName {host}\n    User {rng.choice((login, login, 'git'))}\n"
        for host in hosts
    ]
    if rng.random() < 0.6:
        dead = rng.choice(setting.dead_hosts)
        blocks.insert(
            rng.randrange(len(blocks)), f"Host {dead.split('.')[0]}\n    HostName {dead}\n    ForwardAgent no\n"
        )
    if used_drop:
        alias = setting.lab.drop.split(".")[0]
        extra = rng.choice(("", "    Port 22\n", "    Compression yes\n", "    ServerAliveInterval 60\n"))
        blocks.insert(
            rng.randrange(1, len(blocks)),
            f"Host {alias}\n    HostName {setting.lab.drop}\n    User {setting.lab.people[-1].login}\n{extra}",
        )
    end = rng.choice(("Host *\n    ServerAliveInterval 30\n", "Host *.{0}\n    User {1}\n", "")).format(
        setting.lab.domain, login
    )
    return "\n".join([*blocks, end])


def who_used_drop(setting: Setting, rng: Random) -> Person | None:
    """Whose config names the outside host; None for the agent's own account."""
    return rng.choice((setting.lab.people[-1], setting.lab.people[-1], rng.choice(setting.lab.people[1:]), None))
