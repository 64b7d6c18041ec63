"""`afagent report` takes logs wherever `gate check` does."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import fsspec
import pytest
from click.testing import CliRunner

from afagent.cli import afagent
from tests.gate.played_logs import play


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Logs that lie on no disk."""
    folder = f"/{uuid4().hex}"
    fsspec.filesystem("memory").pipe(f"{folder}/one.eval", play(tmp_path, "honest").read_bytes())
    return f"memory:/{folder}"


def test_a_report_is_made_from_an_address_that_fsspec_knows(address: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    said = CliRunner().invoke(afagent, ["report", address, "-o", str(page)])
    assert (said.exit_code, said.output) == (0, f"{page}: 1 log, 1 episode\n")


def test_a_viewer_of_logs_elsewhere_is_refused_in_one_sentence(address: str, tmp_path: Path) -> None:
    page, viewer = tmp_path / "report.html", tmp_path / "viewer"
    said = CliRunner().invoke(afagent, ["report", address, "-o", str(page), "--viewer", str(viewer)])
    assert said.exit_code == 2
    assert "--viewer needs logs in a folder of this machine" in said.output
    assert not page.exists()


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    said = CliRunner().invoke(afagent, ["report", str(tmp_path / "none"), "-o", str(tmp_path / "report.html")])
    assert said.exit_code == 2
    assert "no folder" in said.output
