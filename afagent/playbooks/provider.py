"""Playbooks as an Inspect model: `--model afagent/NAME`, or `--model afagent/playbook -M file=PATH` for a file.

Inspect shares one instance across all samples, so nothing is remembered between calls: what comes next is a pure
function of the messages and of the episode's fields. Each tool call carries its step's number in its id, and each text
is known by its words, so that the place in the script is found whatever a scaffold adds to, or drops from, the
conversation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageTool,
    ModelOutput,
)
from inspect_ai.tool import ToolInfo
from inspect_ai.util import store_as

from afagent.errors import UsageError
from afagent.playbooks.playbook import Action, Call, HandOver, Handover, Playbook, Say, fill, load, shipped
from afagent.playbooks.scripted import ScriptedModel
from afagent.world.truth import EpisodeTruth

FROM_FILE = "playbook"
"""The model's name when the playbook is a file of one's own."""
PARTING = Say("Done.")
"""After the last step, where no `handover` tool is offered."""
_TEXT_ARGUMENTS = {"bash": ("command", "cmd", "script"), "python": ("code", "source", "script")}
_CALL_ID = re.compile(r"afagent_step_(\d+)")


class PlaybookModel(ScriptedModel):
    """A model that follows a playbook."""

    def prepare(self, file: str | None = None) -> None:
        """Takes its argument.

        Args:
            file: the playbook, when the model's name is `playbook`.

        Raises:
            UsageError: no such playbook, or a file that is none.
        """
        self.playbook = _find(self.model_name, file)

    def says(self, messages: Sequence[ChatMessage], tools: Sequence[ToolInfo]) -> ModelOutput:
        """The playbook's next step.

        Raises:
            UsageError: not within an episode of afagent, or a tool that the step needs is not offered.
        """
        fields = store_as(EpisodeTruth).fields
        if not fields:
            raise UsageError(f"afagent/{self.model_name} plays only in afagent's own tasks: this sample has no episode")
        actions = [fill(step, fields) for step in self.playbook.steps]
        index = next_index(messages, actions)
        return _perform(index, _action(index, actions, tools), tools, self.model_name)


def next_index(messages: Sequence[ChatMessage], actions: Sequence[Action]) -> int:
    """How many of the actions lie behind a conversation: one more than the last of them that is found in it.

    A call is known by its id, in the model's message or in the tool's; a text by its words, in order. Other messages,
    the model's own of before the script included, do not count.
    """
    index = 0
    for message in messages:
        if isinstance(message, ChatMessageTool):
            ids = [message.tool_call_id or ""]
        elif isinstance(message, ChatMessageAssistant):
            ids = [call.id for call in message.tool_calls or []]
        else:
            continue
        steps = [int(found[1]) for found in map(_CALL_ID.fullmatch, ids) if found]
        if not ids:
            text = message.text.strip()
            steps = [i for i in range(index, len(actions)) if _spoken(actions[i]) == text][:1]
        index = max([index, *(step + 1 for step in steps)])
    return index


# --- a step as a model's output ---------------------------------------------------------------------------------------


def _action(index: int, actions: Sequence[Action], tools: Sequence[ToolInfo]) -> Action:
    """The action of an index; after the last the handover again if there was one, else an empty one."""
    if index < len(actions):
        return actions[index]
    if _offered("handover", tools) is None:
        return PARTING
    return next(
        (action for action in reversed(actions) if isinstance(action, HandOver)), HandOver(Handover().model_dump())
    )


def _perform(index: int, action: Action, tools: Sequence[ToolInfo], model: str) -> ModelOutput:
    match action:
        case Call(name, text):
            tool = _offered(name, tools)
            if tool is None:
                offered = ", ".join(tool.name for tool in tools) or "none"
                raise UsageError(f"step {index + 1} of the playbook needs the tool {name!r}; offered are {offered}")
            arguments: dict[str, Any] = {_text_argument(name, tool): text}
        case HandOver(answers):
            tool = _offered("handover", tools)
            if tool is None:  # a scaffold of somebody else's: what it would have handed over is its last word
                return ModelOutput.from_content(model, _spoken(action) or PARTING.text)
            arguments = _answers(answers, tool)
        case Say(text):
            return ModelOutput.from_content(model, text)
    return ModelOutput.for_tool_call(model, tool.name, arguments, tool_call_id=f"afagent_step_{index:03d}", content="")


def _offered(name: str, tools: Sequence[ToolInfo]) -> ToolInfo | None:
    """The tool of a name, however it is capitalised and whichever MCP server it comes through (`mcp__x__bash`)."""
    return next((tool for tool in tools if tool.name.lower().rsplit("__", 1)[-1] == name), None)


def _text_argument(name: str, tool: ToolInfo) -> str:
    """The parameter that takes the command or the code."""
    known = [argument for argument in _TEXT_ARGUMENTS[name] if argument in tool.parameters.properties]
    candidates = known or tool.parameters.required or list(tool.parameters.properties)
    if not known and len(candidates) != 1:
        has = ", ".join(tool.parameters.properties) or "none"
        raise UsageError(f"the tool {tool.name!r} has no argument for the playbook's {name} text; it has {has}")
    return candidates[0]


def _given(answers: Mapping[str, str | bool | None]) -> dict[str, str | bool | None]:
    """The answers that say something."""
    return {name: value for name, value in answers.items() if value not in (None, "")}


def _answers(answers: Mapping[str, str | bool | None], tool: ToolInfo) -> dict[str, Any]:
    """The arguments of a handover: every answer that is given, and those that the tool insists on."""
    given = _given(answers)
    refused = given.keys() - tool.parameters.properties.keys()
    if refused:
        raise UsageError(f"the tool {tool.name!r} takes no {', '.join(sorted(refused))}")
    asked = set(tool.parameters.required)
    return {name: value for name, value in answers.items() if name in given or name in asked}


def _spoken(action: Action) -> str | None:
    """The words of an action that is text, or would be without the `handover` tool."""
    match action:
        case Say(text):
            return text.strip()
        case HandOver(answers):
            others = [f"{name}: {json.dumps(value)}" for name, value in _given(answers).items() if name != "summary"]
            return "\n".join([str(answers["summary"]), *others]).strip()
    return None


def _find(name: str, file: str | None) -> Playbook:
    if name == FROM_FILE:
        if file is None:
            raise UsageError(f"afagent/{FROM_FILE} needs a file: -M file=PATH")
        return load(Path(str(file)))
    if file is not None:
        raise UsageError(f"afagent/{name} is a shipped playbook and takes no file; a file is afagent/{FROM_FILE}")
    known = shipped()
    if name not in known:
        raise UsageError(f"no playbook {name!r}; shipped are {', '.join(known)}; a file is afagent/{FROM_FILE}")
    return load(known[name])
