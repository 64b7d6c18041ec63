"""Writes a verdict and everything that is made from it into a folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from afagent.errors import UsageError
from afagent.gate.located import Located
from afagent.gate.outputs import attestation
from afagent.gate.outputs.junit import to_junit
from afagent.gate.outputs.markdown import to_markdown
from afagent.gate.outputs.sarif import to_sarif
from afagent.gate.signing.envelopes import read_private_key
from afagent.gate.verdict import Verdict, canonical

VERDICT = "verdict.json"


def publish(verdict: Verdict, gate: Located, folder: Path) -> Path:
    """Writes `verdict.json`, last of all, and beside it Markdown, JUnit, SARIF and, with a key, the signed statement.

    On GitHub the Markdown is the step's summary too, where that can be written.

    Raises:
        UsageError: the key is none, or nothing can be written there.
    """
    content = canonical(verdict)
    files = {
        "summary.md": to_markdown(verdict).encode(),
        "junit.xml": to_junit(verdict),
        "findings.sarif": to_sarif(verdict),
    }
    key = gate.policy.signature.key
    if key is not None:
        files["verdict.dsse.json"] = attestation.sign(content, read_private_key(gate.folder / key))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in {**files, VERDICT: content}.items():
            _write(folder / name, data)
    except OSError as problem:
        raise UsageError(f"the verdict cannot be written to {folder}: {problem.strerror}") from problem
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with suppress(OSError), Path(summary).open("ab") as file:
            file.write(files["summary.md"])
    return folder / VERDICT


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(path)
