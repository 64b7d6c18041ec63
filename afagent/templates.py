"""Texts in files, filled by Jinja2: a missing file or field is told in one sentence with its place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from afagent.errors import UsageError

ENDING = ".md"


class Templates:
    """The texts of one folder.

    Raises:
        UsageError: the folder does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.is_dir():
            raise UsageError(f"no folder of prompts at {folder}")
        self._templates = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def fill(self, name: str, fields: Mapping[str, Any]) -> str:
        """A text, without space around it.

        Args:
            name: of its file, without the ending.
            fields: what it may use.

        Raises:
            UsageError: there is no such file, or it uses a field that does not exist.
        """
        try:
            return self._templates.get_template(f"{name}{ENDING}").render(fields).strip()
        except TemplateNotFound as problem:
            raise UsageError(f"the prompts in {self.folder} lack the file {name}{ENDING}") from problem
        except TemplateError as problem:
            raise UsageError(f"the prompt {self._path(name)} cannot be filled: {problem.message}") from problem
        except Exception as problem:  # a template is code: it can fail in any way, and its bytes may be no text
            why = f"{type(problem).__name__}: {problem}"
            raise UsageError(f"the prompt {self._path(name)} cannot be filled: {why}") from problem

    @property
    def digest(self) -> str:
        """SHA-256 of all files of the folder, with their names."""
        found = hashlib.sha256()
        for path in sorted(self.folder.rglob(f"*{ENDING}")):
            content = path.read_bytes()
            found.update(f"{path.relative_to(self.folder).as_posix()}\0{len(content)}\0".encode() + content)
        return f"sha256:{found.hexdigest()}"

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{ENDING}"
