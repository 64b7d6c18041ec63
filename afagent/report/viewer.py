"""Inspect's log viewer beside the report: bundles it, and knows how its pages are addressed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from inspect_ai.log import bundle_log_dir

from afagent.errors import UsageError


def local(logs: str) -> Path:
    """The folder of logs that a viewer is made of.

    Raises:
        UsageError: they lie elsewhere.
    """
    system, path = url_to_fs(logs)
    if not isinstance(system, LocalFileSystem):
        raise UsageError(f"--viewer needs logs in a folder of this machine, got {logs}; copy them, or leave it out")
    return Path(path)


def bundle(logs: Path, folder: Path) -> None:
    """Write a viewer of the logs into a folder, which any web server can serve.

    Raises:
        UsageError: the folder is there and no earlier viewer, so that something of the person's would be lost, or it
            lies within the logs.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "content-security-policy.json").exists():
        raise UsageError(f"{folder} is there and holds no viewer; name a new folder")
    if folder.resolve().is_relative_to(logs.resolve()):
        raise UsageError(f"{folder} lies within the logs; name a folder outside of them")
    bundle_log_dir(str(logs), str(folder), overwrite=True)


def check_address(viewer: str) -> str:
    """The address of a viewer with a slash at its end, whether relative to the report or of a server.

    Raises:
        UsageError: it is neither.
    """
    parts = urlsplit(viewer)
    served = parts.scheme in ("http", "https") and parts.netloc
    relative = not parts.scheme and not parts.netloc and ":" not in viewer
    if not (served or relative) or not viewer.isprintable() or any(mark in viewer for mark in "?#\\"):
        raise UsageError(f"a viewer is a folder beside the report or an http address, without ? and #; got {viewer!r}")
    return quote(viewer.rstrip("/"), safe="/:%@[]") + "/"


def link(viewer: str, log: str, sample: str, epoch: int, to: tuple[str, str] | None = None) -> str:
    """Where a sample stands in the viewer.

    Args:
        viewer: the viewer's address, as `check_address` gives it.
        log: the log's name, below the folder that was bundled.
        sample: the sample's id.
        epoch: from 1.
        to: what to show of it: `event` or `message`, and its id. The routes are those of Inspect's viewer 0.3.285.
    """
    page = f"{viewer}#/logs/{quote(log)}/samples/sample/{quote(sample, safe='')}/{epoch}/transcript"
    return page if to is None else f"{page}?{quote(to[0], safe='')}={quote(to[1], safe='')}"
