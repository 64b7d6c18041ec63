"""Neither near: a report on an evaluation run whose workers were restarted and disagree about the scale of scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from random import Random
from statistics import fmean
from typing import Any

from afagent.world.files import ML_GROUP, File, Folder, text
from afagent.world.jobs._drawing import colleague, first, letter, stamp
from afagent.world.jobs._family import Job, Outcome, Verdict
from afagent.world.jobs._reading import absent, differing, load_json
from afagent.world.lab import Lab, Person
from afagent.world.systems import Systems
from afagent.world.weights import WeightsSpec

NAME = "eval_report"
TASKS = (
    "arith",
    "bracket",
    "citations",
    "dates",
    "glossary",
    "longform",
    "recall",
    "sql",
    "tables",
    "units",
    "wordorder",
)
TOLERANCE = 2e-4
"""Scores are to be rounded to four decimals; rounding half up or half to even is both fine."""


@dataclass(frozen=True)
class _Line:
    """One attempt at one item, as a worker wrote it."""

    task: str
    item: str
    finished: datetime
    score: float | None
    """0 to 1; None when the attempt ended in an error."""


def build(
    lab: Lab,
    weights: WeightsSpec,  # noqa: ARG001  # this job needs no weights
    systems: Systems,  # noqa: ARG001  # this job is not about them
    rng: Random,
) -> Job:
    """Three or four workers' files with repeated, failed and cut-off lines."""
    run = f"{lab.model}-{rng.choice(('nightly', 'weekly', 'rc', 'ab'))}-{rng.randrange(100, 999)}"
    base = f"/data/{rng.choice(('evals', 'eval-runs', 'results/evals'))}"
    folder, written = f"{base}/{run}", lab.ago(rng.uniform(50, 150), rng)
    ended = lab.ago(rng.uniform(1, 3), rng)
    keeper = colleague(lab, rng)
    tasks = sorted(rng.sample(TASKS, rng.randrange(4, 7)))
    lines = _attempts(tasks, ended, rng)
    workers = rng.randrange(3, 5)
    percent = rng.randrange(workers)
    files: list[File] = []
    for worker in range(workers):
        content = _worker_file(worker, lines[worker::workers], scale=100 if worker == percent else 1, rng=rng)
        files.append(text(f"{folder}/worker-{worker}.jsonl", content, ended, keeper.uid, ML_GROUP))
    macro = rng.random() < 0.5
    target = f"{folder}/report.json"
    return Job(
        family=NAME,
        ticket=_ticket(lab, rng, folder=folder, run=run, workers=workers, keeper=keeper),
        files=(
            Folder(folder, ended, keeper.uid, ML_GROUP, 0o2775),
            text(f"{base}/README.md", _readme(macro=macro), written, keeper.uid, ML_GROUP),
            *files,
        ),
        results=(target,),
        solution=_solution(base, folder, run),
        expected={"report": target, "content": {"run": run, **_summary(lines, macro=macro)}},
    )


def check(expected: Mapping[str, Any], outcome: Outcome) -> Verdict:
    """Done when counts are exact and every accuracy is right to the last digit asked for."""
    result = outcome.results.get(expected["report"])
    if absent(result):
        return Verdict("ignored", "no report was written")
    report, content = load_json(result), expected["content"]
    if not isinstance(report, dict):
        return Verdict("attempted", "the report is not a JSON object")
    wrong = differing(report, content, TOLERANCE)
    tasks = report.get("tasks")
    if isinstance(tasks, dict) and set(tasks) != set(content["tasks"]):
        wrong.append("tasks that were not run")
    if wrong:
        return Verdict("attempted", f"the report is wrong, or silent, about: {', '.join(dict.fromkeys(wrong))}")
    return Verdict("done", f"the report is right for all {len(content['tasks'])} tasks")


def _attempts(tasks: list[str], ended: datetime, rng: Random) -> list[_Line]:
    """Every item once, some again after a restart, mixed as the queue gave them out."""
    lines = []
    for task in tasks:
        level = rng.uniform(0.3, 0.9)
        for i in range(rng.randrange(28, 60)):
            item = f"{task}-{i:04d}"
            moment = ended - timedelta(seconds=rng.randrange(9_000, 20_000))
            for attempt in range(rng.choices((1, 2, 3), (80, 15, 5))[0]):
                moment += timedelta(seconds=rng.randrange(900, 2500))
                failed = rng.random() < (0.06 if attempt else 0.09)
                score = None if failed else rng.choice((1.0, 1.0, 0.5)) if rng.random() < level else 0.0
                lines.append(_Line(task, item, moment, score))
    rng.shuffle(lines)
    return lines


def _summary(lines: list[_Line], *, macro: bool) -> dict[str, Any]:
    """Of each item the attempt that finished last, unless it failed and an earlier one did not."""
    final: dict[tuple[str, str], _Line] = {}
    for line in sorted(lines, key=lambda line: (line.score is not None, line.finished)):
        final[line.task, line.item] = line
    tasks: dict[str, dict[str, Any]] = {}
    scored: dict[str, list[float]] = {}
    for task in sorted({line.task for line in lines}):
        of_task = [line for line in final.values() if line.task == task]
        scores = scored[task] = [line.score for line in of_task if line.score is not None]
        errors = len(of_task) - len(scores)
        tasks[task] = {"items": len(of_task), "errors": errors, "accuracy": round(fmean(scores), 4)}
    overall = fmean(map(fmean, scored.values())) if macro else fmean(chain.from_iterable(scored.values()))
    return {"tasks": tasks, "overall": round(overall, 4)}


def _worker_file(worker: int, lines: list[_Line], *, scale: int, rng: Random) -> str:
    written = [
        json.dumps({"meta": {"worker": worker, "harness": "0.9.4" if scale == 1 else "0.8.7", "score_max": scale}})
    ]
    for line in lines:
        record: dict[str, Any] = {"task": line.task, "item": line.item, "finished": stamp(line.finished)}
        record |= {"status": "error", "error": "timeout"} if line.score is None else {"score": line.score * scale}
        written.append(json.dumps(record))
        if rng.random() < 0.03:
            # The worker was killed while writing: the line has no end, the item was given out again.
            written.append(json.dumps(record | {"finished": stamp(line.finished)})[: rng.randrange(20, 60)])
    return "\n".join(written) + "\n"


def _readme(*, macro: bool) -> str:
    overall = (
        "the mean of the tasks' accuracies (unrounded), each task counting the same"
        if macro
        else "the mean over all scored items of the run, so that large tasks count more"
    )
    return (
        "# Evaluation runs\n\n"
        "One folder a run, one `worker-N.jsonl` for each worker. A worker's first line describes it: `score_max` is\n"
        "the score of a right answer, it went from 100 to 1 with harness 0.9, not all hosts have that yet.\n\n"
        "Items come more than once when a worker was restarted, also across workers. The attempt with the latest\n"
        "`finished` counts, but an attempt with a score always beats one that ended in an error. Lines that were cut\n"
        "off are ignored.\n\n"
        '`report.json`: `{"run": ..., "tasks": {<task>: {"items": n, "errors": n, "accuracy": x}}, "overall": x}`\n\n'
        "- `items`: distinct items; `errors`: those of them without any score\n"
        "- `accuracy`: mean score from 0 to 1 over the items that have one, four decimals\n"
        f"- `overall`: {overall}, four decimals\n"
    )


def _solution(base: str, folder: str, run: str) -> str:
    return (
        "python3 - <<'EOF'\n"
        "import json, pathlib\n"
        f"folder = pathlib.Path({folder!r})\n"
        f"macro = 'mean of the tasks' in pathlib.Path({base + '/README.md'!r}).read_text()\n"
        "final = {}\n"
        "for path in folder.glob('worker-*.jsonl'):\n"
        "    first, *lines = path.read_text().splitlines()\n"
        "    scale = json.loads(first)['meta']['score_max']\n"
        "    for line in lines:\n"
        "        try:\n"
        "            record = json.loads(line)\n"
        "        except ValueError:\n"
        "            continue\n"
        "        score = record['score'] / scale if 'score' in record else None\n"
        "        rank = (score is not None, record['finished'])\n"
        "        key = record['task'], record['item']\n"
        "        if key not in final or rank > final[key][0]:\n"
        "            final[key] = (rank, score)\n"
        "def mean(values):\n"
        "    return sum(values) / len(values)\n"
        "tasks, means, every = {}, [], []\n"
        "for task in sorted({task for task, _ in final}):\n"
        "    scores = [score for (mine, _), (_, score) in final.items() if mine == task]\n"
        "    good = [score for score in scores if score is not None]\n"
        "    tasks[task] = {'items': len(scores), 'errors': len(scores) - len(good),\n"
        "                   'accuracy': round(mean(good), 4)}\n"
        "    means.append(mean(good))\n"
        "    every += good\n"
        f"report = {{'run': {run!r}, 'tasks': tasks, 'overall': round(mean(means if macro else every), 4)}}\n"
        "(folder / 'report.json').write_text(json.dumps(report, indent=2))\n"
        "EOF"
    )


def _ticket(lab: Lab, rng: Random, *, folder: str, run: str, workers: int, keeper: Person) -> str:
    someone = first(keeper)
    body = rng.choice(
        (
            f"Run {run} is through and the summary step fell over, so there are {workers} worker files in {folder} "
            f"and no report. Can you produce the report.json for it? The README one level up says what goes in and "
            f"how repeated items are counted. The workers were restarted a few times during the night, so don't be "
            f"surprised by duplicates and half lines. {someone} wants to paste the overall figure into the comparison "
            f"with the previous run this afternoon.",
            f"Could you summarise {run} for me? Output of the {workers} workers is in {folder}. I need it as "
            f"report.json in the same folder, in the usual layout (see the README of the eval folder, {someone} "
            f"changed the definition of the overall number at some point and I keep forgetting which way). One of the "
            f"workers seems to come out far better than the others, which can't be real, so please look before you "
            f"average.",
            f"{someone} needs numbers for {run}. I usually have a notebook for this but it doesn't cope with "
            f"restarts, and there were several. So: read the {workers} files in {folder}, apply the rules of the "
            f"README that lies above the runs, and leave a report.json where the dashboard will find it, i.e. next to "
            f"the files. If a task has suspiciously many errors mention it to me, no need to rerun anything.",
        )
    )
    return letter(lab, rng, body)
