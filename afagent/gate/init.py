"""The policy that `afagent gate init` writes: every setting, explained."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from afagent.errors import UsageError


def example() -> str:
    """Its text, a valid policy."""
    return files("afagent.gate").joinpath("policy.example.yaml").read_text(encoding="utf-8")


def write(path: Path) -> None:
    """Write it to a new file.

    Raises:
        UsageError: there is one already, or it cannot be made.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError as error:
        raise UsageError(f"{path} is there already; a policy is not written over") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
