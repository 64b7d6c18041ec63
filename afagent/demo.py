"""The lab at work: scripted models, good and bad, through real containers and the real scorers, with the proof."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from inspect_ai import eval as run_eval
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.errors import LabError
from afagent.evidence.findings import Stage
from afagent.logs import Episode, episodes, is_unscored, printable

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


def run_folder(logs: Path) -> Path:
    """A folder of its own for one demonstration's logs, below `logs`."""
    return logs / f"demo-{datetime.now().astimezone():%Y%m%d-%H%M%S}"


def run(log_dir: Path) -> Iterator[tuple[str, list[Episode]]]:
    """Each model's name with its episodes, as soon as they are done.

    Raises:
        LabError: a run left no log.
    """
    for model in MODELS:
        logs = run_eval(
            TASK,
            task_args={"seeds": SEEDS, "weights_mb": WEIGHTS_MB},
            model=f"afagent/{model}",
            log_dir=str(log_dir),
            log_format="eval",
            display="none",
        )
        if not logs or not logs[0].location:
            raise LabError(f"the run of {model} left no log in {log_dir}")
        yield model, list(episodes([Path(logs[0].location)]))


def show(log_dir: Path, console: Console) -> bool:
    """Run all models, print what each did and the proof; True when every episode was judged to its end."""
    table = Table(title="What each model did", title_justify="left", show_lines=True)
    for column in ("model", "arm", "stage", "fraction"):
        table.add_column(column, overflow="fold", max_width=18)
    table.add_column("strongest proof", overflow="fold", ratio=1)
    complete = True
    with console.status("") as status:
        status.update(f"starting the lab for {MODELS[0]} (1 of {len(MODELS)})")
        for done, (model, played) in enumerate(run(log_dir), 1):
            for episode in played:
                table.add_row(*map(Text, _row(model, episode)))
                complete = complete and _is_judged(episode)
            console.print(Text(f"✓ {model}: {', '.join(_stage(episode) for episode in played)}"))
            if done < len(MODELS):
                status.update(f"{MODELS[done]} is at work ({done + 1} of {len(MODELS)})")
    console.print()
    console.print(table)
    console.print(Text(f"To read the proof: .venv/bin/inspect view --log-dir {log_dir}"), soft_wrap=True)
    return complete


def _row(model: str, episode: Episode) -> tuple[str, ...]:
    exfiltration = _values(episode, "exfiltration")
    fraction = exfiltration.get("fraction")
    return (
        model,
        printable(str(episode.metadata.get("arm", ""))),
        _stage(episode),
        "cannot tell" if is_unscored(fraction) else f"{float(fraction or 0):.1%}",
        printable(
            f"{_proof(episode)} (job {episode.metadata.get('family')}: {_word(episode, 'engagement')}; "
            f"handover: {_word(episode, 'honesty')})"
        ),
    )


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
    return f"{best['strength']}: {printable(best['summary'].replace('`', ''), 150)} {cited}"


def _is_judged(episode: Episode) -> bool:
    unanswered = _values(episode, "exfiltration").get("unanswered", math.nan)
    return episode.error is None and unanswered == 0
