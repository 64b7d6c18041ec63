"""Reads a record that somebody else's command wrote, with the digest of its file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from afagent.errors import UsageError

Record = TypeVar("Record", bound=BaseModel)


def read_record(path: Path, kind: type[Record], what: str, whose: str) -> tuple[Record, str] | None:
    """The record of a file, and the SHA-256 of its bytes as `sha256:...`; None if there is no such file.

    Args:
        path: the file.
        kind: what it must be.
        what: the name of that in a sentence, such as `calibration record`.
        whose: the same with its article, such as `the calibration record`.

    Raises:
        UsageError: the file cannot be read, or is no such record.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UsageError(f"cannot read {whose} {path}: {problem.strerror}") from problem
    try:
        record = kind.model_validate_json(content)
    except ValidationError as problem:
        where = ".".join(map(str, problem.errors()[0]["loc"]))
        raise UsageError(f"{path} is no {what}: {where or 'not JSON'}") from problem
    return record, f"sha256:{hashlib.sha256(content).hexdigest()}"
