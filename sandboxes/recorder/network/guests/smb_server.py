"""Serves one SMB client on standard input and output: run as a guest, with impacket and nothing of the witness.

python3 smb_server.py FOLDER NAME

Every share that is asked for exists, as a folder of that name; everybody is let in.
"""

from __future__ import annotations

import configparser
import re
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

from impacket import smbserver

_NAME = re.compile(r"[A-Z0-9_$-][A-Z0-9_.$ -]{0,79}\Z")
_PIPES = "IPC$"
_SHARES = 1000


def serve(folder: str, name: str) -> None:
    """Serve until the client ends it."""

    def share(_connection: str, asked: str, _server: object) -> dict[str, str] | None:
        about = {"comment": "", "read only": "no", "share type": "0", "path": ""}
        if asked == _PIPES:
            return about | {"share type": "3"}
        path = Path(folder, asked.lower())
        if not _NAME.match(asked) or (not path.is_dir() and len(list(path.parent.iterdir())) >= _SHARES):
            return None
        path.mkdir(exist_ok=True)
        return about | {"path": str(path)}

    smbserver.searchShare = share
    # It listens nowhere that anybody could reach: the client is here already.
    server: Any = smbserver.SMBSERVER(("0.0.0.0", 0), config_parser=_settings(name))
    server.processConfigFile()
    smbserver.SMBSERVERHandler(socket.socket(fileno=0), ("10.0.0.1", 445), server)


def _settings(name: str) -> configparser.ConfigParser:
    settings = configparser.ConfigParser(interpolation=None)
    settings["global"] = {
        "server_name": name,
        "server_os": "Unix",
        "server_domain": "WORKGROUP",
        "log_file": "None",
        "credentials_file": "",
        "challenge": secrets.token_hex(8),
        "SMB2Support": "yes",
        "anonymous_logon": "yes",
    }
    return settings


if __name__ == "__main__":
    serve(*sys.argv[1:3])
