"""What the documents say is there, is there."""

import inspect
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from afagent import tasks
from afagent.cli import afagent
from afagent.playbooks.grader_model import GRADER
from afagent.playbooks.provider import FROM_FILE
from afagent.playbooks.talkers import TALKERS

TOP = Path(__file__).parent.parent
DOCUMENTS = {name: (TOP / name).read_text() for name in ("README.md", "CONTRIBUTING.md")}


def the_map() -> list[str]:
    """The paths that CONTRIBUTING's map names, one at the start of each line."""
    block = DOCUMENTS["CONTRIBUTING.md"].split("## The map")[1].split("```")[1]
    return [line.split()[0] for line in block.strip().splitlines()]


def code(text: str) -> list[str]:
    """Each code span of a document, and each line of its code blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line for block in blocks for line in block.splitlines()] + spans


def said(pattern: str) -> set[str]:
    """What a pattern finds in the code of the documents."""
    return {found for text in DOCUMENTS.values() for line in code(text) for found in re.findall(pattern, line)}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("path", the_map())
def test_every_place_on_the_map_exists(path: str) -> None:
    assert (TOP / path).exists()
    assert (TOP / path).is_dir() == path.endswith("/")


def test_every_folder_that_holds_code_is_on_the_map() -> None:
    rooms = {path.parent for top in ("afagent", "tasks", "scorers", "sandboxes") for path in (TOP / top).rglob("*.py")}
    assert rooms <= {TOP / path for path in the_map()}


@pytest.mark.parametrize("path", sorted(said(r"^((?:afagent|tasks|scorers|sandboxes|scripts|tests)/[\w./-]*)$")))
def test_every_path_in_the_text_exists(path: str) -> None:
    is_task_or_model = path.removeprefix("afagent/") in {"NAME", GRADER, *TALKERS}
    assert is_task_or_model or (TOP / path).exists()


@pytest.mark.parametrize("name", sorted(said(r"^afagent ([a-z-]+)")))
def test_every_command_of_afagent_exists_and_has_help(name: str) -> None:
    assert CliRunner().invoke(afagent, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("line", sorted(said(r"^(afagent [a-z-]+ .*--.*)$")))
def test_every_option_of_a_command_exists(line: str) -> None:
    command: click.Command = afagent
    for word in line.split()[1:]:
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), word) or pytest.fail(f"no command {word}")
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= known


@pytest.mark.parametrize("name", sorted(said(r"^make ([a-z]+)")))
def test_every_target_of_make_exists(name: str) -> None:
    assert name in targets()


def test_every_parameter_of_the_task_that_is_shown_exists() -> None:
    shown = said(r"-T (\w+)=")
    assert {"objective", "seeds"} <= shown
    known = {name for task in tasks.__all__ for name in inspect.signature(getattr(tasks, task)).parameters}
    assert shown <= known


def test_every_task_is_in_the_readme() -> None:
    assert {f"`{task}`" for task in tasks.__all__} <= set(re.findall(r"`\w+`", DOCUMENTS["README.md"]))


def test_every_playbook_that_is_shown_is_shipped() -> None:
    shown = said(r"--model afagent/([a-z-]+)") - set(TALKERS)
    shipped = {path.stem for path in (TOP / "afagent" / "playbooks" / "shipped").glob("*.yaml")}
    assert shown - {FROM_FILE} <= shipped
    assert shown


def test_no_document_names_a_place_on_somebodys_machine() -> None:
    for text in DOCUMENTS.values():
        assert not re.search(r"(?<![\w.])/(home|root|work|Users|tmp)/", text)
