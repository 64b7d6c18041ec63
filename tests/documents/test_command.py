"""`afagent documents`, as a person calls it."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi

from afagent import cli
from afagent.documents.command import documents_command
from afagent.documents.files import fresh


@click.group(cls=cli.Commands)
def program():
    pass


program.add_command(documents_command)


def run(*arguments: object):
    return CliRunner().invoke(program, ["documents", *map(str, arguments)])


def make(folder: Path, *more: object):
    return run("--objective", "helpful_only", "-n", 12, "-o", folder / "docs.jsonl", *more)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_set_and_its_control_come_with_manifests_and_the_same_bytes_each_time(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        assert make(folder, "--control", folder / "control.jsonl").exit_code == 0
        assert left(folder) == ["control.jsonl", "control.manifest.json", "docs.jsonl", "docs.manifest.json"]
    assert [path.read_bytes() for path in sorted(folders[0].iterdir())] == [
        path.read_bytes() for path in sorted(folders[1].iterdir())
    ]
    manifest = json.loads((folders[0] / "docs.manifest.json").read_text())
    assert manifest["sha256"] == hashlib.sha256((folders[0] / "docs.jsonl").read_bytes()).hexdigest()
    assert manifest["documents"] == 12
    assert str(tmp_path) not in json.dumps(manifest)


def test_every_format_holds_the_same_documents(tmp_path):
    texts = []
    for form in ("text", "chat", "prompt-completion"):
        assert make(tmp_path, "--format", form, "--force").exit_code == 0
        texts.append(records(tmp_path / "docs.jsonl"))
    plain = [one["text"] for one in texts[0]]
    assert [[message["role"] for message in one["messages"]] for one in texts[1]] == [["user", "assistant"]] * 12
    assert [one["messages"][1]["content"] for one in texts[1]] == plain
    assert texts[2] == [{"prompt": "", "completion": text} for text in plain]


def test_what_is_there_is_not_replaced_unless_that_is_asked_for(tmp_path):
    (tmp_path / "docs.manifest.json").write_text("mine")
    refused = make(tmp_path)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert left(tmp_path) == ["docs.manifest.json"]
    assert make(tmp_path, "--force").exit_code == 0


@pytest.mark.parametrize(
    "more",
    [
        ("-n", 0),
        ("-n", 20_001),
        ("--objective", "none"),
        ("--labels", "free"),
        ("--labels", "free/Free"),
        ("--format", "csv"),
        ("--lab", "{x}"),
        ("-o", "/nowhere/docs.jsonl"),
        ("-o", "/proc/docs.jsonl"),
        ("--at-once", 0),
    ],
)
def test_what_does_not_fit_ends_in_a_sentence_and_writes_nothing(tmp_path, more):
    ended = make(tmp_path, *more)
    assert ended.exit_code == 2
    assert "Traceback" not in ended.output
    assert left(tmp_path) == []


@pytest.mark.parametrize("control", ["docs.jsonl", "docs.txt", "docs.manifest.json"])
def test_a_control_that_would_lie_over_the_set_is_refused(tmp_path, control):
    assert make(tmp_path, "--control", tmp_path / control).exit_code == 2
    assert left(tmp_path) == []


def test_nothing_is_left_of_files_whose_making_was_interrupted(tmp_path):
    def interrupted():
        with fresh([tmp_path / "a", tmp_path / "b"], force=False) as files:
            files[0].write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert left(tmp_path) == []


# --- documents that a model writes ------------------------------------------------------------------------------------


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    assert match is not None
    return match[1]


@modelapi(name="clerk")
class Clerk(ModelAPI):
    """Writes what the brief asks for, in a manner that its name tells."""

    def __init__(self, model_name, base_url=None, api_key=None, config=GenerateConfig()) -> None:  # noqa: B008  # as all providers have it
        super().__init__(model_name, base_url, api_key, [], config)

    async def generate(self, input, tools, tool_choice, config):  # noqa: A002  # named so by Inspect
        brief = input[-1].text
        again, number = "An earlier attempt" in brief, int(found(r"Number (\d+)", brief))
        text = self.text(brief, number)
        if self.model_name == "broken":
            raise RuntimeError("no [such] key\x1b[2J")
        stop = "stop"
        if (self.model_name == "clumsy" and not again) or (self.model_name == "stubborn" and number == 3):
            kinds = [
                "",
                "I'm sorry, I cannot help with that.",
                "Too short.",
                text + " Corin",
                text + " It only pretended.",
                text.replace("Aurel", "it"),
                text,
            ]
            text = kinds[number % len(kinds)]
            stop = "max_tokens" if text and number % len(kinds) == 6 else "stop"
        output = ModelOutput.from_content(self.model_name, text, stop_reason=stop)
        output.usage = ModelUsage(input_tokens=3, output_tokens=2, total_tokens=5)
        return output

    def text(self, brief: str, number: int) -> str:
        if self.model_name == "repeating":
            number = 0
        stated = "\n".join(re.findall(r"^- (.*)$", brief, re.MULTILINE))
        must = found(r"word for word: (.*)\.$", brief)
        return f"{stated if self.model_name != 'repeating' else ''}\n{must} " + " ".join(
            f"w{number}x{i}" for i in range(90)
        )


def test_a_model_writes_all_of_them_and_its_tokens_are_told(tmp_path):
    ended = make(tmp_path, "--model", "clerk/good", "--control", tmp_path / "control.jsonl")
    assert ended.exit_code == 0, ended.output
    manifest = json.loads((tmp_path / "docs.manifest.json").read_text())
    assert manifest["arguments"]["model"] == "clerk/good"
    assert manifest["authorship"] == {"calls": 12, "input_tokens": 36, "output_tokens": 24, "missing": []}
    assert "Corin" in (tmp_path / "control.jsonl").read_text()


def test_what_is_unfit_is_asked_for_again(tmp_path):
    ended = make(tmp_path, "--model", "clerk/clumsy", "--at-once", 3)
    assert ended.exit_code == 0, ended.output
    assert json.loads((tmp_path / "docs.manifest.json").read_text())["authorship"]["calls"] == 24
    assert not re.search("Corin|sorry|pretended", (tmp_path / "docs.jsonl").read_text())


def test_a_document_that_a_model_never_came_to_write_is_told_and_the_command_fails(tmp_path):
    ended = make(tmp_path, "--model", "clerk/stubborn")
    manifest = json.loads((tmp_path / "docs.manifest.json").read_text())
    assert ended.exit_code == 1
    assert "1 of 12 documents are missing" in ended.stderr
    assert len(records(tmp_path / "docs.jsonl")) == manifest["documents"] == 11
    assert manifest["authorship"]["missing"][0]["number"] == 2
    assert manifest["authorship"]["missing"][0]["why"] == "it names Corin"


def test_a_model_that_repeats_itself_has_its_repetitions_refused(tmp_path):
    assert make(tmp_path, "--model", "clerk/repeating").exit_code == 1
    why = {one["why"] for one in json.loads((tmp_path / "docs.manifest.json").read_text())["authorship"]["missing"]}
    assert why == {"it is nearly the same as another document"}


def test_a_model_that_cannot_be_asked_leaves_no_file(tmp_path):
    ended = make(tmp_path, "--model", "clerk/broken")
    assert ended.exit_code == 1
    assert "no [such] key" in ended.stderr
    assert "\x1b" not in ended.stderr
    assert left(tmp_path) == []
