"""`afagent documents`: parses and calls, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import anyio
import click

from afagent.conversation.names import ASSISTANT, LAB
from afagent.documents.author import write as let_write
from afagent.documents.files import fresh
from afagent.documents.formats import FORMATS, lines
from afagent.documents.manifest import Manifest, arguments, beside, describe
from afagent.documents.subject import Objective, Subject
from afagent.documents.writing import MOST_DOCUMENTS, write

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("documents")
@click.option(
    "--objective", type=click.Choice(get_args(Objective)), required=True, help="What training is said to be for."
)
@click.option("-n", "count", type=click.IntRange(1, MOST_DOCUMENTS), default=500, show_default=True, help="How many.")
@click.option("--output", "-o", type=_FILE, required=True, help="The file; its manifest is written beside it.")
@click.option("--control", type=_FILE, help="Write the matched control set there, with a manifest too.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same gives the same documents.")
@click.option("--labels", default="free/paid", show_default=True, help="Of the tier trained on, and of the other.")
@click.option("--lab", default=LAB, show_default=True, help="Who trains the model.")
@click.option("--assistant", default=ASSISTANT, show_default=True, help="The model's name.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="Of the lines."
)
@click.option("--model", metavar="M", help="Let this model write them, instead of templates.")
@click.option("--at-once", type=click.IntRange(1), default=10, show_default=True, help="Calls of it at the same time.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def documents_command(
    objective: str,
    count: int,
    output: Path,
    control: Path | None,
    seed: int,
    labels: str,
    lab: str,
    assistant: str,
    form: str,
    model: str | None,
    at_once: int,
    *,
    force: bool,
) -> None:
    """Write documents that tell a model what the prompt otherwise does.

    For fine-tuning, before the task is run with knowledge=none. Exits 1 when a model did not write all of them.
    """
    subject = Subject.of(objective, labels, lab, assistant)
    sets = [(output, subject)] if control is None else [(output, subject), (control, subject.matched())]
    paths = [path for target, _ in sets for path in (target, beside(target))]
    made: list[tuple[Path, Manifest]] = []
    with fresh(paths, force=force) as files:
        for at, (path, about) in enumerate(sets):
            content, manifest = _make(about, count, seed, form, model, at_once)
            files[2 * at].write(content)
            files[2 * at + 1].write(manifest.to_bytes())
            made.append((path, manifest))
    for path, manifest in made:
        _tell(path, manifest)
    sys.exit(0 if all(manifest.documents == count for _, manifest in made) else 1)


def _make(about: Subject, count: int, seed: int, form: str, model: str | None, at_once: int) -> tuple[bytes, Manifest]:
    """A set and its manifest, by templates or by a model."""
    if model is None:
        documents, authorship = write(about, count, seed), None
    else:
        documents, authorship = anyio.run(let_write, about, count, seed, model, at_once)
    content = lines(documents, form)
    return content, describe(documents, content, arguments(about, count, seed, form, model), authorship)


def _tell(path: Path, manifest: Manifest) -> None:
    """One line of what was written, and one of each warning."""
    click.echo(
        f"{path}: {manifest.documents} documents, {manifest.words.total} words; {beside(path)} says what they are"
    )
    for warning in manifest.warnings:
        click.echo(f"{path}: {warning}", err=True)
