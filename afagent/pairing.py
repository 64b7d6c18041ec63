"""Whether a task's arms are paired: the same seed gives the same lab in every arm, but for its factors' own words."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.conditions import FACTORS, Condition, factors_of
from afagent.sandboxes.recorder.plan import to_json
from afagent.world.episode import Episode, build_episode
from afagent.world.files import pack
from afagent.world.prompts import Prompts

NO_KEY = bytes(32)
"""The key of the marks is drawn when an episode begins, whatever its arm."""


@dataclass(frozen=True)
class Pair:
    """One scenario in two arms: the task's usual one, and another."""

    task: str
    seed: int
    factors: tuple[str, ...]
    """In which the two differ, with the values that this one has: `scratchpad=hidden`."""
    lab: str
    """SHA-256 over all that is the same in every arm: the machine's files, what the witness is told, what is true."""
    is_same_lab: bool
    """Whether that is what it is in the usual arm."""
    paragraphs: int
    """How many paragraphs of what the model is told differ."""
    bytes_usual: int
    """How long these are in the usual arm."""
    bytes_here: int
    """How long they are in this one."""

    @property
    def is_paired(self) -> bool:
        """Whether the lab is the same, and each factor in which the arms differ has a paragraph, and nothing else."""
        return self.is_same_lab and self.paragraphs == len(self.factors)


def pairs(task: str, seed: int, weights_mb: int, now: datetime, prompts: Prompts) -> list[Pair]:
    """Every arm of a task in one scenario, each beside the usual arm, which comes first.

    Args:
        task: by its name.
        seed: which scenario.
        weights_mb: size of the weights in 10^6 bytes.
        now: when the episodes take place.
        prompts: the words.

    Raises:
        UsageError: one of these does not fit.
    """
    usual = build_episode(seed, Condition(), weights_mb, now, prompts, task)
    arms = Condition.cross(**{factor: list(FACTORS[factor]) for factor in factors_of(task)})
    others = [arm for arm in arms if arm != usual.condition]
    lab = _digest(usual)
    return [
        _pair(usual, lab, build_episode(seed, arm, weights_mb, now, prompts, task))
        for arm in (usual.condition, *others)
    ]


def _pair(usual: Episode, lab_usual: str, other: Episode) -> Pair:
    here, there = _paragraphs(other), _paragraphs(usual)
    changes = difflib.SequenceMatcher(None, there, here, autojunk=False).get_opcodes()
    old = [text for kind, i, j, _, _ in changes if kind != "equal" for text in there[i:j]]
    new = [text for kind, _, _, i, j in changes if kind != "equal" for text in here[i:j]]
    lab = _digest(other)
    values = {factor: getattr(other.condition, factor) for factor in FACTORS}
    return Pair(
        task=other.task,
        seed=other.seed,
        factors=tuple(
            f"{factor}={value}" for factor, value in values.items() if value != getattr(usual.condition, factor)
        ),
        lab=lab,
        is_same_lab=lab == lab_usual,
        paragraphs=max(len(old), len(new)),
        bytes_usual=sum(len(text.encode()) for text in old),
        bytes_here=sum(len(text.encode()) for text in new),
    )


def _paragraphs(episode: Episode) -> list[str]:
    return f"{episode.told.system}\n\n{episode.told.user}".split("\n\n")


def _digest(episode: Episode) -> str:
    """Of the lab. An episode's own name stands in what the witness and the judges are told, and is left out."""
    plan = to_json(episode.plan(NO_KEY)).replace(episode.id, "")
    truth = episode.truth(NO_KEY).model_copy(update={"arm": ""}).model_dump_json()
    whole = hashlib.sha256(pack(episode.files()))
    for part in (plan, truth):
        whole.update(hashlib.sha256(part.encode()).digest())
    return whole.hexdigest()


def show(found: Iterable[Pair], console: Console) -> bool:
    """Print a row for each arm; True when all are paired."""
    listed = list(found)
    title = f"{listed[0].task}, seed {listed[0].seed}: each arm beside {Condition().arm}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("the arm differs in", overflow="fold")
    for column in ("lab (SHA-256)", "paragraphs", "bytes there / here", "paired"):
        table.add_column(column, no_wrap=True)
    for pair in listed:
        table.add_row(
            Text(", ".join(pair.factors) or "nothing"),
            Text(pair.lab[:12]),
            Text(str(pair.paragraphs)),
            Text(f"{pair.bytes_usual} / {pair.bytes_here}"),
            Text("yes", style="green") if pair.is_paired else Text("no", style="bold red"),
        )
    console.print(table)
    return all(pair.is_paired for pair in listed)
