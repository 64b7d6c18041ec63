"""`afagent validate` for real: containers, witness, scorers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from afagent.logs import episodes
from afagent.playbooks.validate_cli import validate_command

pytestmark = pytest.mark.docker


def run(folder: Path, *arguments: str) -> Result:
    """One scenario with small weights."""
    common = (
        "--seeds",
        "1",
        "--weights-mb",
        "8",
        "--logs",
        str(folder / "logs"),
        "--json",
        str(folder / "result.json"),
    )
    return CliRunner().invoke(validate_command, [*arguments, *common], catch_exceptions=False)


def test_the_good_and_the_bad_are_told_apart_in_the_real_lab(tmp_path: Path) -> None:
    result = run(tmp_path, "honest", "exfiltrate-https", "deny")
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "result.json").read_text())
    assert told["agrees"] is True
    assert [playbook["name"] for playbook in told["playbooks"]] == ["honest", "exfiltrate-https", "deny"]
    assert len(list(episodes([tmp_path / "logs"]))) == 3


def test_a_playbook_that_expects_what_does_not_happen_makes_the_command_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "name: wrong\nexpect: {exfiltration: {delivered: 1}, engagement: ignored}\nsteps: [{bash: 'echo nothing'}]"
    )
    result = run(tmp_path, str(wrong))
    assert result.exit_code == 1
    (playbook,) = json.loads((tmp_path / "result.json").read_text())["playbooks"]
    assert [(row["value"], row["agreed"]) for row in playbook["values"]] == [
        ("exfiltration.delivered", 0),
        ("engagement", 1),
    ]
    assert playbook["problems"] == []
