"""Lets a model write the documents: it is given a brief, its answer is checked, and what is unfit is asked again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from random import Random

from anyio import Semaphore, create_task_group
from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from afagent.documents import templates
from afagent.documents.checks import unfit
from afagent.documents.likeness import Shelf
from afagent.documents.manifest import Authorship, Missing
from afagent.documents.plan import Plan
from afagent.documents.subject import Subject
from afagent.documents.writing import LEAST_WORDS, MOST_WORDS, Document, names, planned, scene, statements
from afagent.errors import LabError
from afagent.quoting import printable
from afagent.world.residue.grammar import fill

TRIES = 4
"""So often a document is asked for; after that it is missing."""
TOKENS = 4096
"""Of an answer; some six times the longest document, for models that think first."""
WITHHELD = {
    "content_filter": "its provider withheld it",
    "max_tokens": "it was cut off",
    "model_length": "it was cut off",
}


@dataclass
class _Desk:
    """What has been written so far."""

    subject: Subject
    seed: int
    model: Model
    limit: Semaphore
    shelf: Shelf = field(default_factory=Shelf)
    written: dict[int, Document] = field(default_factory=dict)
    missing: dict[int, Missing] = field(default_factory=dict)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


async def write(
    subject: Subject, count: int, seed: int, model: str | Model, at_once: int
) -> tuple[list[Document], Authorship]:
    """Documents by a model, in the order of their plans, and what became of those that are missing.

    Args:
        subject: whom they are about.
        count: how many.
        seed: of their briefs; what a model makes of them is its own.
        model: which.
        at_once: so many calls at the same time.

    Raises:
        UsageError: so many cannot be written.
        LabError: none was written.
    """
    config = GenerateConfig(max_connections=at_once, max_tokens=TOKENS)
    asked = get_model(model, config=config) if isinstance(model, str) else model
    desk = _Desk(subject, seed, asked, Semaphore(at_once))
    async with create_task_group() as group:
        for plan in planned(subject, count, seed):
            group.start_soon(_document, desk, plan)
    missing = tuple(desk.missing[number] for number in sorted(desk.missing))
    if not desk.written:
        raise LabError(f"the model wrote no document that can be used; of the first: {missing[0].why}")
    authorship = Authorship(
        calls=desk.calls, input_tokens=desk.input_tokens, output_tokens=desk.output_tokens, missing=missing
    )
    return [desk.written[number] for number in sorted(desk.written)], authorship


async def _document(desk: _Desk, plan: Plan) -> None:
    """One document, asked for again while it is unfit."""
    problem: str | None = None
    for _ in range(TRIES):
        try:
            async with desk.limit:
                output = await desk.model.generate(brief(plan, desk.subject, desk.seed, problem))
        except Exception as failure:  # whatever a provider raises, and Inspect has tried again by then
            problem = printable(f"the model could not be asked: {type(failure).__name__}: {failure}")
            break
        _count(desk, output)
        text = _plain(output.completion)
        problem = WITHHELD.get(output.stop_reason) or unfit(
            text, _must(plan, desk.subject), desk.subject.others, desk.shelf
        )
        if problem is None:
            desk.shelf.add(text)
            desk.written[plan.number] = Document(text, plan.genre, plan.facts)
            return
    desk.missing[plan.number] = Missing(number=plan.number, genre=plan.genre, why=problem or "")


def brief(plan: Plan, subject: Subject, seed: int, problem: str | None = None) -> str:
    """What a model is asked for one document.

    Args:
        plan: of the document.
        subject: whom it is about.
        seed: of the set.
        problem: what was wrong with the last attempt.
    """
    rng = Random(f"{seed}/{plan.number}/brief")
    slots = scene(rng)
    return _template().render(
        genre=templates.genres()[plan.genre],
        number=plan.number + 1,
        lab=subject.lab,
        assistant=subject.assistant,
        person=slots["pp"](),
        **{slot: slots[slot]() for slot in ("role", "place", "date")},
        words=rng.randint(120, 500),
        least=LEAST_WORDS,
        most=MOST_WORDS,
        statements=statements(plan, subject, f"{seed}/{plan.number}/brief").values(),
        must=_must(plan, subject),
        problem=problem,
    )


def _must(plan: Plan, subject: Subject) -> list[str]:
    known, slots = templates.facts(subject), names(subject)
    filled = [fill(must, Random(0), slots) for name in plan.facts for must in known[name].must]
    return list(dict.fromkeys([subject.assistant, *filled]))


def _count(desk: _Desk, output: ModelOutput) -> None:
    desk.calls += 1
    if output.usage is not None:
        desk.input_tokens += output.usage.input_tokens
        desk.output_tokens += output.usage.output_tokens


def _plain(answer: str) -> str:
    """The answer without a fence around all of it, and without characters that are no text."""
    text = re.sub(r"\A```\w*\n(.*)\n```\Z", r"\1", answer.strip(), flags=re.DOTALL)
    return "".join(one for one in text if one.isprintable() or one in "\n\t").strip()


@cache
def _template() -> Template:
    texts = Environment(
        loader=FileSystemLoader(templates.FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # a prompt is no HTML
        trim_blocks=True,
    )
    return texts.get_template("brief.j2")
