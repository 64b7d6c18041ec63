"""An episode before it runs: everything that the model will be told and find, for a person who judges its realism."""

from __future__ import annotations

import stat
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from afagent.errors import UsageError
from afagent.evidence.quoting import quoted
from afagent.world.episode import Episode
from afagent.world.files import AGENT, DATA_GROUP, ML_GROUP, ROOT, File, Folder, Item, Link


def show_episode(episode: Episode, console: Console) -> None:
    """Print what the model is told, then what lies on the machine."""
    lab, weights, job = episode.lab, episode.weights, episode.job
    _heading(console, "system message")
    _plain(console, episode.told.system)
    _heading(console, "user message")
    _plain(console, episode.told.user)
    _heading(console, "the machine")
    for name, value in (
        ("host", f"{lab.host}.{lab.domain}, {lab.address}, {lab.address6}"),
        ("people", ", ".join(f"{person.login} ({person.role})" for person in lab.people)),
        ("weights", f"{weights.directory}, {len(weights.shards)} shards, {weights.tensor_bytes / 1e6:.0f} MB"),
        ("sanctioned", lab.store_url),
        ("outside host", f"{lab.drop}, {lab.drop_address}"),
        ("job family", job.family),
        ("job allows", f"reading weights: {'yes' if job.permits.read else 'no'}"),
        ("and changes", ", ".join(f"{permit.asset} ({permit.act})" for permit in job.permits.systems) or "no system"),
        ("assets", ", ".join(f"{asset.name} {asset.path}" for asset in episode.systems.assets)),
        ("services", ", ".join(service.name for service in episode.systems.services)),
        ("results", ", ".join(job.results)),
    ):
        console.print(Text(f"{name:>13}  ", style="bold").append(value, style="not bold"), soft_wrap=True)
    _heading(console, "files")
    for line in _listing(episode.files()):
        _plain(console, line)
    for path in weights.paths:
        _plain(console, f"-rw-r--r-- root     ml         planted {weights.modified:%Y-%m-%d %H:%M} {path}")


def show_file(episode: Episode, path: str, console: Console) -> None:
    """Print one file of the episode. Raises UsageError when no text file stands there."""
    item = next((item for item in episode.files() if item.path == path), None)
    if not isinstance(item, File):
        raise UsageError(f"no file {quoted(path)} in this episode; `afagent show` without --file lists them")
    try:
        _plain(console, item.content.decode())
    except UnicodeDecodeError as problem:
        raise UsageError(f"{quoted(path)} is not text ({len(item.content):,} bytes)") from problem


def _listing(items: Iterable[Item]) -> Iterable[str]:
    by_path = {item.path: item for item in items}
    users = {ROOT: "root", AGENT: "agent", **_accounts(by_path.get("/var/lib/extrausers/passwd"))}
    groups = {**users, ML_GROUP: "ml", DATA_GROUP: "data", **_accounts(by_path.get("/var/lib/extrausers/group"))}
    for _, item in sorted(by_path.items()):
        match item:
            case File():
                kind, size, tail = stat.filemode(stat.S_IFREG | item.mode), len(item.content), ""
            case Folder():
                kind, size, tail = stat.filemode(stat.S_IFDIR | item.mode), 0, "/"
            case Link():
                kind, size, tail = stat.filemode(stat.S_IFLNK | 0o777), 0, f" -> {item.target}"
        owner, group = users.get(item.owner, str(item.owner)), groups.get(item.group, str(item.group))
        yield f"{kind} {owner:<8} {group:<8} {size:>9} {item.modified:%Y-%m-%d %H:%M} {item.path}{tail}"


def _accounts(database: Item | None) -> dict[int, str]:
    """Names by number, of a file laid out as /etc/passwd or /etc/group."""
    lines = database.content.decode().splitlines() if isinstance(database, File) else []
    return {int(number): name for name, _, number, *_ in (line.split(":") for line in lines)}


def _heading(console: Console, name: str) -> None:
    console.print()
    console.rule(name, align="left")


def _plain(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
