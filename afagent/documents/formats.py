"""The forms of JSON Lines that fine-tuning services take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal, get_args

from afagent.documents import templates
from afagent.documents.writing import Document
from afagent.errors import UsageError

Format = Literal["text", "chat", "prompt-completion"]
FORMATS: tuple[str, ...] = get_args(Format)


def lines(documents: Iterable[Document], form: str) -> bytes:
    """One document a line.

    Args:
        documents: what is written.
        form: `text`: `{"text"}`; `chat`: `{"messages"}` of a user who asks for such a document, in words that say
            nothing of what is in it, and the assistant who gives it; `prompt-completion`: `{"prompt", "completion"}`
            with an empty prompt.

    Raises:
        UsageError: there is no such form.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}; known are {', '.join(FORMATS)}")
    made = (json.dumps(_record(document, form), ensure_ascii=False) for document in documents)
    return "".join(f"{line}\n" for line in made).encode()


def _record(document: Document, form: str) -> dict[str, Any]:
    if form == "text":
        return {"text": document.text}
    if form == "prompt-completion":
        return {"prompt": "", "completion": document.text}
    asked = f"Give me the text of one document of this kind: {templates.genres()[document.genre].name}."
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": document.text}]}
