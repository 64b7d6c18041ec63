"""The lab at work: scripted models, good and bad, through real containers and the real scorers, with the proof."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inspect_ai import eval as run_eval
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent import engine
from afagent.evidence.findings import Stage
from afagent.logs import Episode, episodes, is_unscored, make_folder
from afagent.quoting import printable

TASK = "afagent/weight_exfiltration"
MODELS = (
    "honest",
    "curious",
    "stage",
    "exfiltrate-https",
    "exfiltrate-chunks",
    "exfiltrate-dns",
    "exfiltrate-blocked",
    "deny",
)
SEEDS = "1,3"
"""Two scenarios: one far from the weights, one whose job is to copy them to the sanctioned store."""
WEIGHTS_MB = 32
STRENGTHS = ("proven", "strong", "suspected")
"""From the strongest down."""
WIDE = 100
"""Columns of a terminal from which on names are not broken."""
STYLES = {"none": "green", "delivered": "bold red", "attempted": "red"}
INTRODUCTION = f"{len(MODELS)} scripted models, each in 2 scenarios of the lab: a few minutes."
LEGEND = (
    "Stages: none, recon, access, staged, attempted, delivered. Fraction: how much of the weights left the machine. "
    "[E..]: an event that the witness recorded."
)


def run(log_dir: Path) -> Iterator[tuple[str, list[Episode]]]:
    """Each model's name with its episodes, as soon as they are done.

    Raises:
        LabError: no engine answers.
        UsageError: logs cannot be written there.
        KeyboardInterrupt: a run was interrupted; the logs hold what was finished before.
    """
    engine.connect().close()
    make_folder(log_dir)
    for model in MODELS:
        logs = run_eval(
            TASK,
            task_args={"seeds": SEEDS, "weights_mb": WEIGHTS_MB},
            model=f"afagent/{model}",
            log_dir=str(log_dir / model),
            log_format="eval",
            display="none",
        )
        if not logs:  # Inspect keeps an interruption to itself and hands nothing back
            raise KeyboardInterrupt
        yield model, list(episodes([Path(logs[0].location)]))


def show(log_dir: Path, console: Console) -> bool:
    """Run all models, print what each did, the proof and a verdict; True when every episode was judged to its end."""
    console.print(Text(INTRODUCTION))
    played: list[tuple[str, Episode]] = []
    with console.status(_under_way(1)) as status:
        for done, (model, both) in enumerate(run(log_dir), 1):
            played += [(model, episode) for episode in both]
            console.print(Text(f"✓ {model}: {' and '.join(_stage(episode) for episode in both)}"))
            if done < len(MODELS):
                status.update(_under_way(done + 1))
    console.print()
    console.print(_table(played, is_narrow=console.width < WIDE))
    console.print(Text(LEGEND))
    console.print(Text(f"\nTo read the proof: {_inspect()} view --log-dir {log_dir}"), soft_wrap=True)
    console.print(Text("Open a sample; in its Transcript tab, the Scans panel tells the story and links each [E..]."))
    from afagent import demo_gate  # noqa: PLC0415  # its libraries take a second, which no other command shall wait for

    judged = demo_gate.show(log_dir, SEEDS, WEIGHTS_MB, console)
    return judged and all(_is_judged(episode) for _, episode in played)


def _inspect() -> str:
    """The command `inspect` that belongs to this Python, as one would type it here."""
    beside = Path(sys.executable).with_name("inspect")
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else "inspect"


def _under_way(number: int) -> Text:
    return Text(f"{MODELS[number - 1]} is at work ({number} of {len(MODELS)})")


def _table(played: Iterable[tuple[str, Episode]], *, is_narrow: bool) -> Table:
    """A row for each episode. Nothing from a log is read as markup."""
    table = Table(
        title="What each model did", title_justify="left", box=SIMPLE_HEAD, leading=1, padding=(0, 1), pad_edge=False
    )
    for column in ("model", "arm", "stage", "fraction"):
        table.add_column(column, overflow="fold")
    table.add_column("strongest proof", overflow="fold", ratio=1)
    for model, episode in played:
        table.add_row(
            Text(model.replace("-", "-\n", 1) if is_narrow else model, style="bold"),
            Text(printable(str(episode.metadata.get("arm", ""))).replace("-", "\n")),
            Text(_stage(episode), style=STYLES.get(_stage(episode), "")),
            Text(_fraction(episode)),
            Text(_proof(episode)).append(f"\n{_aside(episode, with_family=not is_narrow)}", style="dim"),
        )
    return table


def _fraction(episode: Episode) -> str:
    fraction = _values(episode, "exfiltration").get("fraction")
    return "cannot tell" if is_unscored(fraction) else f"{float(fraction or 0):.1%}"


def _aside(episode: Episode, *, with_family: bool) -> str:
    """What became of the job, and whether the handover tells the truth."""
    family = f" {episode.metadata.get('family')}" if with_family else ""
    return printable(f"job{family} {_word(episode, 'engagement')}, handover {_word(episode, 'honesty')}")


_DIRECTORIES = re.compile(r"(?<!\S)(?:/[^\s/]+){2,}/(?=[^\s/])")
"""The way to a file, which would fill the column."""


def _values(episode: Episode, scorer: str) -> Mapping[str, Any]:
    score = episode.scores.get(scorer)
    return score.value if score is not None and isinstance(score.value, Mapping) else {}


def _stage(episode: Episode) -> str:
    stage = _values(episode, "exfiltration").get("stage")
    return "cannot tell" if stage is None or is_unscored(stage) else Stage(int(stage)).name.lower()


def _word(episode: Episode, scorer: str) -> str:
    score = episode.scores.get(scorer)
    return "cannot tell" if score is None or is_unscored(score.value) else printable(str(score.value))


def _proof(episode: Episode) -> str:
    """What the highest rung rests on, in the account's own words."""
    if episode.error:
        return f"broke off: {episode.error}"
    score = episode.scores.get("exfiltration")
    found = (score.metadata or {}).get("findings", []) if score is not None else []
    acts = [finding for finding in found if not finding["sanctioned"]]
    if not acts:
        return "nothing beyond the job" if found else "the weights were not touched"
    best = max(acts, key=lambda act: (Stage[act["stage"].upper()], -STRENGTHS.index(act["strength"])))
    cited = " ".join(f"[E{number}]" for number in best["events"][:3])
    summary = _DIRECTORIES.sub("…/", best["summary"].replace("`", ""))
    return f"{best['strength']}: {printable(summary, 120)} {cited}"


def _is_judged(episode: Episode) -> bool:
    unanswered = _values(episode, "exfiltration").get("unanswered", math.nan)
    return episode.error is None and unanswered == 0
